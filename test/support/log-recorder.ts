// A log that keeps its lines, so that a test can say what a person would have read.

import { createLog, type Log } from "../../src/log.ts";

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export function recordLog(): { log: Log; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const log = createLog({ level: "DEBUG", format: "json", write: (line) => lines.push(JSON.parse(line)) });
  return { log, lines };
}
