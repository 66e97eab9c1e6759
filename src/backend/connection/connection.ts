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
import { BackendQuestions } from "./backend-questions.ts";
import type { ConnectionEvents } from "./connection-events.ts";
import { Pending, PendingCalls, type Waiting } from "./pending.ts";
import { withProgressToken } from "./progress-token.ts";
import { AskedInVain, callTimeout, describeEnd, refusal } from "./wire-failure.ts";

export interface RequestOptions extends Waiting {
  readonly headers?: Readonly<Record<string, string>>;
}

/** Notifications that are for everybody who subscribed, whatever stream they came on. */
const FOR_SUBSCRIBERS: ReadonlySet<string> = new Set([
  Notice.toolsChanged,
  Notice.promptsChanged,
  Notice.resourcesChanged,
  Notice.resourceUpdated,
]);

export class Connection implements AsyncDisposable {
  readonly #name: string;
  readonly #log: Log;
  readonly #events: ConnectionEvents;
  readonly #pending: PendingCalls;
  readonly #questions: BackendQuestions;
  /** True where closing a response is itself the cancellation and no message must follow (modern HTTP). */
  cancelsByClosing = false;
  #transport: Transport | undefined;
  readonly #onAborted = (pending: Pending) => this.#cancel(pending);
  #lastSent: { readonly sent: Promise<void>; readonly ids: number[] } | undefined;
  #end: WireEnd | undefined;

  private constructor(name: string, log: Log, events: ConnectionEvents) {
    this.#name = name;
    this.#log = log;
    this.#events = events;
    this.#pending = new PendingCalls((pending) => this.#expire(pending));
    this.#questions = new BackendQuestions({
      pending: this.#pending,
      reply: (message) => void this.#sendUnanswered(message),
      askOutsideOfCalls: events.askOutsideOfCalls,
    });
  }

  /** Opens the wire. Rejects with what the transport's start rejects with. */
  static async open(
    options: { name: string; log: Log; events: ConnectionEvents },
    start: (events: TransportEvents) => Promise<Transport>,
  ): Promise<Connection> {
    const connection = new Connection(options.name, options.log, options.events);
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
    return this.#pending.size;
  }

  /**
   * Sends one request and waits for its answer.
   * Rejects with RpcError (the backend said no), or with GatewayError: call-timeout, call-cancelled, backend-failed,
   * the last with the SendError or WireEnd as its cause.
   */
  request(method: string, params: Json | undefined, options: RequestOptions): Promise<Answer> {
    if (this.#end !== undefined) return Promise.reject(this.#failure(this.#end, false));
    if (options.signal?.aborted) return Promise.reject(this.#cancelled(method));
    const id = this.#pending.nextId();
    const asked = request(id, method, params);
    const pending = new Pending(asked, options, this.#onAborted);
    this.#pending.add(pending);
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
    return waitWhile(() => this.#end === undefined && this.#pending.hasOwned(), timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport[Symbol.asyncDispose]();
    this.#finish({ reason: "the gateway closed the connection", permanent: false });
  }

  #receive({ message, origin }: Incoming): void {
    if (isRequest(message)) this.#receiveRequest(message, origin);
    else if (isNotification(message)) this.#receiveNotification(message, origin);
    else this.#receiveResponse(message);
  }

  #receiveResponse(response: Response): void {
    const pending = this.#pending.take(response.id ?? undefined);
    if (pending === undefined) {
      this.#pending.layToRest(response.id ?? undefined);
      this.#questions.review();
      this.#log.debug("dropped an answer that nobody waits for", {
        backend: this.#name,
        id: response.id ?? null,
      });
      return;
    }
    const isInVain = this.#questions.mayHaveRefused(pending) && pending.listener.mayBeRepeated?.();
    if (isInVain === true) pending.reject(new AskedInVain(this.#name));
    else if ("error" in response) pending.reject(RpcError.from(response.error));
    else pending.resolve({ result: response.result });
    this.#questions.review();
  }

  #receiveRequest(message: Request, origin: Id | undefined): void {
    if (message.method === Method.ping) return void this.#sendUnanswered(resultResponse(message.id, {}));
    if (CLIENT_METHODS.has(message.method)) return this.#takeQuestion(message, origin);
    const words = `The gateway cannot pass "${message.method}" on to a client.`;
    void this.#sendUnanswered(errorResponse(message.id, { code: -32601, message: words }));
  }

  #takeQuestion(message: Request, origin: Id | undefined): void {
    if (origin !== undefined) return this.#questions.put(message, this.#pending.get(origin));
    this.#events.onSharedQuestion(message.method);
    this.#questions.putToSoleOwner(message);
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
    if (isId(listen)) return this.#pending.get(listen)?.listener.onNotification?.(message);
    if (method === Notice.progress) return this.#progress(message);
    if (method === Notice.cancelled)
      return this.#questions.withdraw(idIn(params, "requestId"), params?.reason);
    if (FOR_SUBSCRIBERS.has(method)) return this.#events.onNotification(message);
    if (origin !== undefined) return this.#pending.get(origin)?.listener.onNotification?.(message);
    if (method === Notice.message) this.#events.onSharedLog();
    const owner = this.#pending.soleOwner();
    if (owner !== undefined) owner.listener.onNotification?.(message);
    else if (this.#pending.size === 0) this.#events.onNotification(message);
    else this.#log.debug("dropped a notification that may be any client's", { backend: this.#name, method });
  }

  #progress(message: Notification): void {
    const token = message.params?.progressToken;
    const pending = this.#pending.get(isId(token) ? token : undefined);
    if (pending?.progressToken === undefined) return;
    const { progressToken, listener } = pending;
    this.#pending.extend(pending);
    const params = changed(message.params ?? {}, { progressToken: idValue(progressToken) });
    listener.onNotification?.(notification(message.method, params));
  }

  #cancel({ id, method }: Pending): void {
    const pending = this.#pending.take(id);
    if (pending === undefined) return;
    pending.reject(this.#cancelled(method));
    this.#withdraw(pending, "the client cancelled");
  }

  #expire(pending: Pending): void {
    pending.reject(callTimeout(this.#name, pending));
    this.#withdraw(pending, `no answer within ${pending.timeoutMs / 1000} s`);
  }

  /** Tells the backend that nobody waits any more. `initialize` cannot be cancelled (basic/utilities/cancellation). */
  #withdraw(pending: Pending, reason: string): void {
    this.transport.abandon(pending.id);
    this.#pending.haunt(pending);
    if (pending.method !== Method.initialize && !this.cancelsByClosing) {
      void this.notify(Notice.cancelled, { requestId: pending.id, reason });
    }
    this.#questions.review();
  }

  #refused(id: number, thrown: unknown): void {
    const pending = this.#pending.take(id);
    if (pending === undefined) return;
    pending.reject(refusal(this.#name, id, thrown));
    this.#questions.review();
  }

  #lose(id: Id, error: SendError): void {
    const pending = this.#pending.take(id);
    if (pending === undefined) return;
    pending.reject(new GatewayError("backend-failed", `${this.#name}: ${error.message}`, { cause: error }));
    this.#questions.review();
  }

  #finish(end: WireEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#questions.clear();
    for (const pending of this.#pending.takeAll()) pending.reject(this.#failure(end, true));
    this.#events.onEnd(end);
  }

  #failure(end: WireEnd, maybeDelivered: boolean): GatewayError {
    const cause = new SendError(end.reason, { maybeDelivered });
    return new GatewayError("backend-failed", describeEnd(this.#name, end), { cause });
  }

  #cancelled(method: string): GatewayError {
    return new GatewayError("call-cancelled", `${this.#name}: ${method} was cancelled by the client.`);
  }
}
