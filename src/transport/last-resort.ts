// Children that still run when this process exits without having ended them (a second Ctrl-C, a crash): killed in its
// last moment, with their groups. The orderly end of a child is elsewhere.

import type { Subprocess } from "bun";

const running = new Set<Subprocess>();

/** Ties a child, which must lead its own group, to the life of this process. */
export function endWithUs(child: Subprocess): void {
  if (process.listeners("exit").every((listener) => listener !== killAll)) process.on("exit", killAll);
  running.add(child);
  void child.exited.finally(() => running.delete(child));
}

/** An exit waits for nothing, so nobody is asked first. */
function killAll(): void {
  for (const child of running) {
    try {
      if (process.platform === "win32") child.kill("SIGKILL");
      else process.kill(-child.pid, "SIGKILL");
    } catch {
      // Gone in between.
    }
  }
}
