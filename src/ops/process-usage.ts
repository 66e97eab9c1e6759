// What processes take of this machine, each with all that it started: memory and processor time. Null where the system
// does not tell (Windows).

import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";

export interface Usage {
  readonly processes: number;
  /** Resident, pages that processes share counted for each of them. */
  readonly memoryBytes: number;
  /** User and system, since the processes were started. */
  readonly cpuSeconds: number;
}

interface Entry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly cpuSeconds: number;
  /** Where the table tells it. */
  readonly memoryBytes?: number;
}

/** The unit of times in /proc, the same on every Linux that there is (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** All of it, for the roots named: their groups, and what left the groups but not the family. */
export async function measure(
  roots: readonly number[],
  platform: NodeJS.Platform = process.platform,
): Promise<Map<number, Usage>> {
  if (roots.length === 0 || platform === "win32") return new Map();
  const table = platform === "linux" ? await tableFromProc() : await tableFromPs();
  const usages = await Promise.all(
    roots.map(async (root): Promise<[number, Usage] | undefined> => {
      const members = familyOf(root, table);
      if (members.length === 0) return undefined;
      const memory = await Promise.all(
        members.map(async ({ pid, memoryBytes }) => memoryBytes ?? (await residentBytes(pid))),
      );
      const usage = {
        processes: members.length,
        memoryBytes: sum(memory),
        cpuSeconds: sum(members.map(cpuOf)),
      };
      return [root, usage];
    }),
  );
  return new Map(usages.filter((usage) => usage !== undefined));
}

/** At once, for a process that is about to end; undefined where there is no such quick way. */
export function residentNow(root: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const pids = [root];
    for (const pid of pids) pids.push(...childrenOf(pid));
    return sum(pids.map((pid) => residentIn(readFileSync(`/proc/${pid}/status`, "utf8"))));
  } catch {
    return undefined; // Ended while we looked.
  }
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

function familyOf(root: number, table: readonly Entry[]): Entry[] {
  const found = table.filter(({ pid, group }) => pid === root || group === root);
  const known = new Set(found.map(({ pid }) => pid));
  for (const { pid } of found) {
    for (const child of table) {
      if (child.parent !== pid || known.has(child.pid)) continue;
      known.add(child.pid);
      found.push(child);
    }
  }
  return found;
}

async function tableFromProc(): Promise<Entry[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const entries = await Promise.all(
    names.map(async (name): Promise<Entry | undefined> => {
      const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
      // After the name, which is in brackets and may hold anything: state, parent, group, and ten fields on the times.
      const [state, parent, group, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (stat === "" || state === "Z" || state === "X") return undefined;
      const cpuSeconds = (Number(rest[8]) + Number(rest[9])) / TICKS_PER_SECOND;
      return { pid: Number(name), parent: Number(parent), group: Number(group), cpuSeconds };
    }),
  );
  return entries.filter((entry) => entry !== undefined);
}

async function tableFromPs(): Promise<Entry[]> {
  const ps = Bun.spawn(["ps", "-A", "-o", "pid=,ppid=,pgid=,rss=,time=,stat="], {
    env: { LC_ALL: "C", PATH: "/bin:/usr/bin" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const lines = (await ps.stdout.text()).trimEnd().split("\n");
  return lines.flatMap((line) => {
    const [pid, parent, group, kibibytes, time = "", state = ""] = line.trim().split(/\s+/);
    if (state.startsWith("Z")) return [];
    return {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      memoryBytes: Number(kibibytes) * 1024,
      cpuSeconds: secondsIn(time),
    };
  });
}

/** `[[days-]hours:]minutes:seconds`, the seconds with a fraction on macOS. */
function secondsIn(time: string): number {
  const [days, clock = ""] = time.includes("-") ? time.split("-") : ["0", time];
  return clock.split(":").reduce((seconds, part) => seconds * 60 + Number(part), 0) + Number(days) * 86_400;
}

async function residentBytes(pid: number): Promise<number> {
  return residentIn(await readFile(`/proc/${pid}/status`, "utf8").catch(() => ""));
}

function residentIn(status: string): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

function cpuOf({ cpuSeconds }: Entry): number {
  return cpuSeconds;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
