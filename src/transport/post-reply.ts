// What one POST brings: a refusal, or messages as JSON or as an event stream, which is resumed where the server allows it
// (2025-11-25, basic/transports, "Resumability and Redelivery"). Knows one POST; the session and the other streams are not
// its own. On the path of every call, so no promise waits where a call would do.

import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../log.ts";
import { EventStreamParser, TooLargeError } from "../protocol/event-stream.ts";
import {
  type ErrorObject,
  type Id,
  isResponse,
  numberOf,
  type Response as RpcResponse,
} from "../protocol/jsonrpc.ts";
import { readEvents, toIncoming } from "./http-body.ts";
import type { ResponseTaker } from "./http-endpoint.ts";
import { errorSaysSessionIsGone, mayPass, quote, readRefusal } from "./http-refusal.ts";
import { type HttpResponse, isEventStream, isSuccess, mediaType } from "./http-response.ts";
import type { OpenPost } from "./open-posts.ts";
import { type Incoming, SendError } from "./transport.ts";

/** The wire that a reply comes on, the same for all of them. */
export interface ReplyWire {
  /** The POST in words, for errors. */
  readonly what: string;
  readonly log: Log;
  readonly maxMessageLength: number;
  deliver(incoming: Incoming): void;
  /** A server has accepted a POST, in the session that this response names. */
  accepted(post: OpenPost, response: HttpResponse): void;
  /** Our request `id` will get no answer. */
  lose(id: Id, error: SendError): void;
  /** Nothing more will come of this POST; `isRead` where its response has come to its end. */
  finish(post: OpenPost, isRead: boolean): void;
  /** True while an answer could still come by another way: the stream that the server opens to us. */
  mayBeAnsweredElsewhere(): boolean;
  /** False where this revision has no such thing. */
  canResume(): boolean;
  /** Asks for the rest of a stream. Rejects with SendError. */
  resume(lastEventId: string, signal: AbortSignal): Promise<HttpResponse>;
}

const DEFAULT_RETRY_MS = 1_000;
const MAX_WAIT_MS = 10 * 60_000;
/** How often in a row resuming may fail; the server's own closing of a stream does not count. */
const MAX_FAILED_RESUMES = 5;
/** How long a response may go on when all that was expected of it has come. */
const LINGER_MS = 1_000;

export class PostReply implements ResponseTaker<void> {
  readonly #wire: ReplyWire;
  readonly #post: OpenPost;
  #isAnswered = false;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #lastEventId = "";
  #retryMs = DEFAULT_RETRY_MS;

  constructor(wire: ReplyWire, post: OpenPost) {
    this.#wire = wire;
    this.#post = post;
  }

  /**
   * Begins to read to the end; tells the wire where our request will get no answer, and when there is nothing more.
   * Rejects with SendError where the server refused the message.
   */
  take(response: HttpResponse): Promise<void> | undefined {
    if (!isSuccess(response)) return this.#refuse(response);
    this.#wire.accepted(this.#post, response);
    if (!this.#isWaiting) this.#lingerOnly();
    const fail = (error: unknown) => this.#fail(error);
    if (isEventStream(response)) {
      void this.#readStreams(response).then(() => this.#finish(true), fail);
    } else {
      const text = response.text(this.#wire.maxMessageLength);
      if (typeof text === "string") this.#takeWhole(response, text);
      else void text.then((whole) => this.#takeWhole(response, whole), fail);
    }
    return undefined;
  }

  missed(): void {
    this.#finish(false);
  }

  async #refuse(response: HttpResponse): Promise<never> {
    try {
      throw await readRefusal(response, this.#wire.what, this.#post.inSession);
    } finally {
      this.#finish(false);
    }
  }

  #takeWhole(response: HttpResponse, text: string): void {
    try {
      this.#takeText(response, text);
    } catch (error) {
      return this.#fail(error);
    }
    this.#finish(true);
  }

  #fail(error: unknown): void {
    if (this.#isWaiting && !this.#post.signal.aborted) this.#tellLoss(error);
    this.#finish(false);
  }

  #finish(isRead: boolean): void {
    clearTimeout(this.#linger);
    this.#wire.finish(this.#post, isRead);
  }

  #tellLoss(error: unknown): void {
    const { id } = this.#post;
    if (id === undefined) return;
    if (error instanceof SendError) return this.#wire.lose(id, error);
    const isTooLarge = error instanceof TooLargeError;
    const how = isTooLarge ? `holds too much: ${error.message}` : "broke off before it was complete";
    this.#wire.lose(id, this.#lost(how, error));
  }

  get #isWaiting(): boolean {
    return this.#post.id !== undefined && !this.#isAnswered;
  }

  #takeText(response: HttpResponse, text: string): void {
    const messages = toIncoming(text, this.#post.id);
    for (const incoming of messages ?? []) this.#take(incoming);
    if (!this.#isWaiting) return;
    if (messages === undefined && text === "" && this.#wire.mayBeAnsweredElsewhere()) return;
    throw this.#unanswered(response, describeBody(response, text, messages !== undefined));
  }

  /** Reads a stream and those that continue it, until the answer has come. */
  async #readStreams(first: HttpResponse): Promise<void> {
    let stream = first;
    let fruitless = 0;
    while (true) {
      const idBefore = this.#lastEventId;
      const broken = await this.#readStream(stream);
      if (!this.#isWaiting) return;
      const ending = broken === undefined ? "ended without the answer" : "broke off before the answer came";
      if (this.#lastEventId === "" || !this.#wire.canResume()) {
        throw broken === undefined ? this.#unanswered(stream, ending) : this.#lost(ending, broken);
      }
      fruitless = this.#lastEventId === idBefore ? fruitless + 1 : 0;
      stream = await this.#resume(fruitless, ending);
    }
  }

  /** Returns what the connection broke off with, undefined for a stream that ended. */
  async #readStream(stream: HttpResponse): Promise<unknown> {
    const parser = new EventStreamParser({ maxLength: this.#wire.maxMessageLength });
    try {
      await readEvents(stream, parser, ({ event, data }) => this.#takeEvent(event, data));
      return undefined;
    } catch (error) {
      if (error instanceof SendError || this.#post.signal.aborted) throw error;
      if (error instanceof TooLargeError) throw error;
      return error;
    } finally {
      this.#lastEventId = parser.lastEventId || this.#lastEventId;
      this.#retryMs = parser.retryMs ?? this.#retryMs;
    }
  }

  async #resume(fruitless: number, ending: string): Promise<HttpResponse> {
    const { signal } = this.#post;
    // Streams that bring nothing are asked for ever more slowly, whatever the server says.
    let waitMs = Math.max(this.#retryMs, fruitless === 0 ? 0 : Math.min(50 * 2 ** fruitless, 5_000));
    for (let failures = 0; ; waitMs *= 2) {
      await sleep(Math.min(waitMs, MAX_WAIT_MS), undefined, { signal });
      try {
        return await this.#wire.resume(this.#lastEventId, signal);
      } catch (error) {
        if (!(error instanceof SendError) || signal.aborted) throw error;
        failures++;
        if (failures === MAX_FAILED_RESUMES || !mayPass(error)) {
          throw this.#lost(`${ending}, and could not be resumed: ${error.message}`, error);
        }
        this.#wire.log.debug("a stream could not be resumed yet", { error: error.message });
      }
    }
  }

  #takeEvent(name: string | undefined, data: string): void {
    if (data === "" || (name !== undefined && name !== "message")) return;
    const messages = toIncoming(data, this.#post.id);
    if (messages === undefined) {
      this.#wire.log.warning("skipped an event that is no JSON-RPC", { data: quote(data) });
    }
    for (const incoming of messages ?? []) this.#take(incoming);
    if (!this.#isWaiting) this.#lingerOnly();
  }

  #take(incoming: Incoming): void {
    const { message } = incoming;
    if (!isResponse(message) || !this.#isOurs(message)) return this.#wire.deliver(incoming);
    if ("error" in message) this.#checkSession(message.error);
    this.#isAnswered = true;
    const { id } = this.#post;
    // An error without id comes from a server that could not read the request; here it can belong to no other.
    if (message.id === id || id === undefined || !("error" in message)) this.#wire.deliver(incoming);
    else this.#wire.deliver({ message: { ...message, id }, origin: id });
  }

  #isOurs(response: RpcResponse): boolean {
    const { id } = response;
    if (!this.#isWaiting) return false;
    const isSame = id === this.#post.id || (id !== undefined && numberOf(id) === this.#post.id);
    return isSame || ("error" in response && (id === undefined || id === null));
  }

  /** Nothing more is expected: an orderly server closes now, and for the others we do. */
  #lingerOnly(): void {
    this.#linger ??= setTimeout(() => this.#post.giveUp(), LINGER_MS);
  }

  #checkSession(error: ErrorObject): void {
    if (!this.#post.inSession || !errorSaysSessionIsGone(error)) return;
    const message = `${this.#wire.what} was answered with the error ${error.code}: ${quote(error.message)}`;
    throw new SendError(message, { maybeDelivered: false, sessionExpired: true });
  }

  /** The server's response contains no answer. */
  #unanswered({ status }: HttpResponse, what: string): SendError {
    return new SendError(`The response to ${this.#wire.what} ${what}.`, { maybeDelivered: true, status });
  }

  #lost(what: string, cause?: unknown): SendError {
    const sessionExpired = cause instanceof SendError && cause.sessionExpired;
    return new SendError(`The response to ${this.#wire.what} ${what}.`, {
      maybeDelivered: true,
      sessionExpired,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

function describeBody(response: HttpResponse, text: string, isRpc: boolean): string {
  if (isRpc) return "holds no answer to it";
  if (text === "") return `is empty (status ${response.status})`;
  return `is no JSON-RPC, but ${mediaType(response) || "of no type"}: ${quote(text)}`;
}
