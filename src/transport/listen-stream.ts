// The GET stream of a legacy session: what the server says unasked. Opened again whenever it ends, for as long as the session
// lives; a server that has no such stream is as good as any. Knows nothing of the POSTs beside it.

import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../log.ts";
import { EventStreamParser, TooLargeError } from "../protocol/event-stream.ts";
import { MAX_MESSAGE_LENGTH, readEvents, toIncoming } from "./http-body.ts";
import { mayPass, quote } from "./http-refusal.ts";
import type { HttpResponse } from "./http-response.ts";
import { type Incoming, SendError } from "./transport.ts";

export interface ListenOptions {
  readonly log: Log;
  readonly maxMessageLength?: number;
  /** GETs the stream, from after the event with this id where there is one. Rejects with SendError. */
  open(lastEventId: string, signal: AbortSignal): Promise<HttpResponse>;
  deliver(incoming: Incoming): void;
}

const DEFAULT_RETRY_MS = 1_000;
const MIN_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;
const MAX_RETRY_MS = 10 * 60_000;
/** A stream that lived this long was a good one, even if nothing was said on it. */
const GOOD_LIFE_MS = 5_000;

export class ListenStream implements Disposable {
  readonly #options: ListenOptions;
  readonly #abort = new AbortController();
  #lastEventId = "";
  #retryMs = DEFAULT_RETRY_MS;
  /** The wait that the server asked for when it refused the last stream. */
  #askedMs = 0;
  #isOffered = true;
  /** The last stream brought something, or lived for long. */
  #wasGood = false;

  private constructor(options: ListenOptions) {
    this.#options = options;
  }

  static open(options: ListenOptions): ListenStream {
    const stream = new ListenStream(options);
    void stream.#run();
    return stream;
  }

  /** True while this stream is open, or the next one is being opened. */
  get isOffered(): boolean {
    return this.#isOffered;
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    let backoffMs = 0;
    while (await this.#listen(signal)) {
      backoffMs = this.#wasGood ? 0 : Math.min(Math.max(2 * backoffMs, MIN_BACKOFF_MS), MAX_BACKOFF_MS);
      const waitMs = Math.max(Math.min(Math.max(this.#retryMs, this.#askedMs), MAX_RETRY_MS), backoffMs);
      await sleep(waitMs, undefined, { signal }).catch(() => {
        // Aborted: the next round ends at once.
      });
    }
  }

  /** Opens the stream once and reads it to its end. False where there is no use in another try. */
  async #listen(signal: AbortSignal): Promise<boolean> {
    const startedAtMs = performance.now();
    this.#wasGood = false;
    this.#askedMs = 0;
    try {
      await this.#read(await this.#options.open(this.#lastEventId, signal));
    } catch (error) {
      if (signal.aborted) return false;
      if (error instanceof SendError && !mayPass(error)) {
        this.#isOffered = false;
        this.#options.log.debug("the server offers no stream of its own", { status: error.status });
        return false;
      }
      if (error instanceof SendError) this.#askedMs = error.retryAfterMs ?? 0;
      if (error instanceof TooLargeError) this.#lastEventId = ""; // Not that one again.
      this.#options.log.debug("the stream for what the server says unasked broke", { error: String(error) });
    }
    this.#wasGood ||= performance.now() - startedAtMs >= GOOD_LIFE_MS;
    return !signal.aborted;
  }

  async #read(response: HttpResponse): Promise<void> {
    const parser = new EventStreamParser({ maxLength: this.#options.maxMessageLength ?? MAX_MESSAGE_LENGTH });
    try {
      await readEvents(response, parser, ({ event, data }) => {
        this.#wasGood = true;
        this.#take(event, data);
      });
    } finally {
      this.#lastEventId = parser.lastEventId || this.#lastEventId;
      this.#retryMs = parser.retryMs ?? this.#retryMs;
    }
  }

  #take(name: string | undefined, data: string): void {
    if (data === "" || (name !== undefined && name !== "message") || this.#abort.signal.aborted) return;
    const messages = toIncoming(data);
    if (messages === undefined) {
      this.#options.log.warning("skipped an event that is no JSON-RPC", { data: quote(data) });
    }
    for (const incoming of messages ?? []) this.#options.deliver(incoming);
  }
}
