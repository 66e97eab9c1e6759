// How many calls a backend gets at a time: the others wait in order of arrival, and not too many of them.

import type { BackendConfig } from "../config/config.ts";
import type { Abortable } from "../protocol/cancellation.ts";
import { GatewayError } from "../protocol/errors.ts";

/** More than this in the queue would only time out there. */
const MAX_WAITING = 100;
/** Without a limit of its own a backend is spared only what a flood brings. */
const MAX_RUNNING = 10_000;

export class Admission {
  readonly #config: BackendConfig;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(config: BackendConfig) {
    this.#config = config;
  }

  get isBusy(): boolean {
    return this.#running > 0;
  }

  /**
   * Takes a place: at once where one is free (undefined), else when its turn has come. Whoever came in must `leave`.
   * Rejects with GatewayError where the turn never comes.
   */
  enter(signal: Abortable): Promise<void> | undefined {
    if (this.#isFull) return this.#turn(signal);
    if (this.#running >= MAX_RUNNING) return this.#refuse(`${MAX_RUNNING} calls run`);
    this.#running += 1;
    return undefined;
  }

  /** The place of a call that ends goes to the next one without ever being free. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#running -= 1;
    else next();
  }

  get #isFull(): boolean {
    const { maxConcurrency } = this.#config;
    return maxConcurrency > 0 && this.#running >= maxConcurrency;
  }

  #refuse(why: string): Promise<never> {
    const words = `${this.#config.name} is busy: ${why}. Nothing was sent; try again in some seconds.`;
    return Promise.reject(new GatewayError("backend-busy", words));
  }

  #turn(signal: Abortable): Promise<void> {
    const { name, maxConcurrency, requestTimeoutMs } = this.#config;
    if (this.#waiting.size >= MAX_WAITING) {
      return this.#refuse(`${maxConcurrency} calls run (max_concurrency) and ${MAX_WAITING} wait`);
    }
    return new Promise<void>((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        this.#waiting.delete(enter);
      };
      const enter = () => {
        leave();
        resolve();
      };
      const fail = (error: GatewayError) => {
        leave();
        reject(error);
      };
      const onAbort = () =>
        fail(new GatewayError("call-cancelled", `${name}: the call was cancelled before its turn came.`));
      const timer = setTimeout(() => {
        const words =
          `${name} is busy: the call waited ${requestTimeoutMs / 1000} s for its turn (request_timeout) and was never ` +
          "sent; try again, or raise max_concurrency.";
        fail(new GatewayError("backend-busy", words));
      }, requestTimeoutMs);
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort);
      this.#waiting.add(enter);
    });
  }
}
