// Runs until SIGINT or SIGTERM, ends cleanly, and obeys at once when asked a second time.

import type { Log } from "../log.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** 128 + SIGINT, as shells have it. */
const INTERRUPTED = 130;

export async function untilSignal(log: Log, close: () => Promise<void>): Promise<void> {
  const signal = await new Promise<string>((resolve) => {
    for (const name of SIGNALS) process.on(name, () => resolve(name));
  });
  log.info("stopping; a second signal stops at once", { signal });
  for (const name of SIGNALS) {
    process.removeAllListeners(name);
    process.on(name, () => process.exit(INTERRUPTED));
  }
  await close();
  process.exit(0);
}
