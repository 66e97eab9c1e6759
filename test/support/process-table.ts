// Looks at the process table: what runs, in which group, under which parent. The dead that nobody reaped are left out.

import { readdirSync, readFileSync } from "node:fs";

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly command: string;
}

export function groupMembers(group: number): ProcessEntry[] {
  return processTable().filter((entry) => entry.group === group);
}

/** Children, their children, and so on. */
export function descendants(pid: number): ProcessEntry[] {
  const table = processTable();
  const found = table.filter((entry) => entry.parent === pid);
  for (const parent of found) found.push(...table.filter((entry) => entry.parent === parent.pid));
  return found;
}

export function isRunning(pid: number): boolean {
  return processTable().some((entry) => entry.pid === pid);
}

export function processTable(): ProcessEntry[] {
  return process.platform === "linux" ? fromProc() : fromPs();
}

function fromProc(): ProcessEntry[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        // The name stands in brackets and may hold anything; state, parent and group follow it.
        const [state = "", parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return entry({ pid, parent, group, state, command });
      } catch {
        return []; // Ended while we looked.
      }
    });
}

function fromPs(): ProcessEntry[] {
  const { stdout } = Bun.spawnSync(["ps", "-A", "-o", "pid=,ppid=,pgid=,stat=,args="]);
  return stdout
    .toString()
    .split("\n")
    .flatMap((line) => {
      const [pid, parent, group, state = "", ...words] = line.trim().split(/\s+/);
      return pid === undefined || pid === ""
        ? []
        : entry({ pid, parent, group, state, command: words.join(" ") });
    });
}

function entry(raw: {
  pid: string;
  parent: string | undefined;
  group: string | undefined;
  state: string;
  command: string;
}): ProcessEntry[] {
  if (/^[ZX]/.test(raw.state)) return [];
  return [
    { pid: Number(raw.pid), parent: Number(raw.parent), group: Number(raw.group), command: raw.command },
  ];
}
