// How many calls a backend gets at a time: the others wait in order of arrival, and not too many of them.

import type { BackendConfig } from "../config/config.ts";
import { GatewayError } from "../protocol/errors.ts";

/** More than this in the queue would only time out there. */
const MAX_WAITING = 100;

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

  /** Runs work when its turn has come. Rejects with GatewayError where it never comes, and as the work does. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#isFull) await this.#turn(signal);
    else this.#running += 1;
    try {
      return await work();
    } finally {
      this.#passOn();
    }
  }

  get #isFull(): boolean {
    const { maxConcurrency } = this.#config;
    return maxConcurrency > 0 && this.#running >= maxConcurrency;
  }

  /** The place of a call that ends goes to the next one without ever being free. */
  #passOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#running -= 1;
    else next();
  }

  #turn(signal: AbortSignal): Promise<void> {
    const { name, maxConcurrency, requestTimeoutMs } = this.#config;
    if (this.#waiting.size >= MAX_WAITING) {
      const words =
        `${name} is busy: ${maxConcurrency} calls run (max_concurrency) and ${MAX_WAITING} wait. Nothing was sent; ` +
        "try again in some seconds.";
      return Promise.reject(new GatewayError("backend-busy", words));
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
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(enter);
    });
  }
}
