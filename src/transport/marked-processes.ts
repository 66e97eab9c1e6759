// Finds the processes that carry the mark of a child. Every process that a child starts inherits its environment, also if it
// leaves the process group (a daemon) or outlives the child. No other process has this mark.

import { readdirSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { startOf } from "./process-identity.ts";

/** The environment variable of a child, inherited by everything that it starts. */
export const MARK = "MCP_GATEWAY_CHILD";

export interface MarkedProcess {
  readonly pid: number;
  readonly group: number;
  readonly mark: string;
}

/** All marked processes whose environment this process may read. Empty on Windows. */
export async function markedProcesses(
  platform: NodeJS.Platform = process.platform,
): Promise<MarkedProcess[]> {
  if (platform === "win32") return [];
  return platform === "linux" ? await inProc() : await inPs();
}

let nextLook: Promise<MarkedProcess[]> | undefined;
let lastLook: Promise<unknown> = Promise.resolve();

/** As `markedProcesses`, but starts after this call. Callers that arrive during a running search share the next one. */
function lookAnew(): Promise<MarkedProcess[]> {
  nextLook ??= lastLook.then(() => {
    nextLook = undefined;
    const look = markedProcesses();
    lastLook = look.catch(() => undefined);
    return look;
  });
  return nextLook;
}

/** The processes with one mark that are to end. */
export class Strays {
  readonly #mark: string;
  #known: readonly MarkedProcess[] = [];

  constructor(mark: string) {
    this.#mark = mark;
  }

  /** Searches again only if all processes found so far are gone. */
  async areGone(): Promise<boolean> {
    if (this.#known.some(({ pid }) => isRunning(pid))) return false;
    await this.#look();
    return this.#known.length === 0;
  }

  async signal(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    await this.#look();
    for (const { pid } of this.#known) sendSignal(pid, signal);
  }

  async #look(): Promise<void> {
    const found = await lookAnew();
    this.#known = found.filter(({ pid, mark }) => mark === this.#mark && pid !== process.pid);
  }
}

/** Kills synchronously, for the last moment of this process. Only on Linux. */
export function killMarked(marks: ReadonlySet<string>): void {
  if (process.platform !== "linux" || marks.size === 0) return;
  for (const name of readdirSync("/proc")) {
    const mark = /^\d+$/.test(name)
      ? markIn(orEmpty(() => readFileSync(`/proc/${name}/environ`, "utf8")))
      : undefined;
    if (mark !== undefined && marks.has(mark) && Number(name) !== process.pid)
      sendSignal(Number(name), "SIGKILL");
  }
}

async function inProc(): Promise<MarkedProcess[]> {
  const found: MarkedProcess[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // It belongs to another user, or has ended.
    const mark = markIn(await readFile(`/proc/${name}/environ`, "utf8").catch(() => ""));
    if (mark === undefined) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    // The fields after the name, which is in brackets and may contain anything: state, parent, group.
    const group = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
    if (group > 1) found.push({ pid: Number(name), group, mark });
  }
  return found;
}

function markIn(environment: string): string | undefined {
  const variable = environment.split("\0").find((text) => text.startsWith(`${MARK}=`));
  return variable?.slice(MARK.length + 1);
}

/** The system hides the environment of protected programs here, so their mark is not found. */
async function inPs(): Promise<MarkedProcess[]> {
  const { stdout } = Bun.spawn(["ps", "axeww", "-o", "pid=,pgid=,command="], {
    env: { LC_ALL: "C", PATH: "/bin:/usr/bin" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const line = new RegExp(String.raw`^ *(\d+) +(\d+) .* ${MARK}=([0-9a-f-]+)(?: |$)`);
  return (await stdout.text()).split("\n").flatMap((text) => {
    const [, pid, group, mark] = line.exec(text) ?? [];
    return Number(group) > 1 && mark !== undefined ? [{ pid: Number(pid), group: Number(group), mark }] : [];
  });
}

function isRunning(pid: number): boolean {
  if (process.platform === "linux") return startOf(pid) !== undefined;
  return sendSignal(pid, 0);
}

function sendSignal(pid: number, signal: "SIGTERM" | "SIGKILL" | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false; // It has ended in the meantime.
  }
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
