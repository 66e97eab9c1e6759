// Waits for a condition instead of for a time: looks again and again until it holds or the deadline has passed.

export interface WaitOptions {
  readonly timeoutMs?: number;
  /** Completes the sentence "waited in vain for …". */
  readonly what?: string;
}

/** Resolves to the first value that is neither false, null nor undefined. */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const { timeoutMs = 10_000, what = condition.toString() } = options;
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== null && value !== undefined) {
      return value as NonNullable<Exclude<T, false>>;
    }
    if (performance.now() >= deadlineMs) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await Bun.sleep(5);
  }
}
