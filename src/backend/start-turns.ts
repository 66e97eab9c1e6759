// Limits how many servers start at the same time only to be listed, by the cores and the free memory of this machine.

import { availableParallelism, freemem } from "node:os";

/** The typical memory of a server in Node.js or Python while it starts. */
const BYTES_EACH = 256 * 1024 * 1024;
const PER_CORE = 2;
/** A start that takes longer (it installs packages, or hangs) frees its place for others. */
const SLOW_MS = 5_000;

export class StartTurns {
  readonly #limit: () => number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limit: () => number = limitOfThisMachine) {
    this.#limit = limit;
  }

  /** Does the work when its turn has come. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limit()) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const { promise: isSlow, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, SLOW_MS);
    const working = work();
    void Promise.race([isSlow, working.then(ignore, ignore)]).then(() => {
      clearTimeout(timer);
      this.#leave();
    });
    return await working;
  }

  /** Passes the place to the next one that waits, or frees it. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}

function ignore(): void {
  return;
}

function limitOfThisMachine(): number {
  return Math.max(1, Math.min(PER_CORE * availableParallelism(), Math.floor(freemem() / BYTES_EACH)));
}
