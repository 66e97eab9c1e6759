// The children of this process, each from its start until nothing of its group is left. Those that are still here when the
// process exits without having ended them (a second Ctrl-C, a crash) are killed in its last moment, with their groups.

import type { Subprocess } from "bun";

/** In the environment of a child and of whatever it starts: whose they are shows when the child itself is gone. */
export const MARK = "MCP_GATEWAY_CHILD";

export interface HeldChild {
  /** It leads a group of the same number; on Windows, a tree. Undefined while it is being started. */
  readonly pid: number | undefined;
  readonly mark: string;
}

const held = new Map<Subprocess, string>();
const starting = new Set<string>();
const listeners = new Set<() => void>();

/** Ties a child to the life of this process. `start` must make it the leader of its own group, and put its mark on it. */
export function holdChild<Child extends Subprocess>(start: (mark: string) => Child): Child {
  if (process.listeners("exit").every((listener) => listener !== killAll)) process.on("exit", killAll);
  const mark = crypto.randomUUID();
  // Told before there is anything to lose.
  starting.add(mark);
  tell();
  try {
    const child = start(mark);
    held.set(child, mark);
    return child;
  } finally {
    starting.delete(mark);
    tell();
  }
}

/** Nothing of its group is left. */
export function releaseChild(child: Subprocess): void {
  if (held.delete(child)) tell();
}

export function heldChildren(): HeldChild[] {
  return [
    ...[...held].map(([{ pid }, mark]) => ({ pid, mark })),
    ...[...starting].map((mark) => ({ pid: undefined, mark })),
  ];
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
  for (const { pid } of held.keys()) {
    try {
      if (process.platform === "win32") Bun.spawnSync(taskkill(pid, true));
      else process.kill(-pid, "SIGKILL");
    } catch {
      // Gone in between.
    }
  }
}

/** The command line that ends a tree of processes on Windows. */
export function taskkill(pid: number, isForced: boolean): string[] {
  const program = `${process.env.SystemRoot ?? "C:\\Windows"}\\System32\\taskkill.exe`;
  return [program, "/pid", String(pid), "/T", ...(isForced ? ["/F"] : [])];
}
