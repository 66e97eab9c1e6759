// A command that failed, in words for the person at the terminal, and the exit code for it.

import { ConfigError } from "../config/problem.ts";
import { below } from "../shown.ts";
import { printNote } from "./print.ts";

/** 1: failed. 2: wrong configuration. */
export function reportFailure(thrown: unknown): 1 | 2 {
  if (thrown instanceof ConfigError) {
    const { length } = thrown.problems;
    printNote(`${thrown.format()}\n${length} problem${length === 1 ? "" : "s"}; nothing was started.`);
    return 2;
  }
  printNote(`Error: ${below(explain(thrown), "  ")}`);
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
