// JSON-RPC calls over one wire to one backend: fresh ids down, the answer up to the one who waits for it.
// Knows neither handshake nor era; who a message belongs to is decided here, from the wire and from nothing else.

import type { Log } from "../log.ts";
import type { Answer, Question } from "../protocol/call.ts";
import { GatewayError } from "../protocol/errors.ts";
import {
  errorResponse,
  type Id,
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
  toMessage,
} from "../protocol/jsonrpc.ts";
import { CLIENT_METHODS, META, Method, Notice } from "../protocol/mcp.ts";
import {
  type Incoming,
  SendError,
  type Transport,
  type TransportEvents,
  type WireEnd,
} from "../transport/transport.ts";
import { resultText } from "./answer-text.ts";
import { type Pending, PendingCalls } from "./pending.ts";
import { UnclaimedQuestions } from "./unclaimed-questions.ts";

/** Puts a backend's question to the client that it belongs to. */
export type Ask = (question: Question, signal: AbortSignal) => Promise<Json>;

export interface RequestOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly owner?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly onNotification?: (notification: Notification) => void;
  readonly onQuestion?: Ask;
}

export interface ConnectionEvents {
  /** What belongs to no single call: list changes, resource updates, log lines of nobody. */
  onNotification(notification: Notification): void;
  /** The backend put a question on a wire that does not say to which call it belongs. */
  onSharedQuestion(): void;
  /** A log line came on a wire that does not say to which call it belongs. */
  onSharedLog(): void;
  onEnd(end: WireEnd): void;
}

const IDLE_POLL_MS = 20;

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
  readonly #unclaimed: UnclaimedQuestions;
  /** Questions of the backend that somebody is answering, by the backend's id. */
  readonly #answering = new Map<Id, AbortController>();
  /** True where closing a response is itself the cancellation and no message must follow (modern HTTP). */
  cancelsByClosing = false;
  #transport: Transport | undefined;
  #nextId = 1;
  #end: WireEnd | undefined;

  private constructor(name: string, log: Log, events: ConnectionEvents) {
    this.#name = name;
    this.#log = log;
    this.#events = events;
    this.#pending = new PendingCalls((pending) => this.#expire(pending));
    this.#unclaimed = new UnclaimedQuestions(
      () => this.#pending.values(),
      (question, owner) => this.#answer(question, owner),
    );
  }

  /** Opens the wire. Rejects with what the transport's start rejects with. */
  static async open(
    options: { name: string; log: Log; events: ConnectionEvents },
    start: (events: TransportEvents) => Promise<Transport>,
  ): Promise<Connection> {
    const connection = new Connection(options.name, options.log, options.events);
    connection.#transport = await start({
      onMessage: (incoming) => connection.#receive(incoming),
      onLost: (id, error) => connection.#lose(id, error),
      onEnd: (end) => connection.#finish(end),
    });
    return connection;
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
    const id = this.#nextId++;
    return new Promise<Answer>((resolve, reject) => {
      const { signal } = options;
      const onAbort = () => this.#cancel(id, reject);
      signal?.addEventListener("abort", onAbort, { once: true });
      const settled = () => signal?.removeEventListener("abort", onAbort);
      const token = params === undefined ? undefined : progressTokenOf(params);
      this.#pending.add({
        id,
        method,
        owner: options.owner,
        progressToken: token,
        timeoutMs: options.timeoutMs,
        deadlineMs: options.timeoutMs > 0 ? Date.now() + options.timeoutMs : Number.POSITIVE_INFINITY,
        onNotification: options.onNotification,
        onQuestion: options.onQuestion,
        resolve: (answer) => {
          settled();
          resolve(answer);
        },
        reject: (reason) => {
          settled();
          reject(reason);
        },
      });
      const sent = token === undefined ? params : withProgressToken(params ?? {}, id);
      this.transport
        .send(
          request(id, method, sent),
          options.headers === undefined ? undefined : { headers: options.headers },
        )
        .catch((error: unknown) => this.#refused(id, error));
    });
  }

  /** Sends a notification; one that cannot be delivered is only logged, as nobody waits for it. */
  async notify(method: string, params?: Json): Promise<void> {
    if (this.#end !== undefined) return;
    try {
      await this.transport.send(notification(method, params));
    } catch (thrown) {
      this.#log.debug("a notification was not delivered", { method, error: String(thrown) });
    }
  }

  /** Resolves when no request of a client waits any more, or after `timeoutMs`. */
  async whenIdle(timeoutMs: number): Promise<void> {
    const untilMs = Date.now() + timeoutMs;
    while (this.#end === undefined && Date.now() < untilMs && this.#pending.hasOwned())
      await Bun.sleep(IDLE_POLL_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport[Symbol.asyncDispose]();
    this.#finish({ reason: "the gateway closed the connection", permanent: false });
  }

  #receive({ message, text, origin }: Incoming): void {
    if (isRequest(message)) this.#receiveRequest(message, origin);
    else if (isNotification(message)) this.#receiveNotification(message, origin);
    else this.#receiveResponse(message, text);
  }

  #receiveResponse(response: Response, text: string | undefined): void {
    const pending = this.#pending.take(response.id ?? undefined);
    if (pending === undefined) {
      this.#log.debug("dropped an answer that nobody waits for", {
        backend: this.#name,
        id: response.id ?? null,
      });
      return;
    }
    if ("error" in response) pending.reject(RpcError.from(response.error));
    else pending.resolve(answerOf(response.result, text, pending.id));
    this.#unclaimed.review();
  }

  #receiveRequest(message: Request, origin: Id | undefined): void {
    if (message.method === Method.ping) return this.#reply(resultResponse(message.id, {}));
    if (!CLIENT_METHODS.has(message.method)) {
      const error = { code: -32601, message: `The gateway cannot pass "${message.method}" on to a client.` };
      return this.#reply(errorResponse(message.id, error));
    }
    if (origin !== undefined) return this.#answer(message, this.#pending.get(origin));
    this.#events.onSharedQuestion();
    this.#unclaimed.add(message);
  }

  /** Lets the owner answer; without one the backend is told so, at once. */
  #answer(question: Request, owner: Pending | undefined): void {
    if (owner?.onQuestion === undefined) {
      const why = "The gateway cannot tell which client this question is for, so it asked none.";
      return this.#reply(errorResponse(question.id, { code: -32603, message: why }));
    }
    const abort = new AbortController();
    this.#answering.set(question.id, abort);
    // A call that waits for a person is not late.
    owner.deadlineMs = Number.POSITIVE_INFINITY;
    const { method, params } = question;
    owner
      .onQuestion(params === undefined ? { method } : { method, params }, abort.signal)
      .then(
        (result) => resultResponse(question.id, result),
        (thrown: unknown) =>
          errorResponse(
            question.id,
            thrown instanceof RpcError
              ? thrown.toObject()
              : { code: -32603, message: "The client gave no answer." },
          ),
      )
      .then((response) => {
        this.#answering.delete(question.id);
        this.#pending.extend(owner);
        if (!abort.signal.aborted) this.#reply(response);
      });
  }

  #reply(response: Response): void {
    if (this.#end !== undefined) return;
    this.transport.send(response).catch((error: unknown) => {
      this.#log.debug("an answer to the backend was not delivered", {
        backend: this.#name,
        error: String(error),
      });
    });
  }

  #receiveNotification(message: Notification, origin: Id | undefined): void {
    const { method, params } = message;
    const listen = isObject(params?._meta) ? params._meta[META.subscriptionId] : undefined;
    if (isId(listen)) return this.#pending.get(listen)?.onNotification?.(message);
    if (method === Notice.progress) return this.#progress(message);
    if (method === Notice.cancelled) return this.#withdrawn(params?.requestId);
    if (FOR_SUBSCRIBERS.has(method)) return this.#events.onNotification(message);
    if (origin !== undefined) return this.#pending.get(origin)?.onNotification?.(message);
    if (method === Notice.message) this.#events.onSharedLog();
    const owner = this.#soleOwner();
    if (owner !== undefined) owner.onNotification?.(message);
    else if (this.#pending.size === 0) this.#events.onNotification(message);
    else this.#log.debug("dropped a notification that may be any client's", { backend: this.#name, method });
  }

  #progress(message: Notification): void {
    const token = message.params?.progressToken;
    const pending = this.#pending.get(isId(token) ? token : undefined);
    if (pending?.progressToken === undefined) return;
    this.#pending.extend(pending);
    const params = { ...message.params, progressToken: pending.progressToken };
    pending.onNotification?.(notification(message.method, params));
  }

  /** The backend takes back a question of its own. */
  #withdrawn(id: unknown): void {
    if (!isId(id)) return;
    this.#unclaimed.remove(id);
    this.#answering.get(id)?.abort();
    this.#answering.delete(id);
  }

  /** The one client whose calls are all that is in flight. */
  #soleOwner(): Pending | undefined {
    let last: Pending | undefined;
    for (const pending of this.#pending.values()) {
      if (pending.owner === undefined) continue;
      if (last !== undefined && last.owner !== pending.owner) return undefined;
      last = pending;
    }
    return last;
  }

  #cancel(id: number, reject: (reason: unknown) => void): void {
    const pending = this.#pending.take(id);
    if (pending === undefined) return;
    reject(this.#cancelled(pending.method));
    this.#withdraw(pending, "the client cancelled");
  }

  #expire(pending: Pending): void {
    const seconds = pending.timeoutMs / 1000;
    pending.reject(
      new GatewayError(
        "call-timeout",
        `${this.#name}: no answer to ${pending.method} within ${seconds} s (request_timeout). The backend was told to stop; ` +
          "it may have done part of the work. Raise request_timeout for this backend if it needs longer.",
      ),
    );
    this.#withdraw(pending, `no answer within ${seconds} s`);
  }

  /** Tells the backend that nobody waits any more. `initialize` cannot be cancelled (basic/utilities/cancellation). */
  #withdraw(pending: Pending, reason: string): void {
    this.transport.abandon(pending.id);
    if (pending.method !== Method.initialize && !this.cancelsByClosing) {
      void this.notify(Notice.cancelled, { requestId: pending.id, reason });
    }
    this.#unclaimed.review();
  }

  #refused(id: number, thrown: unknown): void {
    const pending = this.#pending.take(id);
    if (pending === undefined) return;
    pending.reject(refusal(this.#name, id, thrown));
    this.#unclaimed.review();
  }

  #lose(id: Id, error: SendError): void {
    const pending = this.#pending.take(id);
    if (pending === undefined) return;
    pending.reject(new GatewayError("backend-failed", `${this.#name}: ${error.message}`, { cause: error }));
    this.#unclaimed.review();
  }

  #finish(end: WireEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    for (const abort of this.#answering.values()) abort.abort();
    this.#answering.clear();
    this.#unclaimed.clear();
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

/** What happened to a wire, with the last words of the process, for the person who has to mend it. */
export function describeEnd(name: string, end: WireEnd): string {
  const tail =
    end.stderr === undefined || end.stderr.length === 0
      ? ""
      : `\nIts last words on stderr:\n${end.stderr.join("\n")}`;
  return `${name}: ${end.reason}${tail}`;
}

/** A refused HTTP request whose body is a JSON-RPC error to it is an answer; all else is a failure of the wire. */
function refusal(name: string, id: number, thrown: unknown): Error {
  if (!(thrown instanceof SendError)) {
    return new GatewayError("backend-failed", `${name}: ${String(thrown)}`, { cause: thrown });
  }
  const error = thrown.sessionExpired ? undefined : errorInBody(thrown.body, id);
  if (error === undefined)
    return new GatewayError("backend-failed", `${name}: ${thrown.message}`, { cause: thrown });
  error.cause = thrown;
  return error;
}

function errorInBody(body: string | undefined, id: number): RpcError | undefined {
  if (body === undefined || !body.trimStart().startsWith("{")) return undefined;
  try {
    const message = toMessage(JSON.parse(body));
    if (message === undefined || !("error" in message)) return undefined;
    return message.id === id || message.id === null || message.id === undefined
      ? RpcError.from(message.error)
      : undefined;
  } catch {
    return undefined; // No JSON: a proxy's page or a plain sentence.
  }
}

function answerOf(result: Json, text: string | undefined, id: number): Answer {
  const exact = text === undefined ? undefined : resultText(text, id);
  return exact === undefined ? { result } : { result, text: exact };
}

function progressTokenOf(params: Json): Id | undefined {
  const token = isObject(params._meta) ? params._meta[META.progressToken] : undefined;
  return isId(token) ? token : undefined;
}

function withProgressToken(params: Json, token: Id): Json {
  return {
    ...params,
    _meta: { ...(isObject(params._meta) ? params._meta : {}), [META.progressToken]: token },
  };
}
