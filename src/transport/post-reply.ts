// What one POST brings: messages as JSON or as an event stream, which is resumed where the server allows it (2025-11-25,
// basic/transports, "Resumability and Redelivery"). Knows one exchange; the session and the other streams are not its own.

import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../log.ts";
import { EventStreamParser, TooLargeError } from "../protocol/event-stream.ts";
import { type ErrorObject, type Id, isResponse, type Response as RpcResponse } from "../protocol/jsonrpc.ts";
import { MAX_MESSAGE_LENGTH, readEvents, readText, toIncoming } from "./http-body.ts";
import { isEventStream, mediaType } from "./http-endpoint.ts";
import { errorSaysSessionIsGone, mayPass, quote } from "./http-refusal.ts";
import { type Incoming, SendError } from "./transport.ts";

/** Asks for the rest of a stream. Rejects with SendError. */
type Resume = (lastEventId: string) => Promise<Response>;

/** One POST of ours, as far as reading its reply needs to know it. */
export interface Exchange {
  /** The POST in words, for errors. */
  readonly what: string;
  /** The id of our request; undefined where we sent what needs no answer. */
  readonly id: Id | undefined;
  /** True where the POST named a session, which the server may have lost. */
  readonly inSession: boolean;
  readonly log: Log;
  /** Aborted by whoever no longer wants the reply, and by the reply itself to let go of the response. */
  readonly abort: AbortController;
  readonly maxMessageLength?: number;
  deliver(incoming: Incoming): void;
  /** True while an answer could still come by another way: the stream that the server opens to us. */
  mayBeAnsweredElsewhere(): boolean;
  /** Undefined where this revision has no such thing. */
  readonly resume: Resume | undefined;
}

const DEFAULT_RETRY_MS = 1_000;
const MAX_WAIT_MS = 10 * 60_000;
/** How often in a row resuming may fail; the server's own closing of a stream does not count. */
const MAX_FAILED_RESUMES = 5;
/** How long a response may go on when all that was expected of it has come. */
const LINGER_MS = 1_000;

export class PostReply {
  readonly #exchange: Exchange;
  readonly #maxMessageLength: number;
  #isAnswered = false;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #lastEventId = "";
  #retryMs = DEFAULT_RETRY_MS;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#maxMessageLength = exchange.maxMessageLength ?? MAX_MESSAGE_LENGTH;
  }

  /** Reads to the end. Rejects with SendError where our request will get no answer. */
  async read(response: Response): Promise<void> {
    try {
      if (!this.#isWaiting) this.#lingerOnly();
      if (isEventStream(response)) await this.#readStreams(response);
      else await this.#readJson(response);
    } catch (error) {
      if (this.#exchange.abort.signal.aborted || !this.#isWaiting) return;
      throw error instanceof SendError ? error : this.#lost("broke off before it was complete", error);
    } finally {
      clearTimeout(this.#linger);
    }
  }

  get #isWaiting(): boolean {
    return this.#exchange.id !== undefined && !this.#isAnswered;
  }

  async #readJson(response: Response): Promise<void> {
    const text = await readText(response, this.#maxMessageLength).catch((error: unknown) =>
      this.#refuseTooLarge(error),
    );
    const messages = toIncoming(text, this.#exchange.id);
    for (const incoming of messages ?? []) this.#take(incoming);
    if (!this.#isWaiting) return;
    if (messages !== undefined) throw this.#lost("holds no answer to it");
    if (text !== "") {
      throw this.#lost(`is no JSON-RPC, but ${mediaType(response) || "of no type"}: ${quote(text)}`);
    }
    if (!this.#exchange.mayBeAnsweredElsewhere()) throw this.#lost(`is empty (status ${response.status})`);
  }

  /** Reads a stream and those that continue it, until the answer has come. */
  async #readStreams(first: Response): Promise<void> {
    let stream = first;
    let fruitless = 0;
    while (true) {
      const idBefore = this.#lastEventId;
      const broken = await this.#readStream(stream);
      if (!this.#isWaiting) return;
      const ending = broken === undefined ? "ended without the answer" : "broke off before the answer came";
      if (this.#lastEventId === "" || this.#exchange.resume === undefined) throw this.#lost(ending, broken);
      fruitless = this.#lastEventId === idBefore ? fruitless + 1 : 0;
      stream = await this.#resume(this.#exchange.resume, fruitless, ending);
    }
  }

  /** Returns what the connection broke off with, undefined for a stream that ended. */
  async #readStream(stream: Response): Promise<unknown> {
    const parser = new EventStreamParser({ maxLength: this.#maxMessageLength });
    try {
      await readEvents(stream, parser, ({ event, data }) => this.#takeEvent(event, data));
      return undefined;
    } catch (error) {
      if (error instanceof SendError || this.#exchange.abort.signal.aborted) throw error;
      return error instanceof TooLargeError ? this.#refuseTooLarge(error) : error;
    } finally {
      this.#lastEventId = parser.lastEventId || this.#lastEventId;
      this.#retryMs = parser.retryMs ?? this.#retryMs;
    }
  }

  async #resume(resume: Resume, fruitless: number, ending: string): Promise<Response> {
    const { signal } = this.#exchange.abort;
    // Streams that bring nothing are asked for ever more slowly, whatever the server says.
    let waitMs = Math.max(this.#retryMs, fruitless === 0 ? 0 : Math.min(50 * 2 ** fruitless, 5_000));
    for (let failures = 0; ; waitMs *= 2) {
      await sleep(Math.min(waitMs, MAX_WAIT_MS), undefined, { signal });
      try {
        return await resume(this.#lastEventId);
      } catch (error) {
        if (!(error instanceof SendError) || signal.aborted) throw error;
        failures++;
        if (failures === MAX_FAILED_RESUMES || !mayPass(error)) {
          throw this.#lost(`${ending}, and could not be resumed: ${error.message}`, error);
        }
        this.#exchange.log.debug("a stream could not be resumed yet", { error: error.message });
      }
    }
  }

  #takeEvent(name: string | undefined, data: string): void {
    if (data === "" || (name !== undefined && name !== "message")) return;
    const messages = toIncoming(data, this.#exchange.id);
    if (messages === undefined) {
      this.#exchange.log.warning("skipped an event that is no JSON-RPC", { data: quote(data) });
    }
    for (const incoming of messages ?? []) this.#take(incoming);
  }

  #take(incoming: Incoming): void {
    const { message } = incoming;
    if (!isResponse(message) || !this.#isOurs(message)) return this.#exchange.deliver(incoming);
    if ("error" in message) this.#checkSession(message.error);
    this.#isAnswered = true;
    this.#lingerOnly();
    const { id } = this.#exchange;
    // An error without id comes from a server that could not read the request; here it can belong to no other.
    if (message.id === id || id === undefined || !("error" in message)) this.#exchange.deliver(incoming);
    else this.#exchange.deliver({ message: { ...message, id }, origin: id });
  }

  #isOurs(response: RpcResponse): boolean {
    const { id } = response;
    if (!this.#isWaiting) return false;
    return id === this.#exchange.id || ("error" in response && (id === undefined || id === null));
  }

  /** Nothing more is expected: an orderly server closes now, and for the others we do. */
  #lingerOnly(): void {
    this.#linger = setTimeout(() => this.#exchange.abort.abort(), LINGER_MS);
  }

  #checkSession(error: ErrorObject): void {
    if (!this.#exchange.inSession || !errorSaysSessionIsGone(error)) return;
    const message = `${this.#exchange.what} was answered with the error ${error.code}: ${quote(error.message)}`;
    throw new SendError(message, { maybeDelivered: false, sessionExpired: true });
  }

  #refuseTooLarge(error: unknown): never {
    throw error instanceof TooLargeError ? this.#lost(`holds too much: ${error.message}`, error) : error;
  }

  #lost(what: string, cause?: unknown): SendError {
    const sessionExpired = cause instanceof SendError && cause.sessionExpired;
    return new SendError(`The response to ${this.#exchange.what} ${what}.`, {
      maybeDelivered: true,
      sessionExpired,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
