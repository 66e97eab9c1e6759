// Gives memory back when the gateway has fallen quiet. The engine by itself comes to what a load has left behind after
// ten seconds at the soonest; until then the gateway holds now a third more than it needs, now nothing.

import { fullGC } from "bun:jsc";

/** Nothing was asked for so long. */
const QUIET_MS = 250;
/** After a collection it takes this long until all has been given back. */
const SETTLE_MS = 1_500;
/** Quiet for so much longer, it is at rest. */
const REST_MS = 2_500;
/** What makes a collection worth its 10 ms of a quiet moment. */
const WORTH_BYTES = 8 * 1024 * 1024;
/** What makes it worth to forget the compiled code as well, which costs the next call 2 ms. */
const WORTH_CODE_BYTES = 32 * 1024 * 1024;

export class QuietCollection implements Disposable {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasWorked = false;
  /** What the gateway held before anybody had asked for anything. */
  readonly #freshBytes = process.memoryUsage.rss();
  /** What it held when it last rested. */
  #restingBytes = this.#freshBytes;

  /** On the path of every message. */
  worked(): void {
    this.#hasWorked = true;
    if (this.#timer === undefined) this.#watch();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #watch(): void {
    this.#hasWorked = false;
    this.#wait(QUIET_MS, () => {
      const bytes = process.memoryUsage.rss();
      if (bytes - this.#restingBytes >= WORTH_BYTES) this.#collect();
      // Some of it is given back later than it was expected to be.
      else this.#restingBytes = Math.min(this.#restingBytes, bytes);
    });
  }

  #collect(): void {
    fullGC();
    this.#wait(SETTLE_MS, () => {
      this.#restingBytes = process.memoryUsage.rss();
      if (this.#restingBytes - this.#freshBytes >= WORTH_CODE_BYTES)
        this.#wait(REST_MS, () => this.#shrink());
    });
  }

  #shrink(): void {
    Bun.shrink();
    this.#wait(SETTLE_MS, () => {
      this.#restingBytes = process.memoryUsage.rss();
    });
  }

  /** Where somebody asks for something meanwhile, the watch begins again. */
  #wait(milliseconds: number, then: () => void): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#hasWorked) this.#watch();
      else then();
    }, milliseconds).unref();
  }
}
