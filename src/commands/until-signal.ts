// Runs until SIGINT or SIGTERM, then ends cleanly within a bounded time. A second signal ends the process at once.

import type { Log } from "../log.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** 128 + SIGINT, as shells have it. */
const INTERRUPTED = 130;
/** After this time everything is given up and children are killed. */
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
