// For commands that end by themselves: children must not outlive one that its person has had enough of.

export function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => interrupted.abort(new Error("interrupted")));
  }
  return interrupted.signal;
}
