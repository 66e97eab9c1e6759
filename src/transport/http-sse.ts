// MCP over HTTP+SSE (2024-11-05), our side as the client: one GET stream brings everything, the URL that it names first takes
// our POSTs. There is no resuming: a stream that ends is the end of the wire, and a new handshake opens the next one.

import type { UrlConfig } from "../config/config.ts";
import { EventStreamParser, type ServerEvent, TooLargeError } from "../protocol/event-stream.ts";
import { type Id, isId, isRequest, isResponse, type Message, writeMessage } from "../protocol/jsonrpc.ts";
import { Header } from "../protocol/mcp.ts";
import { MAX_MESSAGE_LENGTH, readEvents, toIncoming } from "./http-body.ts";
import { describeRequest, HttpEndpoint } from "./http-endpoint.ts";
import { failureCode } from "./http-failure.ts";
import { quote, readRefusal } from "./http-refusal.ts";
import { type HttpResponse, isEventStream, isSuccess, mediaType } from "./http-response.ts";
import { type OpenPost, OpenPosts } from "./open-posts.ts";
import { endpointOptions, type HttpStartOptions, isHarmless } from "./streamable-http.ts";
import {
  type Incoming,
  SendError,
  type SendOptions,
  StartError,
  type Transport,
  type WireEnd,
} from "./transport.ts";

const CLOSED: WireEnd = { reason: "the gateway closed the connection", permanent: false };

export class HttpSseTransport implements Transport {
  readonly kind = "sse";
  readonly hasSharedChannel = true;
  readonly #endpoint: HttpEndpoint;
  readonly #options: HttpStartOptions;
  readonly #what: string;
  readonly #posts: OpenPosts;
  /** Aborts the stream. */
  readonly #abort = new AbortController();
  readonly #messagesUrl = Promise.withResolvers<URL>();
  #revision: string | undefined;
  #isStarted = false;
  #hasEnded = false;

  private constructor(endpoint: HttpEndpoint, options: HttpStartOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#posts = new OpenPosts(options.unansweredMs);
    this.#what = describeRequest("GET", endpoint.url);
  }

  /** Waits for the server's `endpoint` event; the signal is the only deadline. Rejects with StartError. */
  static async start(config: UrlConfig, options: HttpStartOptions): Promise<HttpSseTransport> {
    const transport = new HttpSseTransport(new HttpEndpoint(config, endpointOptions(options)), options);
    await transport.#start(options.signal);
    return transport;
  }

  async send(message: Message, options: SendOptions = {}): Promise<void> {
    if (this.#hasEnded) throw new SendError("The wire is closed.", { maybeDelivered: false });
    const post = this.#posts.begin(isRequest(message) ? message.id : undefined, true);
    try {
      const response = await this.#post(message, options, post.signal);
      void this.#readReply(response, post);
    } catch (error) {
      this.#posts.end(post, false);
      throw error;
    }
  }

  async #post(message: Message, { headers }: SendOptions, signal: AbortSignal): Promise<HttpResponse> {
    const url = await this.#messagesUrl.promise;
    const response = await this.#endpoint.request({
      method: "POST",
      url,
      headers: this.#endpoint.headers({
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
        ...(this.#revision === undefined ? {} : { [Header.protocolVersion]: this.#revision }),
        ...headers,
      }),
      body: writeMessage(message),
      signal,
      isHarmless: isHarmless(message),
    });
    // The session is in the URL that the server gave us.
    if (!isSuccess(response)) throw await readRefusal(response, describeRequest("POST", url), true);
    return response;
  }

  abandon(id: Id): void {
    this.#posts.giveUp(id);
  }

  negotiated(revision: string): void {
    this.#revision = revision === "" ? undefined : revision;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#finish(CLOSED);
  }

  async #start(signal: AbortSignal | undefined): Promise<void> {
    const giveUp = () => this.#abort.abort();
    if (signal?.aborted) giveUp();
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      const response = await this.#openStream();
      void this.#read(response);
      await this.#messagesUrl.promise;
      if (this.#hasEnded) throw this.#ended("ended at once");
      this.#isStarted = true;
    } catch (error) {
      this.#release();
      throw this.#startError(error);
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  async #openStream(): Promise<HttpResponse> {
    const response = await this.#endpoint.request({
      method: "GET",
      headers: this.#endpoint.headers({ accept: "text/event-stream" }),
      signal: this.#abort.signal,
    });
    if (!isSuccess(response)) throw await readRefusal(response, this.#what, false);
    if (isEventStream(response)) return response;
    const reason = `${this.#what} was answered with ${mediaType(response) || "no type"} and not with an event stream. Check http_url and transport.`;
    throw new StartError({ reason, permanent: false, status: response.status });
  }

  #startError(error: unknown): StartError {
    if (error instanceof StartError) return error;
    const status = error instanceof SendError ? error.status : undefined;
    const reason = error instanceof Error ? error.message : String(error);
    return new StartError(
      { reason, permanent: false, ...(status === undefined ? {} : { status }) },
      { cause: error },
    );
  }

  /** Reads the stream until it ends, and with it the wire. */
  async #read(response: HttpResponse): Promise<void> {
    const maxLength = this.#options.maxMessageLength ?? MAX_MESSAGE_LENGTH;
    let reason = `the event stream of ${this.#what} ended`;
    try {
      await readEvents(response, new EventStreamParser({ maxLength }), (event) => this.#takeEvent(event));
      this.#messagesUrl.reject(this.#ended("ended before the server named its message endpoint"));
    } catch (error) {
      const why = error instanceof TooLargeError ? error.message : failureCode(error);
      reason = `the event stream of ${this.#what} broke off: ${why}`;
      const when = this.#abort.signal.aborted ? "was given up" : `broke off (${why})`;
      const early = this.#ended(`${when} before the server named its message endpoint`);
      this.#messagesUrl.reject(error instanceof StartError ? error : early);
    }
    this.#finish({ reason, permanent: false });
  }

  #ended(how: string): StartError {
    return new StartError({ reason: `the event stream of ${this.#what} ${how}`, permanent: false });
  }

  #takeEvent({ event, data }: ServerEvent): void {
    if (event === "endpoint") return this.#messagesUrl.resolve(this.#resolveEndpoint(data));
    if (data === "" || (event !== undefined && event !== "message")) return;
    const messages = toIncoming(data);
    if (messages === undefined) {
      this.#options.log.warning("skipped an event that is no JSON-RPC", { data: quote(data) });
    }
    for (const incoming of messages ?? []) {
      this.#deliver(incoming);
      const { message } = incoming;
      if (isResponse(message) && isId(message.id)) this.#posts.answeredElsewhere(message.id);
    }
  }

  /** Our POSTs carry our tokens: a server cannot send them elsewhere. */
  #resolveEndpoint(text: string): URL {
    const url = URL.parse(text, this.#endpoint.url.href);
    if (url?.origin === this.#endpoint.url.origin) return url;
    const where = url === null ? "which is no URL" : `at another origin, ${url.origin}`;
    const reason =
      `${this.#what}: the server named a message endpoint ${where}. It was not used, as the headers of this backend ` +
      "must not go there. If the server stands behind a proxy, tell it its public address.";
    throw new StartError({ reason, permanent: false });
  }

  /** Most servers say 202 and answer on the stream; some put the answer right here. */
  async #readReply(response: HttpResponse, post: OpenPost): Promise<void> {
    try {
      if (mediaType(response) !== "application/json") return response.cancel();
      const text = await response.text(this.#options.maxMessageLength ?? MAX_MESSAGE_LENGTH);
      for (const incoming of toIncoming(text, post.id) ?? []) this.#deliver(incoming);
    } catch (error) {
      this.#options.log.debug("the reply to a POST could not be read", { error: String(error) });
    } finally {
      this.#posts.end(post, false);
    }
  }

  #deliver(incoming: Incoming): void {
    if (!this.#hasEnded) this.#options.events.onMessage(incoming);
  }

  #finish(end: WireEnd): void {
    if (this.#hasEnded) return;
    this.#release();
    if (this.#isStarted) this.#options.events.onEnd(end);
  }

  #release(): void {
    this.#hasEnded = true;
    this.#abort.abort();
    this.#posts.giveUpAll();
    this.#endpoint[Symbol.dispose]();
  }
}
