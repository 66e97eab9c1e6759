// Settings of the gateway's own process, if it runs as a program.

import { libc } from "../transport/libc.ts";
import { OrphanReaper } from "./first-process.ts";

/**
 * Forbids backends of the same user to read the environment and memory of this process, which contain secrets (only Linux
 * can do this), and reaps orphans if this is the first process of a container.
 */
export async function arrangeOwnProcess(): Promise<Disposable> {
  if (process.platform === "linux") (await libc())?.forbidReading();
  const reaper = await OrphanReaper.start();
  return { [Symbol.dispose]: () => reaper?.[Symbol.dispose]() };
}
