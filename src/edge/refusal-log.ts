// Logs refused requests, so that people can help a client that is refused. Rate limited, because a refused client may retry
// without end. Never logs the credentials of a request.

import type { Log } from "../log.ts";

const WINDOW_MS = 60_000;
const MAX_LINES = 20;
/** A client chooses these texts. */
const MAX_LENGTH = 120;
/** The reason ends with advice, and may quote a text of the client before it. */
const MAX_WHY_LENGTH = 400;

export interface Refused {
  readonly method: string;
  /** The declared route, not the path: a path may contain secrets of another program. */
  readonly route: string;
  readonly why: string;
  readonly headers: Headers;
  readonly address: string | undefined;
}

export class RefusalLog {
  readonly #log: Log;
  readonly #now: () => number;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #untold = 0;

  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  add({ method, route, why, headers, address }: Refused): void {
    const nowMs = this.#now();
    if (nowMs - this.#windowStartMs >= WINDOW_MS) {
      this.#windowStartMs = nowMs;
      this.#lines = 0;
    }
    if (this.#lines >= MAX_LINES) {
      this.#untold += 1;
      return;
    }
    this.#lines += 1;
    const others = this.#untold === 0 ? {} : { others_not_logged: this.#untold };
    this.#untold = 0;
    const sender = { host: cut(headers.get("host")), origin: cut(headers.get("origin")), address };
    this.#log.warning("refused a request", {
      method,
      route,
      why: why.slice(0, MAX_WHY_LENGTH),
      ...sender,
      ...others,
    });
  }
}

function cut(text: string | null): string | undefined {
  return text === null ? undefined : text.slice(0, MAX_LENGTH);
}
