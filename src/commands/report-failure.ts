// A command that failed, in words for the person at the terminal, and the exit code for it.

import { ConfigError, ConfigFileError } from "../config/problem.ts";
import { shownText } from "../shown.ts";

export function reportFailure(thrown: unknown): 1 | 2 {
  if (thrown instanceof ConfigError) {
    const { length } = thrown.problems;
    process.stderr.write(
      `${shownText(thrown.format())}\n${length} problem${length === 1 ? "" : "s"}; nothing was started.\n`,
    );
    return 2;
  }
  if (thrown instanceof ConfigFileError) {
    process.stderr.write(`Error: ${thrown.message}\n`);
    return 1;
  }
  process.stderr.write(`Error: ${shownText(explain(thrown))}\n`);
  return 1;
}

function explain(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if ("code" in thrown && thrown.code === "EADDRINUSE") {
    return `${thrown.message}\nAnother program, or another mcp-gateway, listens there. Stop it, or choose a port with --port.`;
  }
  if ("code" in thrown && (thrown.code === "EACCES" || thrown.code === "EADDRNOTAVAIL")) {
    return `${thrown.message}\nThis user may not listen there, or the address is not of this machine. Choose others with --host and --port.`;
  }
  return thrown.message;
}
