// One legacy MCP session with a client: what `initialize` agreed on, what is in flight, which questions are open.
// Knows neither HTTP nor stdio: messages come in by `receive`, and go out by the outlet of their request or unasked.

import type { Log } from "../log.ts";
import type { Call, Caller, Outcome, Question, Subscriber, Watch } from "../protocol/call.ts";
import { type Abortable, Cancellation, signalOf } from "../protocol/cancellation.ts";
import { changed, objectOf } from "../protocol/exact.ts";
import { InFlight } from "../protocol/in-flight.ts";
import {
  type Id,
  idIn,
  isId,
  isObject,
  type Json,
  type Notification,
  notification,
  type Request,
  type Response,
  RpcError,
  request,
} from "../protocol/jsonrpc.ts";
import {
  LATEST_LEGACY,
  LEGACY_REVISIONS,
  LOG_LEVELS,
  META,
  Method,
  MODERN_ONLY,
  NOTICES,
  Notice,
} from "../protocol/mcp.ts";
import type { Target } from "../target/target.ts";
import type { Outlet } from "./outlet.ts";
import { failed } from "./perform.ts";

/** What a session is, as far as its id tells: enough to go on after a restart. */
export interface SessionFacts {
  readonly revision: string;
  readonly capabilities: Json;
  readonly clientInfo?: Json;
  readonly principal: string;
}

export interface SessionOptions {
  readonly id: string;
  readonly facts: SessionFacts;
  readonly target: Target;
  readonly log: Log;
  /** Sends what belongs to no request of the client; false where no channel is open. */
  readonly push: (message: Notification | Request) => boolean;
}

interface OpenQuestion {
  readonly question: Question;
  resolve(result: Json): void;
  reject(error: RpcError): void;
}

export class LegacySession implements Disposable {
  readonly id: string;
  readonly facts: SessionFacts;
  readonly #options: SessionOptions;
  #subscription: Disposable | undefined;
  readonly #subscriber: Subscriber;
  readonly #inFlight = new InFlight<LegacyCall>();
  /** The same calls by their ids; made at the first cancellation. */
  #byId: Map<Id, Set<LegacyCall>> | undefined;
  readonly #questions = new Map<Id, OpenQuestion>();
  /** The resources that the client watches, by URI. */
  readonly #watches = new Map<string, Promise<Watch>>();
  readonly #ended = new AbortController();
  #logLevel: string | undefined;
  #caller: Caller | undefined;
  #nextQuestion = 1;

  constructor(options: SessionOptions) {
    this.id = options.id;
    this.facts = options.facts;
    this.#options = options;
    this.#subscriber = {
      key: options.id,
      era: "legacy",
      wants: () => true,
      deliver: (message) => void options.push(message),
    };
  }

  /** From now on the client hears what belongs to none of its requests: it has a channel for it. */
  listen(): void {
    this.#subscription ??= this.#options.target.subscribe(this.#subscriber);
  }

  /** True while something runs that must not be forgotten. */
  get isBusy(): boolean {
    return this.#inFlight.size > 0;
  }

  /** Answers one request through its outlet. */
  receive(message: Request, outlet: Outlet): void {
    const call = new LegacyCall(this, this.#inFlight.nextKey(), message, outlet);
    this.#inFlight.set(call.key, call);
    if (this.#byId !== undefined) this.#index(this.#byId, call);
    let answer: Outcome | Promise<Outcome>;
    try {
      answer = this.#answer(call);
    } catch (thrown) {
      return this.#fail(call, thrown);
    }
    if (!(answer instanceof Promise)) return this.#finish(call, answer);
    answer.then(
      (outcome) => this.#finish(call, outcome),
      (thrown: unknown) => this.#fail(call, thrown),
    );
  }

  #fail(call: LegacyCall, thrown: unknown): void {
    this.#finish(call, failed(thrown, call, this.#options.log));
  }

  #finish(call: LegacyCall, outcome: Outcome): void {
    this.#inFlight.delete(call.key);
    call.isOver = true;
    if (this.#byId !== undefined) this.#unindex(this.#byId, call);
    if (call.signal.aborted) call.outlet.drop(outcome);
    else call.outlet.finish(outcome);
  }

  receiveNotification({ method, params }: Notification): void {
    if (method === Notice.cancelled) {
      this.#cancel(idIn(params, "requestId"));
    } else if (method === Notice.progress) {
      this.#progress(params ?? {});
    } else if (method === Notice.rootsChanged || !NOTICES.has(method)) {
      this.#options.target.notify(notification(method, params), this.caller);
    }
  }

  /** If a client uses an id twice, both calls are cancelled. The index is made at the first cancellation, which is rare. */
  #cancel(id: Id | undefined): void {
    if (id === undefined || this.#inFlight.size === 0) return;
    if (this.#byId === undefined) {
      this.#byId = new Map();
      for (const call of this.#inFlight.values()) this.#index(this.#byId, call);
    }
    for (const call of [...(this.#byId.get(id) ?? [])]) call.signal.abort();
  }

  #index(byId: Map<Id, Set<LegacyCall>>, call: LegacyCall): void {
    const known = byId.get(call.id);
    if (known === undefined) byId.set(call.id, new Set([call]));
    else known.add(call);
  }

  #unindex(byId: Map<Id, Set<LegacyCall>>, call: LegacyCall): void {
    const known = byId.get(call.id);
    known?.delete(call);
    if (known?.size === 0) byId.delete(call.id);
    // Drop the map, because a map keeps the memory of its deleted entries.
    if (this.#inFlight.size === 0) this.#byId = undefined;
  }

  /** The token is the backend's own. Where questions of two backends have the same, nobody is told. */
  #progress(params: Json): void {
    const { progressToken } = params;
    const [first, ...others] = [...this.#questions.values()].filter(
      ({ question }) => isId(progressToken) && tokenOf(question) === progressToken,
    );
    if (others.length === 0) first?.question.onProgress?.(params);
  }

  /** A client's answer to one of our questions; one that nobody waits for is dropped. */
  receiveResponse(response: Response): void {
    const question = isId(response.id) ? this.#questions.get(response.id) : undefined;
    if (question === undefined) return;
    if ("error" in response) question.reject(RpcError.from(response.error));
    else question.resolve(response.result);
  }

  [Symbol.dispose](): void {
    this.#subscription?.[Symbol.dispose]();
    this.#ended.abort();
    for (const uri of [...this.#watches.keys()]) void this.#unwatch(uri).catch(ignore);
    for (const call of this.#inFlight.values()) call.signal.abort();
    for (const question of this.#questions.values())
      question.reject(new RpcError(-32000, "The client's session ended."));
  }

  /** Who asks; the same for all calls until the client wants another log level. */
  get caller(): Caller {
    this.#caller ??= this.#describeCaller();
    return this.#caller;
  }

  #describeCaller(): Caller {
    const { revision, capabilities, clientInfo, principal } = this.facts;
    return {
      era: "legacy",
      revision,
      capabilities,
      principal,
      key: this.id,
      ended: this.#ended.signal,
      ...(clientInfo === undefined ? {} : { clientInfo }),
      ...(this.#logLevel === undefined ? {} : { logLevel: this.#logLevel }),
    };
  }

  #answer(call: Call): Outcome | Promise<Outcome> {
    const { target } = this.#options;
    if (MODERN_ONLY.has(call.method)) throw new RpcError(-32601, `Method not found: ${call.method}`);
    switch (call.method) {
      case Method.initialize:
        return initializeResult(target, call.params, call.signal).then((result) => ({ result }));
      case Method.ping:
        return { result: {} };
      case Method.setLogLevel:
        return this.#setLogLevel(call);
      case Method.subscribe:
        return this.#watch(readUri(call), call).then(() => ({ result: {} }));
      case Method.unsubscribe:
        return this.#unwatch(readUri(call)).then(() => ({ result: {} }));
      default:
        return target.call(call);
    }
  }

  async #watch(uri: string, call: Call): Promise<void> {
    this.listen();
    const earlier = this.#watches.get(uri);
    const opened = this.#options.target.watch(uri, this.#subscriber, call);
    const kept = earlier === undefined ? opened : opened.catch(() => earlier);
    this.#watches.set(uri, kept);
    kept.catch(() => {
      if (this.#watches.get(uri) === kept) this.#watches.delete(uri);
    });
    await opened;
    // The client subscribed to the same resource twice; one watch is enough.
    void earlier?.then((watch) => watch.end()).catch(ignore);
  }

  /** Ends the watch, also one whose request still waits for its answer. */
  async #unwatch(uri: string): Promise<void> {
    const watch = this.#watches.get(uri);
    this.#watches.delete(uri);
    if (watch !== undefined) await (await watch).end();
  }

  async #setLogLevel(call: Call): Promise<Outcome> {
    const level = LOG_LEVELS.find((known) => known === call.params?.level);
    if (level === undefined) throw new RpcError(-32602, `The level must be one of ${LOG_LEVELS.join(", ")}.`);
    const { capabilities } = await this.#options.target.describe(call.signal, call.caller);
    if (capabilities.logging === undefined)
      throw new RpcError(-32601, "This server does not log to its clients.");
    this.#logLevel = level;
    this.#caller = undefined;
    return { result: {} };
  }

  /** Sends a message that belongs to no request in flight. */
  tell(message: Notification): void {
    if (!this.#ended.signal.aborted) this.#options.push(message);
  }

  /** A real request to the client, on the stream of the request that it belongs to, else on the one for everything. */
  async ask(
    question: Question,
    { outlet, signal: cancelled }: LegacyCall,
    withdrawn: Abortable,
  ): Promise<Json> {
    const signal = AbortSignal.any([signalOf(cancelled), signalOf(withdrawn), this.#ended.signal]);
    const id = `gateway-${this.#nextQuestion++}`;
    const message = request(id, question.method, question.params);
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    const onAbort = () => {
      const reason = typeof signal.reason === "string" ? signal.reason : "the call that asked has ended";
      const cancelled = notification(Notice.cancelled, { requestId: id, reason });
      if (!outlet.send(cancelled)) this.#options.push(cancelled);
      reject(new RpcError(-32000, "The question was withdrawn."));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#questions.set(id, { question, resolve, reject });
    try {
      if (signal.aborted) throw new RpcError(-32000, "The question was withdrawn.");
      if (!outlet.send(message) && !this.#options.push(message)) {
        throw new RpcError(-32000, "The client has no open stream to be asked on.");
      }
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#questions.delete(id);
    }
  }
}

/** One request of the client while it runs. */
class LegacyCall implements Call {
  /** Among those in flight: two may have the same id. */
  readonly key: number;
  readonly id: Id;
  readonly method: string;
  readonly params?: Json;
  readonly caller: Caller;
  readonly signal = new Cancellation();
  readonly outlet: Outlet;
  isOver = false;
  readonly #session: LegacySession;

  constructor(session: LegacySession, key: number, { id, method, params }: Request, outlet: Outlet) {
    this.key = key;
    this.id = id;
    this.method = method;
    if (params !== undefined) this.params = params;
    this.caller = session.caller;
    this.outlet = outlet;
    this.#session = session;
  }

  /** Messages after the answer go to the client's GET stream, if it has one. */
  notify(message: Notification): void {
    if (!this.outlet.send(message) && this.isOver) this.#session.tell(message);
  }

  ask(question: Question, withdrawn: Abortable): Promise<Json> {
    return this.#session.ask(question, this, withdrawn);
  }
}

function tokenOf({ params }: Question): unknown {
  return isObject(params?._meta) ? params._meta[META.progressToken] : undefined;
}

/** The result of `initialize`. Rejects if the target cannot be described. */
export async function initializeResult(
  target: Target,
  params: Json | undefined,
  signal: Abortable,
): Promise<Json> {
  const described = await target.describe(signal, {
    era: "legacy",
    capabilities: objectOf(params ?? {}, "capabilities") ?? {},
  });
  const { serverInfo, instructions, introduction, revision } = described;
  const known = {
    protocolVersion: agreeOnRevision(params?.protocolVersion, revision),
    // Tasks of 2025-11-25 belong to a session. Clients share the gateway's session with the server, so tasks are not offered.
    capabilities: changed(described.capabilities, { tasks: undefined }),
    serverInfo,
  };
  // If the server is of this era, its own result passes whole.
  if (introduction !== undefined && revision !== undefined) return changed(introduction, known);
  return instructions === undefined ? known : { ...known, instructions };
}

/** The client's wish, unless the backend speaks only an older revision; our newest for a wish that we do not know. */
export function agreeOnRevision(wanted: unknown, newest: string = LATEST_LEGACY): string {
  const wish = LEGACY_REVISIONS.find((known) => known === wanted) ?? LATEST_LEGACY;
  return wish < newest ? wish : (LEGACY_REVISIONS.find((known) => known === newest) ?? wish);
}

function readUri(call: Call): string {
  const uri = call.params?.uri;
  if (typeof uri !== "string") throw new RpcError(-32602, `${call.method} needs the string "uri".`);
  return uri;
}

/** The facts of a session, from the `initialize` request that opens it. */
export function readFacts(message: Request, revision: string, principal: string): SessionFacts {
  const params = message.params ?? {};
  const clientInfo = objectOf(params, "clientInfo");
  const facts = { revision, principal, capabilities: objectOf(params, "capabilities") ?? {} };
  return clientInfo === undefined ? facts : { ...facts, clientInfo };
}

/** The session has ended, so nobody waits for the result. */
function ignore(): void {
  // Nothing.
}
