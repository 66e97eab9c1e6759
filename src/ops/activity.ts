// What is remembered of each backend for `mcp-gateway status`: how its calls went, and what it took while it was awake.

import { residentNow } from "./process-usage.ts";

export interface CallTally {
  total: number;
  /** Without any result: the backend's own JSON-RPC errors and ours. What a client took back is no failure. */
  failed: number;
  /** Results that say that the tool went wrong. */
  toolErrors: number;
}

export class Activity {
  readonly #calls = new Map<string, CallTally>();
  readonly #pids = new Map<string, readonly number[]>();
  readonly #memoryBytes = new Map<string, number>();

  calls(backend: string): CallTally {
    const known = this.#calls.get(backend);
    if (known !== undefined) return known;
    const tally = { total: 0, failed: 0, toolErrors: 0 };
    this.#calls.set(backend, tally);
    return tally;
  }

  /** It is up, with these processes. */
  awake(backend: string, pids: readonly number[]): void {
    this.#pids.set(backend, pids);
  }

  /** Its processes are about to end: the last moment in which its memory can be seen. */
  fallingAsleep(backend: string): void {
    const bytes = (this.#pids.get(backend) ?? []).map(residentNow).filter((known) => known !== undefined);
    if (bytes.length > 0)
      this.#memoryBytes.set(
        backend,
        bytes.reduce((total, part) => total + part, 0),
      );
  }

  tookMemory(backend: string, bytes: number): void {
    this.#memoryBytes.set(backend, bytes);
  }

  /** What it took when it was last looked at. */
  lastMemoryBytes(backend: string): number | undefined {
    return this.#memoryBytes.get(backend);
  }

  forget(backend: string): void {
    for (const map of [this.#calls, this.#pids, this.#memoryBytes]) map.delete(backend);
  }
}
