// The children of this process, each from its start until nothing of its group is left. Those that are still here when the
// process exits without having ended them (a second Ctrl-C, a crash) are killed in its last moment, with their groups.

import type { Subprocess } from "bun";
import { killMarked } from "./marked-processes.ts";
import { type Job, openJob } from "./windows-job.ts";

export interface HeldChild {
  /** It leads a group of the same number; on Windows, a tree. Undefined while it is being started. */
  readonly pid: number | undefined;
  /** The mark in the environment of the child and of everything that it starts. */
  readonly mark: string;
  /** True if processes that left its group outlive the child (`keep_detached`). */
  readonly keepsDetached: boolean;
}

type Holding = Omit<HeldChild, "pid">;

interface Held extends Holding {
  /** On Windows, if the system made one: the Job Object of the child and of everything that it started. */
  readonly job: Job | undefined;
}

const held = new Map<Subprocess, Held>();
const starting = new Set<Holding>();
const listeners = new Set<() => void>();

/** Ties a child to the life of this process. `start` must make it the leader of its own group, and put its mark on it. */
export function holdChild<Child extends Subprocess>(
  start: (mark: string) => Child,
  keepsDetached = false,
): Child {
  if (process.listeners("exit").every((listener) => listener !== killAll)) process.on("exit", killAll);
  const holding = { mark: crypto.randomUUID(), keepsDetached };
  // Told before there is anything to lose.
  starting.add(holding);
  tell();
  try {
    const child = start(holding.mark);
    // A job ends all its processes, so a child whose detached processes are kept gets none.
    held.set(child, { ...holding, job: keepsDetached ? undefined : openJob(child.pid) });
    return child;
  } finally {
    starting.delete(holding);
    tell();
  }
}

/** Nothing of its group is left. */
export function releaseChild(child: Subprocess): void {
  held.get(child)?.job?.close();
  if (held.delete(child)) tell();
}

/** The job of this child; undefined if it has none. */
export function jobOf(child: Subprocess): Job | undefined {
  return held.get(child)?.job;
}

export function heldChildren(): HeldChild[] {
  return [
    ...[...held].map(([{ pid }, { mark, keepsDetached }]) => ({ pid, mark, keepsDetached })),
    ...[...starting].map((holding) => ({ pid: undefined, ...holding })),
  ];
}

/** The mark by which processes that left the child's group are found; undefined if they are kept. */
export function strayMarkOf(child: Subprocess): string | undefined {
  const holding = held.get(child);
  return holding?.keepsDetached === false ? holding.mark : undefined;
}

/** Tells of every change before anything else can happen: whoever writes it down must be quicker than a crash. */
export function onHeldChildrenChanged(listener: () => void): Disposable {
  listeners.add(listener);
  return { [Symbol.dispose]: () => void listeners.delete(listener) };
}

function tell(): void {
  for (const listener of listeners) listener();
}

/** An exit waits for nothing, so nobody is asked first. */
function killAll(): void {
  for (const [{ pid }, { job }] of held) {
    try {
      if (job !== undefined) job.terminate();
      else if (process.platform === "win32") Bun.spawnSync(taskkill(pid, true));
      else process.kill(-pid, "SIGKILL");
    } catch {
      // Gone in between.
    }
  }
  killMarked(new Set([...held.values()].flatMap(({ mark, keepsDetached }) => (keepsDetached ? [] : [mark]))));
}

/** The command line that ends a tree of processes on Windows. */
export function taskkill(pid: number, isForced: boolean): string[] {
  const program = `${process.env.SystemRoot ?? "C:\\Windows"}\\System32\\taskkill.exe`;
  return [program, "/pid", String(pid), "/T", ...(isForced ? ["/F"] : [])];
}
