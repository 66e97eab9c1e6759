// Waiting for a condition that nothing announces, within a bound. For ends and drains, never on the path of a call.

const POLL_MS = 20;

export async function waitWhile(isTrue: () => boolean, timeoutMs: number): Promise<void> {
  const untilMs = performance.now() + timeoutMs;
  while (isTrue() && performance.now() < untilMs) await Bun.sleep(POLL_MS);
}
