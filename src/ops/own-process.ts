// What a gateway that runs as a program arranges with the system for its own process.

import { libc } from "../transport/libc.ts";
import { OrphanReaper } from "./first-process.ts";

/**
 * Keeps backends of the same user from reading the environment and the memory of this process, where secrets are (on Linux;
 * elsewhere the system has no such switch), and reaps orphans if this is the first process of a container.
 */
export async function arrangeOwnProcess(): Promise<Disposable> {
  if (process.platform === "linux") (await libc())?.forbidReading();
  const reaper = await OrphanReaper.start();
  return { [Symbol.dispose]: () => reaper?.[Symbol.dispose]() };
}
