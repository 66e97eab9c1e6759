// JSON-RPC calls over one wire to one backend: fresh ids down, the answer up to the one who waits for it.
// Knows neither handshake nor era; who a message belongs to is decided here, from the wire and from nothing else.

import type { Log } from "../../log.ts";
import type { Answer } from "../../protocol/call.ts";
import { GatewayError } from "../../protocol/errors.ts";
import { changed } from "../../protocol/exact.ts";
import {
  errorResponse,
  type Id,
  idIn,
  idValue,
  isId,
  isNotification,
  isObject,
  isRequest,
  isTextId,
  type Json,
  type Notification,
  notification,
  type Request,
  type Response,
  RpcError,
  request,
  resultResponse,
} from "../../protocol/jsonrpc.ts";
import { CLIENT_METHODS, META, Method, Notice } from "../../protocol/mcp.ts";
import {
  type Incoming,
  SendError,
  type Transport,
  type TransportEvents,
  type WireEnd,
} from "../../transport/transport.ts";
import { waitWhile } from "../wait-while.ts";
import { CallTable } from "./call-table.ts";
import type { ConnectionEvents } from "./connection-events.ts";
import type { Habits } from "./habits.ts";
import { Pending, type Waiting } from "./pending.ts";
import { withProgressToken } from "./progress-token.ts";
import { TextIds } from "./text-ids.ts";
import { AskedInVain, callTimeout, describeEnd, refusal } from "./wire-failure.ts";

export interface RequestOptions extends Waiting {
  readonly headers?: Readonly<Record<string, string>>;
}

/** Notifications for subscribers, or for a client that they name: the stream that they came on does not matter. */
const FOR_SUBSCRIBERS: ReadonlySet<string> = new Set([
  Notice.toolsChanged,
  Notice.promptsChanged,
  Notice.resourcesChanged,
  Notice.resourceUpdated,
  Notice.elicitationComplete,
]);

export interface ConnectionOptions {
  readonly name: string;
  readonly log: Log;
  readonly events: ConnectionEvents;
  /** What was learned about this server, in this connection and earlier ones. */
  readonly habits: Habits;
  readonly questionTimeoutMs: number;
}

export class Connection implements AsyncDisposable {
  readonly #name: string;
  readonly #log: Log;
  readonly #events: ConnectionEvents;
  /** Which call a message belongs to, and which calls may run beside which. */
  readonly calls: CallTable;
  /** True where closing a response is itself the cancellation and no message must follow (modern HTTP). */
  cancelsByClosing = false;
  /** The log level that was sent to the server, if any. */
  logLevel: string | undefined;
  #transport: Transport | undefined;
  readonly #onAborted = (pending: Pending) => this.#cancel(pending);
  #lastSent: { readonly sent: Promise<void>; readonly ids: number[] } | undefined;
  /** Absent until an answer arrives whose id is a string. */
  #textIds: TextIds | undefined;
  #end: WireEnd | undefined;
  #isClosing = false;

  private constructor({ name, log, events, habits, questionTimeoutMs }: ConnectionOptions) {
    this.#name = name;
    this.#log = log;
    this.#events = events;
    this.calls = new CallTable({
      name,
      log,
      habits,
      questionTimeoutMs,
      onExpired: (pending) => this.#expire(pending),
      reply: (message) => void this.#sendUnanswered(message),
      askOutsideOfCalls: events.askOutsideOfCalls,
    });
  }

  /** Opens the wire. Rejects with what the transport's start rejects with. */
  static async open(
    options: ConnectionOptions,
    start: (events: TransportEvents) => Promise<Transport>,
  ): Promise<Connection> {
    const connection = new Connection(options);
    const transport = await start({
      onMessage: (incoming) => connection.#receive(incoming),
      onLost: (id, error) => connection.#lose(id, error),
      onEnd: (end) => connection.#finish(end),
    });
    connection.#attach(transport);
    return connection;
  }

  #attach(transport: Transport): void {
    this.#transport = transport;
  }

  get transport(): Transport {
    if (this.#transport === undefined) throw new Error("the connection is not open");
    return this.#transport;
  }

  /** Why the wire is gone; undefined while it lives. */
  get end(): WireEnd | undefined {
    return this.#end;
  }

  get inFlight(): number {
    return this.calls.size;
  }

  /**
   * Sends one request and waits for its answer.
   * Rejects with RpcError (the backend said no), or with GatewayError: call-timeout, call-cancelled, backend-failed,
   * the last with the SendError or WireEnd as its cause.
   */
  request(method: string, params: Json | undefined, options: RequestOptions): Promise<Answer> {
    if (this.#end !== undefined) return Promise.reject(this.#failure(this.#end, false));
    if (options.signal?.aborted) return Promise.reject(this.#cancelled(method));
    const id = this.calls.nextId();
    const asked = request(id, method, params);
    const pending = new Pending(asked, options, this.#onAborted);
    this.calls.begin(pending);
    const hasToken = pending.progressToken !== undefined;
    const message = hasToken ? request(id, method, withProgressToken(params ?? {}, id)) : asked;
    const { headers } = options;
    this.#watch(this.transport.send(message, headers === undefined ? undefined : { headers }), id);
    return pending.answer;
  }

  /** Requests that go out in one piece are refused in one piece: one promise, one watcher. */
  #watch(sent: Promise<void>, id: number): void {
    if (this.#lastSent?.sent === sent) return void this.#lastSent.ids.push(id);
    const ids = [id];
    this.#lastSent = { sent, ids };
    sent.catch((error: unknown) => {
      for (const refused of ids) this.#refused(refused, error);
    });
  }

  /** Sends a notification; one that cannot be delivered is only logged, as nobody waits for it. */
  notify(method: string, params?: Json): Promise<void> {
    return this.#sendUnanswered(notification(method, params));
  }

  /** Resolves when the wire has ended, or after `timeoutMs`. */
  whenEnded(timeoutMs: number): Promise<void> {
    return waitWhile(() => this.#end === undefined, timeoutMs);
  }

  /** Resolves when no request of a client waits any more, or after `timeoutMs`. */
  whenIdle(timeoutMs: number): Promise<void> {
    return waitWhile(() => this.#end === undefined && this.calls.hasOwned(), timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    await this.transport[Symbol.asyncDispose]();
    this.#finish({ reason: "the gateway closed the connection", permanent: false });
  }

  #receive({ message, origin }: Incoming): void {
    if (isRequest(message)) this.#receiveRequest(message, origin);
    else if (isNotification(message)) this.#receiveNotification(message, origin);
    else this.#receiveResponse(message);
  }

  #receiveResponse(response: Response): void {
    if (isTextId(response.id) && this.calls.get(response.id) !== undefined)
      this.#textIds ??= new TextIds((held) => this.#settle(held));
    if (this.#textIds?.mayDeliver(response) !== false) this.#settle(response);
  }

  #settle(response: Response): void {
    const pending = this.calls.answered(response.id);
    if (pending === undefined) {
      this.#log.debug("dropped an answer that nobody waits for", {
        backend: this.#name,
        id: response.id ?? null,
      });
      return;
    }
    const isInVain = this.calls.mayHaveAskedInVain(pending) && pending.listener.mayBeRepeated?.();
    if (isInVain === true) pending.reject(new AskedInVain(this.#name));
    else if ("error" in response) pending.reject(RpcError.from(response.error));
    else pending.resolve({ result: response.result });
  }

  #receiveRequest(message: Request, origin: Id | undefined): void {
    if (message.method === Method.ping) return void this.#sendUnanswered(resultResponse(message.id, {}));
    if (CLIENT_METHODS.has(message.method)) return this.#takeQuestion(message, origin);
    const words = `The gateway cannot pass "${message.method}" on to a client.`;
    void this.#sendUnanswered(errorResponse(message.id, { code: -32601, message: words }));
  }

  #takeQuestion(message: Request, origin: Id | undefined): void {
    if (origin === undefined) return this.calls.askNameless(message);
    const asking = this.calls.get(origin);
    this.calls.put(message, asking === undefined ? [] : [asking]);
  }

  async #sendUnanswered(message: Notification | Response): Promise<void> {
    if (this.#end !== undefined) return;
    try {
      await this.transport.send(message);
    } catch (thrown) {
      this.#log.debug("a message was not delivered", { error: String(thrown) });
    }
  }

  #receiveNotification(message: Notification, origin: Id | undefined): void {
    const { method, params } = message;
    const listen = isObject(params?._meta) ? params._meta[META.subscriptionId] : undefined;
    if (isId(listen)) return this.calls.get(listen)?.listener.onNotification?.(message);
    if (method === Notice.progress) return this.#progress(message);
    if (method === Notice.cancelled) return this.calls.withdraw(idIn(params, "requestId"), params?.reason);
    if (FOR_SUBSCRIBERS.has(method)) return this.#events.onNotification(message);
    if (origin !== undefined) return this.calls.get(origin)?.listener.onNotification?.(message);
    const audience = this.calls.audienceOf(message);
    if (audience === "everybody") this.#events.onNotification(message);
    else if (audience !== "nobody") audience.onNotification?.(message);
  }

  #progress(message: Notification): void {
    const pending = this.calls.get(idIn(message.params, "progressToken"));
    if (pending?.progressToken === undefined) return;
    const { progressToken, listener } = pending;
    this.calls.extend(pending);
    const params = changed(message.params ?? {}, { progressToken: idValue(progressToken) });
    listener.onNotification?.(notification(message.method, params));
  }

  #cancel(pending: Pending): void {
    if (!this.calls.abandon(pending)) return;
    pending.reject(this.#cancelled(pending.method));
    this.#withdraw(pending, "the client cancelled");
  }

  #expire(pending: Pending): void {
    pending.reject(callTimeout(this.#name, pending));
    this.#withdraw(pending, `no answer within ${pending.timeoutMs / 1000} s`);
  }

  /** Tells the backend that nobody waits any more. Requests of the handshake cannot be cancelled (basic/utilities/cancellation). */
  #withdraw({ id, method }: Pending, reason: string): void {
    this.transport.abandon(id);
    if (this.cancelsByClosing || method === Method.initialize || method === Method.discover) return;
    void this.notify(Notice.cancelled, { requestId: id, reason });
  }

  #refused(id: number, thrown: unknown): void {
    const mayHaveArrived = !(thrown instanceof SendError) || thrown.maybeDelivered;
    this.calls.lose(id, mayHaveArrived)?.reject(refusal(this.#name, id, thrown));
  }

  #lose(id: Id, error: SendError): void {
    const failure = new GatewayError("backend-failed", `${this.#name}: ${error.message}`, { cause: error });
    this.calls.lose(id, error.maybeDelivered)?.reject(failure);
  }

  #finish(end: WireEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#textIds?.end();
    for (const pending of this.calls.clear()) pending.reject(this.#cutOff(pending, end));
    this.#events.onEnd(end);
  }

  #cutOff({ method }: Pending, end: WireEnd): GatewayError {
    if (!this.#isClosing) return this.#failure(end, true);
    const words =
      `${this.#name}: the gateway stopped this backend before ${method} was answered. The backend may have done part of ` +
      "the work: check that, and call again in a few seconds.";
    const cause = new SendError(end.reason, { maybeDelivered: true, end });
    return new GatewayError("shutting-down", words, { cause });
  }

  #failure(end: WireEnd, maybeDelivered: boolean): GatewayError {
    const cause = new SendError(end.reason, { maybeDelivered });
    return new GatewayError("backend-failed", describeEnd(this.#name, end), { cause });
  }

  #cancelled(method: string): GatewayError {
    return new GatewayError("call-cancelled", `${this.#name}: ${method} was cancelled by the client.`);
  }
}
