// MCP over Streamable HTTP, our side as the client: every message is a POST, whose response brings what belongs to it
// (2025-03-26 and later, basic/transports). Keeps the session and the revision that the headers carry; knows no handshake.
//
// The wire has no socket of its own that could break, so only its disposal ends it. A server that is down fails the calls,
// each by the SendError of its own POST; `onEnd` comes once, from dispose.

import type { UrlConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import { type Id, isRequest, type Message } from "../protocol/jsonrpc.ts";
import { Header, isModern, Method } from "../protocol/mcp.ts";
import { describeRequest, HttpEndpoint, isEventStream, mediaType } from "./http-endpoint.ts";
import { readRefusal } from "./http-refusal.ts";
import { ListenStream } from "./listen-stream.ts";
import { PostReply } from "./post-reply.ts";
import {
  type Incoming,
  SendError,
  type SendOptions,
  StartError,
  type Transport,
  type TransportEvents,
} from "./transport.ts";

export interface HttpStartOptions {
  readonly name: string;
  readonly log: Log;
  readonly events: TransportEvents;
  /** Ends the attempt to start; it is of no meaning after that. */
  readonly signal?: AbortSignal;
  /** A larger message or event fails the call that it came for. Default: 64 Mi characters. */
  readonly maxMessageLength?: number;
}

const BOTH_TYPES = "application/json, text/event-stream";
const EVENT_STREAM = "text/event-stream";
/** A server that does not answer the goodbye must not hold up ours. */
const GOODBYE_DEADLINE_MS = 2_000;

export class StreamableHttpTransport implements Transport {
  readonly kind = "http";
  readonly #endpoint: HttpEndpoint;
  readonly #options: HttpStartOptions;
  /** What is under way, so that the end of the wire ends it. */
  readonly #open = new Set<AbortController>();
  readonly #byRequest = new Map<Id, AbortController>();
  #sessionId: string | undefined;
  #revision: string | undefined;
  #listenStream: ListenStream | undefined;
  #end: Promise<void> | undefined;

  private constructor(endpoint: HttpEndpoint, options: HttpStartOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
  }

  /** Opens no connection: whether anybody is there shows with the first message. Rejects with StartError. */
  static async start(config: UrlConfig, options: HttpStartOptions): Promise<StreamableHttpTransport> {
    if (options.signal?.aborted) throw new StartError({ reason: "the start was given up", permanent: false });
    return new StreamableHttpTransport(new HttpEndpoint(config), options);
  }

  async send(message: Message, options: SendOptions = {}): Promise<void> {
    if (this.#end !== undefined) throw new SendError("The wire is closed.", { maybeDelivered: false });
    const isHandshake = isRequest(message) && message.method === Method.initialize;
    if (isHandshake) this.#forgetSession();
    const id = isRequest(message) ? message.id : undefined;
    const abort = this.#begin(id);
    try {
      const inSession = this.#sessionId !== undefined;
      const response = await this.#post(message, options, abort.signal);
      if (isHandshake) this.#sessionId = response.headers.get(Header.sessionId) ?? undefined;
      void this.#readReply(response, { id, abort, inSession });
    } catch (error) {
      this.#finish(id, abort);
      throw error;
    }
  }

  abandon(id: Id): void {
    this.#byRequest.get(id)?.abort();
  }

  /** An empty revision takes the last one back. */
  negotiated(revision: string): void {
    this.#revision = revision === "" ? undefined : revision;
  }

  /** Opens the GET stream of a legacy session; where one is open already, it takes its place. */
  openStream(): void {
    this.#listenStream?.[Symbol.dispose]();
    if (this.#end !== undefined || (this.#revision !== undefined && isModern(this.#revision))) return;
    const { log, maxMessageLength } = this.#options;
    this.#listenStream = ListenStream.open({
      log,
      ...(maxMessageLength === undefined ? {} : { maxMessageLength }),
      open: (lastEventId, signal) => this.#getStream(lastEventId, signal),
      deliver: (incoming) => this.#deliver(incoming),
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#end ??= this.#close();
    return this.#end;
  }

  async #post(message: Message, options: SendOptions, signal: AbortSignal): Promise<Response> {
    const headers = {
      accept: BOTH_TYPES,
      "content-type": "application/json",
      ...this.#stateHeaders(),
      ...options.headers,
    };
    const inSession = this.#sessionId !== undefined;
    const response = await this.#endpoint.request({
      method: "POST",
      headers,
      body: JSON.stringify(message),
      signal,
    });
    if (response.ok) return response;
    throw await readRefusal(response, describeRequest("POST", this.#endpoint.url), inSession);
  }

  async #readReply(
    response: Response,
    { id, abort, inSession }: { id: Id | undefined; abort: AbortController; inSession: boolean },
  ): Promise<void> {
    const { log, maxMessageLength, events } = this.#options;
    const reply = new PostReply({
      what: describeRequest("POST", this.#endpoint.url),
      id,
      inSession,
      log,
      abort,
      ...(maxMessageLength === undefined ? {} : { maxMessageLength }),
      deliver: (incoming) => this.#deliver(incoming),
      mayBeAnsweredElsewhere: () => this.#listenStream?.isOpen ?? false,
      resume: this.#canResume ? (lastEventId) => this.#getStream(lastEventId, abort.signal) : undefined,
    });
    try {
      await reply.read(response);
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      if (id !== undefined && this.#end === undefined) events.onLost(id, error);
    } finally {
      this.#finish(id, abort);
    }
  }

  /** Modern streams have no ids to resume after: a broken one loses its request. */
  get #canResume(): boolean {
    return this.#revision === undefined || !isModern(this.#revision);
  }

  /** Only a response that is an event stream; everything else rejects with SendError. */
  async #getStream(lastEventId: string, signal: AbortSignal): Promise<Response> {
    const what = describeRequest("GET", this.#endpoint.url);
    const inSession = this.#sessionId !== undefined;
    const response = await this.#endpoint.request({
      method: "GET",
      headers: {
        accept: EVENT_STREAM,
        ...this.#stateHeaders(),
        ...(lastEventId === "" ? {} : { [Header.lastEventId]: lastEventId }),
      },
      signal,
    });
    if (!response.ok) throw await readRefusal(response, what, inSession);
    if (isEventStream(response)) return response;
    await response.body?.cancel();
    const type = mediaType(response) || "no type";
    throw new SendError(`${what} was answered with ${type} and not with an event stream.`, {
      maybeDelivered: false,
      status: response.status,
    });
  }

  #stateHeaders(): Record<string, string> {
    const headers: Record<string, string> = {};
    if (this.#revision !== undefined) headers[Header.protocolVersion] = this.#revision;
    if (this.#sessionId !== undefined) headers[Header.sessionId] = this.#sessionId;
    return headers;
  }

  #deliver(incoming: Incoming): void {
    if (this.#end === undefined) this.#options.events.onMessage(incoming);
  }

  #begin(id: Id | undefined): AbortController {
    const abort = new AbortController();
    this.#open.add(abort);
    if (id !== undefined) this.#byRequest.set(id, abort);
    return abort;
  }

  #finish(id: Id | undefined, abort: AbortController): void {
    this.#open.delete(abort);
    if (id !== undefined && this.#byRequest.get(id) === abort) this.#byRequest.delete(id);
  }

  /** A new handshake starts from nothing: the session before it, its revision and its stream are over. */
  #forgetSession(): void {
    this.#sessionId = undefined;
    this.#revision = undefined;
    this.#listenStream?.[Symbol.dispose]();
    this.#listenStream = undefined;
  }

  async #close(): Promise<void> {
    this.#listenStream?.[Symbol.dispose]();
    for (const abort of this.#open) abort.abort();
    await this.#sayGoodbye();
    this.#endpoint[Symbol.dispose]();
    this.#options.events.onEnd({ reason: "the gateway closed the connection", permanent: false });
  }

  /** Ends our session, so that the server need not keep it until it expires. Many servers refuse; that is theirs to do. */
  async #sayGoodbye(): Promise<void> {
    if (this.#sessionId === undefined) return;
    const signal = AbortSignal.timeout(GOODBYE_DEADLINE_MS);
    try {
      const response = await this.#endpoint.request({
        method: "DELETE",
        headers: this.#stateHeaders(),
        signal,
      });
      await response.body?.cancel();
    } catch (error) {
      this.#options.log.debug("the session could not be ended at the server", { error: String(error) });
    }
  }
}
