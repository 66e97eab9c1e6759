// The children of this process, each from its start until nothing of its group is left. Those that are still here when the
// process exits without having ended them (a second Ctrl-C, a crash) are killed in its last moment, with their groups.

import type { Subprocess } from "bun";

const held = new Set<Subprocess>();
const listeners = new Set<() => void>();

/** Ties a child, which must lead its own group, to the life of this process. */
export function holdChild(child: Subprocess): void {
  if (process.listeners("exit").every((listener) => listener !== killAll)) process.on("exit", killAll);
  held.add(child);
  for (const listener of listeners) listener();
}

/** Nothing of its group is left. */
export function releaseChild(child: Subprocess): void {
  if (!held.delete(child)) return;
  for (const listener of listeners) listener();
}

/** Each leads a group of the same number; on Windows, a tree. */
export function heldChildren(): number[] {
  return [...held].map(({ pid }) => pid);
}

/** Tells of every change before anything else can happen: whoever writes it down must be quicker than a crash. */
export function onHeldChildrenChanged(listener: () => void): Disposable {
  listeners.add(listener);
  return { [Symbol.dispose]: () => void listeners.delete(listener) };
}

/** An exit waits for nothing, so nobody is asked first. */
function killAll(): void {
  for (const { pid } of held) {
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
