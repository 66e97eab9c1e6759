// Gives memory back when the gateway has come to rest. The engine by itself leaves now a third more than it needs, now
// nothing. Not in the pauses between calls: a collection forgets the shape of every object of which none is in use at
// that moment, and with the shapes the code that was compiled for them.

import { fullGC } from "bun:jsc";

/** Nothing was asked for so long after the start: it is over. */
const STARTED_MS = 250;
/** Hardly anything was asked for so long: nobody is at work. */
const REST_MS = 20_000;
/** So many messages in that time are no work: clients ping. */
const FEW = 10;
/** After a collection it takes this long until all has been given back. */
const SETTLE_MS = 1_500;
/** What makes a collection worth its 10 ms of a quiet moment. */
const WORTH_BYTES = 8 * 1024 * 1024;
/** What makes it worth to forget all compiled code as well, which costs the next call 2 ms. */
const WORTH_CODE_BYTES = 32 * 1024 * 1024;

export class QuietCollection implements Disposable {
  readonly #restMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** From a first message until what it left behind has gone. */
  #isBusy = false;
  /** Since the watch began. */
  #messages = 0;
  /** What the gateway held when it was last at rest. */
  #restBytes = process.memoryUsage.rss();
  /** What it held without compiled code. */
  #leastBytes = this.#restBytes;

  constructor(restMs = REST_MS) {
    this.#restMs = restMs;
    this.#wait(STARTED_MS, () => this.#shrink());
  }

  /** On the path of every message. */
  worked(): void {
    this.#messages += 1;
    if (!this.#isBusy) this.#watch();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #watch(): void {
    this.#isBusy = true;
    this.#wait(this.#restMs, () => {
      const bytes = process.memoryUsage.rss();
      if (bytes - this.#restBytes >= WORTH_BYTES) return this.#collect();
      // Some of it is given back later than it was expected to be.
      this.#settle(Math.min(this.#restBytes, bytes));
    });
  }

  #collect(): void {
    fullGC();
    this.#wait(SETTLE_MS, () => {
      const bytes = process.memoryUsage.rss();
      if (bytes - this.#leastBytes >= WORTH_CODE_BYTES) this.#shrink();
      else this.#settle(bytes);
    });
  }

  #shrink(): void {
    fullGC();
    Bun.shrink();
    this.#wait(SETTLE_MS, () => {
      this.#leastBytes = process.memoryUsage.rss();
      this.#settle(this.#leastBytes);
    });
  }

  #settle(bytes: number): void {
    this.#isBusy = false;
    this.#restBytes = bytes;
  }

  /** Where somebody is at work meanwhile, the watch begins again. */
  #wait(milliseconds: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#messages = 0;
    this.#timer = setTimeout(() => {
      if (this.#messages > FEW) this.#watch();
      else then();
    }, milliseconds).unref();
  }
}
