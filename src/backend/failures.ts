// The breaker of one backend: how often it has failed in a row, how long it is left alone, and the words for it.
// A call that succeeds closes it, and so does a run that was long enough to say that nothing is wrong.

import { GatewayError } from "../protocol/errors.ts";
import { SendError } from "../transport/transport.ts";
import { backoffMs, type Failed, type State } from "./state.ts";

/** A process that ran for this long was no part of a crash loop. */
const STABLE_MS = 5 * 60_000;
/** From here on it is called a crash loop. */
const LOOP_ATTEMPTS = 3;
/** The longest wait that a server may ask for (Retry-After). */
const MAX_ASKED_WAIT_MS = 3_600_000;

export class Failures {
  readonly #name: string;
  #attempts = 0;
  #sinceMs = 0;

  constructor(name: string) {
    this.#name = name;
  }

  forget(): void {
    this.#attempts = 0;
  }

  add(error: Error, permanent: boolean, before: State): Failed {
    const nowMs = performance.now();
    if (before.name === "ready" && nowMs - before.sinceMs > STABLE_MS) this.forget();
    this.#attempts += 1;
    if (this.#attempts === 1) this.#sinceMs = Date.now();
    // A server that ran and died once may be started at once; one that keeps dying, or never came up, may not.
    const isFirstCrash = before.name === "ready" && this.#attempts === 1;
    const waitMs = Math.max(backoffMs(this.#attempts), Math.min(askedWaitMs(error), MAX_ASKED_WAIT_MS));
    const retryAtMs = isFirstCrash ? 0 : nowMs + waitMs;
    return {
      name: "failed",
      error,
      permanent,
      attempts: this.#attempts,
      sinceMs: this.#sinceMs,
      retryAtMs,
    };
  }

  /** What the log says of it. */
  describe({ permanent, attempts, sinceMs, retryAtMs }: Failed): string {
    if (permanent) return "failed, and will not be retried until something changes";
    if (attempts < LOOP_ATTEMPTS) return "failed";
    const waitMs = Math.max(0, retryAtMs - performance.now());
    return `keeps failing: ${times(attempts, sinceMs)}; it is left alone for ${seconds(waitMs)}`;
  }

  /** Throws what is known to be wrong, while another attempt would only find the same. */
  throwIfTooEarly({ error, attempts, sinceMs, retryAtMs }: Failed): void {
    const waitMs = retryAtMs - performance.now();
    if (waitMs <= 0) return;
    const when = `${times(attempts, sinceMs)}; the next attempt is possible in ${seconds(waitMs)}`;
    const loop = attempts < LOOP_ATTEMPTS ? "" : `${this.#name} keeps failing and is left alone for now. `;
    throw new GatewayError("backend-failed", `${loop}${error.message}\n(${when})`, { cause: error });
  }
}

/** The wait that the server asked for (Retry-After), from an error or one of its causes. */
function askedWaitMs(error: unknown): number {
  if (error instanceof SendError && error.retryAfterMs !== undefined) return error.retryAfterMs;
  return error instanceof Error && error.cause !== undefined ? askedWaitMs(error.cause) : 0;
}

function times(attempts: number, sinceMs: number): string {
  const since = new Date(sinceMs).toISOString().slice(11, 19);
  return attempts === 1 ? "1 failure" : `${attempts} failures in a row since ${since} UTC`;
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`;
}
