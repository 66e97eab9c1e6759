// For commands that end by themselves: children must not outlive one that its person has had enough of.

import { STOP_MS } from "./until-signal.ts";

/** 128 + SIGINT, as shells have it. */
const INTERRUPTED = 130;

/** Aborted by the first signal. At the second one, or if the end takes too long, the process exits and kills its children. */
export function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (interrupted.signal.aborted) process.exit(INTERRUPTED);
      setTimeout(() => process.exit(INTERRUPTED), STOP_MS).unref();
      interrupted.abort(new Error("interrupted"));
    });
  }
  return interrupted.signal;
}
