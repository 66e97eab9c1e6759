// Ends a child with everything that it started: its process group (grandchildren behind wrappers), and marked processes that
// left the group (daemons). A process that has left the group and cleared its environment is not found.

import { readdir, readFile } from "node:fs/promises";
import type { Subprocess } from "bun";
import { jobOf, taskkill } from "./held-children.ts";
import { Strays } from "./marked-processes.ts";

export interface GroupGrace {
  /** How long the child may take to end by itself, after its stdin has ended. */
  readonly exitMs: number;
  /** How long its group may take to obey SIGTERM, and then SIGKILL. */
  readonly killMs: number;
}

const POLL_MS = 20;

/**
 * Waits, then sends SIGTERM, then SIGKILL. The child must lead its own group (`detached`; on Windows its job or tree is used).
 * With a mark, marked processes outside the group end as well.
 * Bounded by the sum of the waits; resolves to false where something could not be ended.
 */
export async function endGroup(
  child: Subprocess,
  mark: string | undefined,
  grace: GroupGrace,
): Promise<boolean> {
  await within(grace.exitMs, child.exited);
  // The leader is gone or deaf. What is left of its group has nobody to talk to.
  const strays = mark === undefined ? undefined : new Strays(mark);
  return await endBySignals(
    grace.killMs,
    async () => (await isGone(child)) && (strays === undefined || (await strays.areGone())),
    async (signal) => {
      await signalChild(child, signal);
      await strays?.signal(signal);
    },
  );
}

/** The same for a group whose leader was started by another process, which is gone. Not on Windows. */
export function endOrphanGroup(group: number, killMs: number): Promise<boolean> {
  return endBySignals(
    killMs,
    () => isGroupGone(group),
    (signal) => signalGroup(group, signal),
  );
}

/** The same for the group of a process that is not our child, and for the processes with its mark. */
export function endStrays(mark: string, killMs: number): Promise<boolean> {
  const strays = new Strays(mark);
  return endBySignals(
    killMs,
    () => strays.areGone(),
    (signal) => strays.signal(signal),
  );
}

async function endBySignals(
  killMs: number,
  isOver: () => Promise<boolean>,
  send: (signal: "SIGTERM" | "SIGKILL") => Promise<void> | void,
): Promise<boolean> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (await isOver()) return true;
    await send(signal);
    if (await holdsWithin(killMs, isOver)) return true;
  }
  return false;
}

/** Waits for `promise`, but no longer than this. A rejection counts as having waited. */
export async function within(timeoutMs: number, promise: Promise<unknown>): Promise<void> {
  const { promise: elapsed, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([promise.catch(() => undefined), elapsed]);
  clearTimeout(timer);
}

async function holdsWithin(timeoutMs: number, condition: () => Promise<boolean>): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() >= deadlineMs) return false;
    await Bun.sleep(POLL_MS);
  }
  return true;
}

async function isGone(child: Subprocess): Promise<boolean> {
  if (child.exitCode === null && child.signalCode === null) return false;
  if (process.platform !== "win32") return await isGroupGone(child.pid);
  // Without a job, the tree can only be found while its root runs. After that it counts as gone.
  return jobOf(child)?.isEmpty() ?? true;
}

async function isGroupGone(group: number): Promise<boolean> {
  if (!canSignal(group)) return true;
  return process.platform === "linux" && !(await hasLiveMember(group));
}

/** False also where the group may not be signalled by us: then waiting for it is of no use. */
function canSignal(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

/** Dead orphans stay in their group until init reaps them, which in a container can be late or never. */
async function hasLiveMember(group: number): Promise<boolean> {
  const entries = await readdir("/proc").catch(() => undefined);
  if (entries === undefined) return true;
  for (const entry of entries) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, "utf8").catch(() => "");
    // After the name, which is in brackets and may hold anything: state, parent, group.
    const [state, , groupOfEntry] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (groupOfEntry === String(group) && state !== "Z" && state !== "X") return true;
  }
  return false;
}

async function signalChild(child: Subprocess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  const job = jobOf(child);
  if (job !== undefined) job.terminate();
  else if (process.platform === "win32") await killTree(child, signal === "SIGKILL");
  else signalGroup(child.pid, signal);
}

function signalGroup(group: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(-group, signal);
  } catch {
    // Gone in between.
  }
}

async function killTree(child: Subprocess, isForced: boolean): Promise<void> {
  try {
    const words = taskkill(child.pid, isForced);
    await Bun.spawn(words, { stdout: "ignore", stderr: "ignore", windowsHide: true }).exited;
  } catch {
    child.kill(); // Without taskkill the root is better than nothing.
  }
}
