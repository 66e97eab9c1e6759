// Which process it is: a number is given to another one sooner or later, a number with a start time is not.

import { readFileSync, readlinkSync } from "node:fs";

/**
 * When a process started, in a form that only equals itself; undefined where there is no such process, or no way to know
 * (Windows).
 */
export function startOf(pid: number, platform: NodeJS.Platform = process.platform): string | undefined {
  if (platform === "win32") return undefined;
  return platform === "linux" ? startInProc(pid) : startInPs(pid);
}

/** In ticks since the machine was started. The dead that nobody has reaped are no processes any more. */
function startInProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name stands in brackets and may hold anything; the state follows it, and the start is 19 fields later.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function startInPs(pid: number): string | undefined {
  const { success, stdout } = Bun.spawnSync(["ps", "-o", "lstart=", "-p", String(pid)], {
    env: { LC_ALL: "C", PATH: "/bin:/usr/bin" },
  });
  const start = stdout.toString().trim();
  return success && start !== "" ? start : undefined;
}

/** Where process numbers and start times are comparable: this run of this machine, and within it this container. */
export interface Place {
  readonly boot: string;
  readonly namespace: string;
}

/** Elsewhere than on Linux, start times are dates, and need no more. */
export function placeOfProcesses(): Place {
  if (process.platform !== "linux") return { boot: "", namespace: "" };
  return {
    boot: orEmpty(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    namespace: orEmpty(() => readlinkSync("/proc/self/ns/pid")),
  };
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
