// For commands that end by themselves: children must not outlive one that its person has had enough of.

/** 128 + SIGINT, as shells have it. */
const INTERRUPTED = 130;

/** Aborted by the first signal; at the second the process exits at once, and takes its children along. */
export function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (interrupted.signal.aborted) process.exit(INTERRUPTED);
      interrupted.abort(new Error("interrupted"));
    });
  }
  return interrupted.signal;
}
