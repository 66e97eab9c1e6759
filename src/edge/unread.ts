// What waits in our memory for clients that do not read: counted over all of them, and bounded.

import type { Log } from "../log.ts";

/** Two of the largest answers there are; far more than what ever waits for clients that read. */
const MAX_BYTES = 128 * 1024 * 1024;

/** One way to a client. */
export interface WayOut {
  /** Ends it at once: what waits for it is dropped. */
  cutOff(): void;
}

export class Unread {
  readonly #log: Log;
  readonly #maxBytes: number;
  /** Bytes, by the way that they wait for; whose client has read nothing for longest comes first. */
  readonly #waiting = new Map<WayOut, number>();
  #bytes = 0;

  constructor(log: Log, maxBytes = MAX_BYTES) {
    this.#log = log;
    this.#maxBytes = maxBytes;
  }

  /**
   * So many bytes wait for it now; where they are no more than before, its client has read. Where it is too much for all,
   * the one that read last is cut off last.
   */
  note(way: WayOut, bytes: number): void {
    const before = this.#waiting.get(way) ?? 0;
    this.#bytes += bytes - before;
    if (bytes <= before) this.#waiting.delete(way);
    if (bytes > 0) this.#waiting.set(way, bytes);
    if (this.#bytes > this.#maxBytes) this.#makeRoom();
  }

  #makeRoom(): void {
    for (const [way, bytes] of this.#waiting) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#waiting.delete(way);
      this.#bytes -= bytes;
      const megabytes = (bytes / 1024 / 1024).toFixed(1);
      this.#log.warning("cut off a client that does not read: too much waits for it and others", {
        megabytes,
      });
      way.cutOff();
    }
  }
}
