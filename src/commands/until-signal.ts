// Runs until SIGINT or SIGTERM, ends cleanly and within a bounded time, and obeys at once when asked a second time.

import type { Log } from "../log.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** 128 + SIGINT, as shells have it. */
const INTERRUPTED = 130;
/** Whatever is still going on then is given up; children are killed. */
export const STOP_MS = 14_500;

export async function untilSignal(log: Log, close: () => Promise<void>): Promise<void> {
  const signal = await new Promise<string>((resolve) => {
    for (const name of SIGNALS) process.on(name, () => resolve(name));
  });
  log.info("stopping; a second signal stops at once", { signal });
  for (const name of SIGNALS) {
    process.removeAllListeners(name);
    process.on(name, () => process.exit(INTERRUPTED));
  }
  setTimeout(() => {
    log.error("not everything has ended in time; stopping at once", { seconds: STOP_MS / 1000 });
    process.exit(1);
  }, STOP_MS);
  await close();
  process.exit(0);
}
