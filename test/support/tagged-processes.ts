// Finds processes by a mark in their environment, which children inherit: nothing that a test started hides from it,
// neither behind a wrapper nor in a group of its own.

import { readFileSync } from "node:fs";
import { type ProcessEntry, processTable } from "./process-table.ts";

/** The name of the variable that holds the mark. */
export const TAG = "TEST_RUN_TAG";

export function taggedProcesses(tag: string): ProcessEntry[] {
  const hasTag = process.platform === "linux" ? isTaggedInProc : isTaggedInPs;
  return processTable().filter(({ pid }) => hasTag(pid, `${TAG}=${tag}`));
}

function isTaggedInProc(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(mark);
  } catch {
    return false; // Ended while we looked, or somebody else's.
  }
}

function isTaggedInPs(pid: number, mark: string): boolean {
  const { stdout } = Bun.spawnSync(["ps", "eww", "-o", "command=", "-p", String(pid)]);
  return stdout.toString().includes(mark);
}
