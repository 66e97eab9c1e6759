// Bun lets a process have 256 requests of fetch open at a time, streams included, and reads another number from the
// environment only when the process starts. So the program starts itself again in its own place: same pid, same files.

import type { Config } from "../config/config.ts";
import { ownProgram } from "./own-program.ts";

const VARIABLE = "BUN_CONFIG_MAX_HTTP_REQUESTS";
const LIMIT = "8192";

/**
 * For gateways with backends at URLs. Call it before anything is open: where it does something, it does not return, and
 * the second time around there is nothing left to do. Windows has no such way, and keeps Bun's limit.
 */
export function liftRequestLimit({ backends }: Config): void {
  const isNeeded = backends.some(({ enabled, wire }) => enabled && wire.kind === "url");
  if (!isNeeded || process.env[VARIABLE] !== undefined || process.execve === undefined) return;
  if (process.platform === "win32") return;
  const [program = process.execPath, ...main] = ownProgram();
  try {
    process.execve(process.execPath, [program, ...process.execArgv, ...main, ...process.argv.slice(2)], {
      ...process.env,
      [VARIABLE]: LIMIT,
    });
  } catch {
    // The program has been moved away or may not be started twice: Bun's own limit is enough for most.
  }
}
