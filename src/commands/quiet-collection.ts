// Gives memory back when the gateway has fallen quiet. The engine by itself comes to what a load has left behind after
// ten seconds at the soonest; until then the gateway holds now a third more than it needs, now nothing. What a start has
// left behind it keeps.

import { fullGC } from "bun:jsc";

/** Nothing was asked for so long. */
const QUIET_MS = 250;
/** After a collection it takes this long until all has been given back. */
const SETTLE_MS = 1_500;
/** Quiet for so much longer, it is at rest. */
const REST_MS = 10_000;
/** What makes a collection worth its 10 ms of a quiet moment. */
const WORTH_BYTES = 8 * 1024 * 1024;
/** What makes it worth to forget the compiled code as well, which costs the next call 2 ms. */
const WORTH_CODE_BYTES = 32 * 1024 * 1024;

export class QuietCollection implements Disposable {
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** From a first message until it has been quiet, and what that left behind has gone. */
  #isBusy = false;
  #hasWorked = false;
  /** What the gateway held when it was last quiet. */
  #quietBytes = process.memoryUsage.rss();
  /** What it held without compiled code. */
  #leastBytes = this.#quietBytes;

  constructor() {
    this.#wait(QUIET_MS, () => this.#shrink());
  }

  /** On the path of every message. */
  worked(): void {
    this.#hasWorked = true;
    if (!this.#isBusy) this.#watch();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #watch(): void {
    this.#isBusy = true;
    this.#hasWorked = false;
    this.#wait(QUIET_MS, () => {
      const bytes = process.memoryUsage.rss();
      if (bytes - this.#quietBytes >= WORTH_BYTES) return this.#collect();
      // Some of it is given back later than it was expected to be.
      this.#fallQuiet(Math.min(this.#quietBytes, bytes));
    });
  }

  #collect(): void {
    fullGC();
    this.#wait(SETTLE_MS, () => this.#fallQuiet(process.memoryUsage.rss()));
  }

  #fallQuiet(bytes: number): void {
    this.#isBusy = false;
    this.#quietBytes = bytes;
    this.#wait(REST_MS, () => this.#rest());
  }

  #rest(): void {
    if (process.memoryUsage.rss() - this.#leastBytes >= WORTH_CODE_BYTES) this.#shrink();
  }

  #shrink(): void {
    fullGC();
    Bun.shrink();
    this.#wait(SETTLE_MS, () => {
      this.#quietBytes = process.memoryUsage.rss();
      this.#leastBytes = this.#quietBytes;
    });
  }

  /** Where somebody asks for something meanwhile, the watch begins again. */
  #wait(milliseconds: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#hasWorked) this.#watch();
      else then();
    }, milliseconds).unref();
  }
}
