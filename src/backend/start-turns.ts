// How many servers are started at a time only to be listed: as many as this machine can bear, one after the other.

import { availableParallelism, freemem } from "node:os";

/** What a server in Node.js or Python takes while it starts, more often than not. */
const BYTES_EACH = 256 * 1024 * 1024;
const PER_CORE = 2;
/** A start that takes longer (it installs packages, or hangs) keeps nobody else waiting. */
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

  /** The place goes to the next one without ever being free. */
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
