// MCP over Streamable HTTP, our side as the client: every message is a POST, whose response brings what belongs to it
// (2025-03-26 and later, basic/transports). Keeps the session and the revision that the headers carry; knows no handshake.
//
// The wire has no socket of its own that could break, so only its disposal ends it. A server that is down fails the calls,
// each by the SendError of its own POST; `onEnd` comes once, from dispose.

import type { UrlConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import { type Id, isId, isRequest, isResponse, type Message, writeMessage } from "../protocol/jsonrpc.ts";
import { Header, isModern, Method } from "../protocol/mcp.ts";
import { MAX_MESSAGE_LENGTH } from "./http-body.ts";
import type { HttpRequest } from "./http-client.ts";
import { describeRequest, type EndpointOptions, HttpEndpoint } from "./http-endpoint.ts";
import { readRefusal } from "./http-refusal.ts";
import { type HttpResponse, isEventStream, isSuccess, mediaType } from "./http-response.ts";
import { ListenStream } from "./listen-stream.ts";
import { type OpenPost, OpenPosts } from "./open-posts.ts";
import { PostReply, type ReplyWire } from "./post-reply.ts";
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
  /** The longest wait that a server may ask for (Retry-After), once for each message. Default: no wait. */
  readonly maxRetryAfterMs?: number;
  /** The ids of the gateways that a request has passed, for the header. The value may change. */
  readonly via?: (() => string) | undefined;
  /** How long a server may hold back its response to a message that expects no answer. Default: 30 s. */
  readonly unansweredMs?: number;
}

const BOTH_TYPES = "application/json, text/event-stream";
const EVENT_STREAM = "text/event-stream";
/** Arguments that go into headers can differ with every call, and be long. */
const MAX_KNOWN_HEADERS = 100;
const MAX_KEY_LENGTH = 1_000;
/** A server that does not answer the goodbye must not hold up ours. */
const GOODBYE_DEADLINE_MS = 2_000;

export class StreamableHttpTransport implements Transport {
  readonly kind = "http";
  readonly #endpoint: HttpEndpoint;
  readonly #options: HttpStartOptions;
  readonly #posts: OpenPosts;
  readonly #reading: ReplyWire;
  /** Of POSTs in this session, by what each adds to them: the calls of one tool have theirs in common. */
  readonly #headers = new Map<string, Headers>();
  #via: string | undefined;
  /** The newest POST that opens a session. */
  #handshake: OpenPost | undefined;
  #sessionId: string | undefined;
  #revision: string | undefined;
  #listenStream: ListenStream | undefined;
  #end: Promise<void> | undefined;

  private constructor(endpoint: HttpEndpoint, options: HttpStartOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#posts = new OpenPosts(options.unansweredMs);
    const { log, maxMessageLength = MAX_MESSAGE_LENGTH } = options;
    this.#reading = {
      what: describeRequest("POST", endpoint.url),
      log,
      maxMessageLength,
      deliver: (incoming) => this.#deliver(incoming),
      accepted: (post, response) => {
        if (post === this.#handshake) this.#beginSession(response.header(Header.sessionId));
      },
      lose: (id, error) => {
        if (this.#end === undefined) options.events.onLost(id, error);
      },
      finish: (post, isRead) => this.#posts.end(post, isRead),
      mayBeAnsweredElsewhere: () => this.hasSharedChannel,
      canResume: () => this.#canResume,
      resume: (lastEventId, signal) => this.#getStream(lastEventId, signal),
    };
  }

  /** Opens no connection: whether anybody is there shows with the first message. Rejects with StartError. */
  static async start(config: UrlConfig, options: HttpStartOptions): Promise<StreamableHttpTransport> {
    if (options.signal?.aborted) throw new StartError({ reason: "the start was given up", permanent: false });
    return new StreamableHttpTransport(new HttpEndpoint(config, endpointOptions(options)), options);
  }

  /** On the path of every call: no frame of its own waits for the head of the response. */
  send(message: Message, options: SendOptions = {}): Promise<void> {
    if (this.#end !== undefined) {
      return Promise.reject(new SendError("The wire is closed.", { maybeDelivered: false }));
    }
    const isHandshake = isRequest(message) && message.method === Method.initialize;
    if (isHandshake) this.#forgetSession();
    const id = isRequest(message) ? message.id : undefined;
    const post = this.#posts.begin(id, this.#sessionId !== undefined);
    if (isHandshake) this.#handshake = post;
    const headers = this.#postHeaders(options);
    const request: HttpRequest = {
      method: "POST",
      headers,
      body: writeMessage(message),
      signal: post.signal,
      isHarmless: isHarmless(message),
    };
    return this.#endpoint.exchange(request, new PostReply(this.#reading, post));
  }

  abandon(id: Id): void {
    this.#posts.giveUp(id);
  }

  /** An empty revision takes the last one back. */
  negotiated(revision: string): void {
    this.#revision = revision === "" ? undefined : revision;
    this.#headers.clear();
  }

  get hasSharedChannel(): boolean {
    return this.#listenStream?.isOffered ?? false;
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
      deliver: (incoming) => this.#deliverUnasked(incoming),
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#end ??= this.#close();
    return this.#end;
  }

  /** Modern streams have no ids to resume after: a broken one loses its request. */
  get #canResume(): boolean {
    return this.#revision === undefined || !isModern(this.#revision);
  }

  /** Only a response that is an event stream; everything else rejects with SendError. */
  async #getStream(lastEventId: string, signal: AbortSignal): Promise<HttpResponse> {
    const what = describeRequest("GET", this.#endpoint.url);
    const inSession = this.#sessionId !== undefined;
    const response = await this.#endpoint.request({
      method: "GET",
      headers: this.#endpoint.headers({
        accept: EVENT_STREAM,
        ...this.#stateHeaders(),
        ...(lastEventId === "" ? {} : { [Header.lastEventId]: lastEventId }),
      }),
      signal,
    });
    if (!isSuccess(response)) throw await readRefusal(response, what, inSession);
    if (isEventStream(response)) return response;
    response.cancel();
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

  #deliverUnasked(incoming: Incoming): void {
    this.#deliver(incoming);
    const { message } = incoming;
    if (isResponse(message) && isId(message.id)) this.#posts.answeredElsewhere(message.id);
  }

  #postHeaders({ headers: own }: SendOptions): Headers {
    const via = this.#options.via?.();
    if (via !== this.#via) this.#headers.clear();
    this.#via = via;
    const key = own === undefined ? "" : JSON.stringify(own);
    const known = this.#headers.get(key);
    if (known !== undefined) return known;
    const headers = this.#endpoint.headers({
      accept: BOTH_TYPES,
      "content-type": "application/json",
      ...this.#stateHeaders(),
      ...own,
    });
    if (key.length > MAX_KEY_LENGTH) return headers;
    if (this.#headers.size === MAX_KNOWN_HEADERS) this.#headers.clear();
    this.#headers.set(key, headers);
    return headers;
  }

  #beginSession(id: string | undefined): void {
    this.#sessionId = id;
    this.#headers.clear();
  }

  /** A new handshake starts from nothing: the session before it, its revision and its stream are over. */
  #forgetSession(): void {
    this.#beginSession(undefined);
    this.#revision = undefined;
    this.#listenStream?.[Symbol.dispose]();
    this.#listenStream = undefined;
  }

  async #close(): Promise<void> {
    this.#listenStream?.[Symbol.dispose]();
    this.#posts.giveUpAll();
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
        headers: this.#endpoint.headers(this.#stateHeaders()),
        signal,
      });
      response.cancel();
    } catch (error) {
      this.#options.log.debug("the session could not be ended at the server", { error: String(error) });
    }
  }
}

export function endpointOptions({ log, name, maxRetryAfterMs, via }: HttpStartOptions): EndpointOptions {
  const onWait: EndpointOptions["onWait"] = (request, waitMs) =>
    log.info("waiting before a request is sent again, as the server asks", {
      backend: name,
      request,
      waitMs,
    });
  return maxRetryAfterMs === undefined ? { onWait, via } : { maxRetryAfterMs, onWait, via };
}

/** True if the message is harmless when it is sent twice: only a tool call has effects. */
export function isHarmless(message: Message): boolean {
  return !("method" in message) || message.method !== Method.callTool;
}
