// Reads the bodies of requests as text. The runtime reads a small body. A large body is read in pieces, counted until its
// request is answered, and must make progress.

import type { Holding, MemoryBudget } from "../memory-budget.ts";
import { failure } from "./legacy.ts";

/** Bodies up to this size are not counted: 10,000 of them, the limit for calls, are 160 MB. */
const SMALL_BYTES = 16 * 1024;
/** The time from one progress to the next, and the time for the whole body. */
const PROGRESS_MS = 30_000;
const WHOLE_MS = 120_000;
/** So many bytes must arrive within `PROGRESS_MS`. */
const PROGRESS_BYTES = 64 * 1024;
const RETRY_SECONDS = 5;
/** A body counts twice, because at its end the pieces and the whole are in memory. */
const COPIES = 2;

/** A longer body is decoded in one turn of the event loop, and its message is handled in the next. */
const LONG_WORK = 1024 * 1024;

/** Makes the answer from the whole text. */
export type Answer = (text: string) => Response | Promise<Response>;

/** Sets how long the HTTP server waits for the rest of a request; 0: no limit. */
export interface Timed {
  timeout(request: Request, seconds: number): void;
}

export interface BodyLimits {
  readonly progressMs: number;
  readonly wholeMs: number;
}

export class Bodies {
  readonly #memory: MemoryBudget;
  readonly #limits: BodyLimits;

  constructor(memory: MemoryBudget, limits: Partial<BodyLimits> = {}) {
    this.#memory = memory;
    this.#limits = { progressMs: PROGRESS_MS, wholeMs: WHOLE_MS, ...limits };
  }

  /**
   * Reads the body and answers the request with `answer`. The HTTP server ends the request if a small body does not arrive in
   * time. A large body has deadlines of its own, so the server's limit does not apply to it.
   */
  read(request: Request, server: Timed, answer: Answer): Promise<Response> {
    const length = request.headers.get("content-length");
    const isSmall = length !== null && Number(length) <= SMALL_BYTES;
    if (isSmall || request.body === null) return request.text().then(answer, gone);
    server.timeout(request, 0);
    return this.#readLarge(request.body, answer);
  }

  async #readLarge(stream: ReadableStream<Uint8Array<ArrayBuffer>>, answer: Answer): Promise<Response> {
    using body = new LargeBody(stream, this.#memory, this.#limits);
    const text = await body.text();
    if (text instanceof Response) return text;
    // Decoding takes about as long as parsing.
    if (text.length > LONG_WORK) await new Promise((resolve) => setImmediate(resolve));
    return await answer(text);
  }
}

class LargeBody implements Disposable {
  readonly #reader: ReturnType<typeof readerOf>;
  readonly #memory: MemoryBudget;
  readonly #limits: BodyLimits;
  readonly #ended = Promise.withResolvers<Response>();
  /** Until the body is complete, the budget may end it; afterwards, until the answer, it is only counted. */
  #held: Holding;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #isOver = false;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>, memory: MemoryBudget, limits: BodyLimits) {
    this.#reader = readerOf(stream);
    this.#memory = memory;
    this.#limits = limits;
    this.#held = memory.hold("bodies", { giveUp: () => this.#end(tooMuch()) });
  }

  /** The whole text, or the answer to a body that was given up. */
  text(): Promise<string | Response> {
    return Promise.race([this.#ended.promise, this.#collect().catch(gone)]);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#held[Symbol.dispose]();
  }

  async #collect(): Promise<string | Response> {
    const untilMs = performance.now() + this.#limits.wholeMs;
    let bytes = 0;
    let progress = 0;
    this.#expectMore(untilMs);
    for (let read = await this.#reader.read(); !read.done; read = await this.#reader.read()) {
      bytes += read.value.byteLength;
      this.#chunks.push(read.value);
      if (bytes - progress >= PROGRESS_BYTES) {
        progress = bytes;
        this.#held.progressed();
        this.#expectMore(untilMs);
      }
      if (!this.#held.set(COPIES * bytes)) return this.#end(tooMuch());
    }
    clearTimeout(this.#timer);
    // A body that was given up also reaches this point, without being complete.
    return this.#isOver ? gone() : this.#whole(bytes);
  }

  #whole(bytes: number): Response | Promise<string> {
    this.#held[Symbol.dispose]();
    this.#held = this.#memory.hold("requests");
    if (!this.#held.set(bytes)) return tooMuch();
    // Blob.text removes a byte order mark, as the runtime does for a small body. ASCII is not copied.
    const whole = new Blob(this.#chunks);
    this.#chunks = [];
    return whole.text();
  }

  #expectMore(untilMs: number): void {
    clearTimeout(this.#timer);
    const leftMs = Math.max(0, untilMs - performance.now());
    this.#timer = setTimeout(() => this.#end(tooSlow()), Math.min(this.#limits.progressMs, leftMs));
  }

  #end(response: Response): Response {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#chunks = [];
    this.#ended.resolve(response);
    this.#held[Symbol.dispose]();
    this.#reader.cancel().catch(ignore);
    return response;
  }
}

function readerOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
  return stream.getReader();
}

/** The client has left, or its body was too large and the server has answered 413: nobody reads this response. */
function gone(): Response {
  return new Response(null, { status: 400 });
}

function tooSlow(): Response {
  const message = "The body of the request did not come in time; send it again.";
  return failure(408, { code: -32000, message }, { headers: { connection: "close" } });
}

function tooMuch(): Response {
  const message = `The gateway has reached memory_limit; try again in ${RETRY_SECONDS} s.`;
  const headers = { connection: "close", "retry-after": String(RETRY_SECONDS) };
  return failure(503, { code: -32000, message }, { headers });
}

function ignore(): void {
  // The connection has ended already.
}
