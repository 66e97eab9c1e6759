// What the commands of this folder take from their command lines.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { binaryName, hostTarget } from "../targets.ts";

const ROOT = join(import.meta.dir, "..", "..");

export function toCount(value: string): number {
  const count = Number(value);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("It is a whole number above 0.");
}

/** The words of the gateway's command: those given, or the binary built for this machine. */
export function gatewayCommand(given: string | undefined): string[] {
  if (given !== undefined) return given.split(" ");
  const binary = join(ROOT, "dist", binaryName(hostTarget()));
  if (existsSync(binary)) return [binary];
  console.error("There is no gateway to measure. Build it first: scripts/build host");
  process.exit(2);
}
