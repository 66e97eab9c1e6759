// One process of a backend, or one connection to it: when it runs is its lifecycle's business, what is said on it is
// seen to here. What holds for all instances (catalogue, traits, listeners) belongs to the backend and is lent to this.

import type { BackendConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import type { Answer, Call, Question, Subscriber, Watch } from "../protocol/call.ts";
import type { Abortable } from "../protocol/cancellation.ts";
import { type Json, type Notification, RpcError } from "../protocol/jsonrpc.ts";
import { type Implementation, Method, Notice, STALE_AFTER } from "../protocol/mcp.ts";
import type { ParamHeader } from "../protocol/param-headers.ts";
import { canAnswer } from "../protocol/questions.ts";
import type { WireEnd } from "../transport/transport.ts";
import type { Catalog } from "./catalog.ts";
import { AskedInVain } from "./connection/wire-failure.ts";
import { type ExchangeOptions, exchange } from "./exchange.ts";
import type { Connected } from "./handshake.ts";
import { Lifecycle } from "./lifecycle.ts";
import { ListRefresh, type ReadOutcome } from "./list-refresh.ts";
import type { Listing } from "./listing.ts";
import { isHarmless, isRepeatable, isSessionExpired } from "./repeating.ts";
import { cannotAsk } from "./rounds.ts";
import { SharedWire, type Turn } from "./shared-wire.ts";
import { messageOf, startWithin } from "./starting.ts";
import type { Ready, StateName } from "./state.ts";
import type { Subscriptions } from "./subscriptions.ts";
import type { ToolPolicy } from "./tool-policy.ts";
import type { Traits } from "./traits.ts";
import type { Watchers } from "./watchers.ts";
import { Watching } from "./watching.ts";

export interface InstanceOptions {
  /** Whose it is: a client's key, or empty where it serves all. */
  readonly key: string;
  readonly config: BackendConfig;
  readonly identity: Implementation;
  readonly log: Log;
  readonly catalog: Catalog;
  readonly listing: Listing;
  readonly policy: ToolPolicy | undefined;
  readonly traits: Traits;
  readonly subscriptions: Subscriptions;
  readonly onStateChanged: (state: StateName, before: StateName) => void;
  readonly onStarted: (seconds: number) => void;
  /** The lists of a new process have been read. */
  readonly onListed: (connected: Connected) => Promise<void>;
  /** Resolves to the same error, with what may be behind it. */
  readonly explainFailure: (error: unknown) => Promise<unknown>;
}

/** How long a wire that refused a message may take to end. */
const WIRE_END_MS = 2_000;

export class Instance implements AsyncDisposable {
  readonly key: string;
  readonly lifecycle: Lifecycle;
  /** Settled when the newest process's lists have been read and compared with what was known. */
  compared: Promise<void> = Promise.resolve();
  readonly #options: InstanceOptions;
  readonly #watchers: Watchers;
  readonly #unsubscribe = (uri: string) => this.#endWatch(uri);
  readonly #watching: Watching;
  #refresh: ListRefresh | undefined;
  readonly #shared: SharedWire;
  readonly #exchanging: ExchangeOptions;
  /** What the one client whose it is has asked and still waits for, newest last. */
  readonly #open = new Set<Call>();

  constructor(options: InstanceOptions) {
    const { key, config, log } = options;
    this.key = key;
    this.#options = options;
    this.#watchers = options.subscriptions.watchers(key);
    this.#watchers.attach(this.#unsubscribe);
    this.#watching = new Watching(this.#watchers, options.identity, (message) => this.#hear(message));
    this.#shared = new SharedWire(options.traits);
    this.#exchanging = {
      timeoutMs: config.requestTimeoutMs,
      questionTimeoutMs: config.questionTimeoutMs,
      paramHeaders: (...asked) => this.#paramHeaders(...asked),
      onUrlQuestion: (id, callerKey) => options.subscriptions.expectCompletion(id, callerKey),
      mayBeRepeated: (shown) => isHarmless(shown, options.catalog.tool(String(shown.params?.name))),
    };
    this.lifecycle = new Lifecycle(config, {
      log,
      connect: (signal) => this.#connect(signal),
      onReady: (connected) => this.#takeUp(connected),
      onStateChanged: options.onStateChanged,
      isWatched: () => this.#watchers.uris.length > 0,
    });
  }

  /** True while somebody works with it, waits for it or watches a resource of it. */
  get isNeeded(): boolean {
    return this.lifecycle.users > 0 || this.#watchers.uris.length > 0;
  }

  /**
   * Lets a call in: waits for a connection and, where the wire does not say whose a message is, for its turn among the
   * others. At once where there is nothing to wait for; then `ask`. Rejects with GatewayError.
   */
  enter(call: Call): Turn | Promise<Turn> {
    const entered = this.lifecycle.enter(call.signal);
    if (this.key === "" && !(entered instanceof Promise)) return this.#takeTurn(entered, call);
    return this.#enterLater(entered, call);
  }

  /**
   * Rejects with RpcError (the backend said no) or GatewayError (it gave no answer). Either way the turn lasts until
   * `answered` or `failed` is told.
   */
  ask(turn: Turn): Promise<Answer> {
    const { call, ready } = turn;
    const { policy, listing } = this.#options;
    const sent = policy?.toOwn(turn) ?? turn;
    const answer = exchange(ready.connected, { sent, shown: call }, this.#exchanging);
    if (call.method !== Method.listTools) return answer;
    return answer.then((listed) => listing.forClients(ready.connected, listed));
  }

  answered(turn: Turn): void {
    this.lifecycle.succeeded();
    this.#leave(turn);
  }

  /** Makes the call once more where that can do no harm; rejects with what was thrown where it cannot. */
  async failed(turn: Turn, thrown: unknown): Promise<Answer> {
    const { call } = turn;
    this.#fail(turn, thrown);
    if (!this.#mayRepeat(call, thrown)) throw thrown;
    const hasAskedInVain = thrown instanceof AskedInVain;
    if (!hasAskedInVain) await this.#whenBrokenWireEnded();
    const why = hasAskedInVain ? "it asked in vain" : "its connection is gone";
    this.#options.log.info("repeating a call", { method: call.method, why });
    const again = await this.enter(call);
    try {
      const answer = await this.ask(again);
      this.answered(again);
      return answer;
    } catch (thrownAgain) {
      this.#fail(again, thrownAgain);
      throw thrownAgain;
    }
  }

  /** One list, asked for now. Rejects with RpcError or GatewayError. */
  fetch(method: string, signal: Abortable): Promise<readonly Json[]> {
    return this.lifecycle.use(signal, (connected) => this.#options.listing.fetch(connected, method, signal));
  }

  /** Passes a client's notification on, where a backend of this era has a use for it. */
  notify({ method, params }: Notification): void {
    const { connected } = this.lifecycle;
    if (connected?.era !== "legacy") return;
    if (method === Notice.rootsChanged) this.#shared.expectRootsQuestion();
    void connected.connection.notify(method, params);
  }

  /** Wakes the backend, and keeps it awake until the last watch has ended. */
  watch(uri: string, subscriber: Subscriber, signal: Abortable): Promise<Watch> {
    return this.lifecycle.use(signal, (connected) =>
      this.#watching.watch(connected, uri, subscriber, this.#options.config.requestTimeoutMs),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#watchers.detach(this.#unsubscribe);
    return this.lifecycle[Symbol.asyncDispose]();
  }

  async #endWatch(uri: string): Promise<void> {
    const { connected } = this.lifecycle;
    try {
      if (connected !== undefined)
        await this.#watching.unsubscribe(connected, uri, this.#options.config.requestTimeoutMs);
    } finally {
      this.lifecycle.reconsiderSleep();
    }
  }

  #mayRepeat(call: Call, thrown: unknown): boolean {
    if (call.signal.aborted || this.lifecycle.closing.aborted) return false;
    const name = call.params?.name;
    const tool = typeof name === "string" ? this.#options.catalog.tool(name) : undefined;
    return isRepeatable(call, thrown, tool);
  }

  /** A pipe that refuses a message is about to end; until it has, a repeated call would go the same way. */
  async #whenBrokenWireEnded(): Promise<void> {
    const connection = this.lifecycle.connected?.connection;
    if (connection !== undefined && connection.transport.kind !== "http")
      await connection.whenEnded(WIRE_END_MS);
  }

  #fail(turn: Turn, thrown: unknown): void {
    // Who says no is well.
    if (thrown instanceof RpcError) this.lifecycle.succeeded();
    else if (isSessionExpired(thrown)) this.lifecycle.renew(turn.ready.connected);
    this.#leave(turn);
  }

  #leave(turn: Turn): void {
    turn.end();
    this.lifecycle.leave(turn.ready);
    this.#open.delete(turn.call);
  }

  /** Of the one client whose it is: a question between its calls, or while it starts, is about the newest of them. */
  async #enterLater(entered: Ready | Promise<Ready>, call: Call): Promise<Turn> {
    if (this.key !== "") this.#open.add(call);
    try {
      return await this.#takeTurn(await entered, call);
    } catch (thrown) {
      this.#open.delete(call);
      throw thrown;
    }
  }

  #takeTurn(ready: Ready, call: Call): Turn | Promise<Turn> {
    const { requestTimeoutMs } = this.#options.config;
    const levelSet = this.#shared.ensureLogLevel(ready.connected, call, requestTimeoutMs);
    const turn =
      levelSet === undefined
        ? this.#shared.enter(ready, call)
        : levelSet.then(() => this.#shared.enter(ready, call));
    if (!(turn instanceof Promise)) return turn;
    return turn.catch((thrown: unknown) => {
      this.lifecycle.leave(ready);
      throw thrown;
    });
  }

  async #paramHeaders(connected: Connected, shown: Call, isFresh: boolean): Promise<readonly ParamHeader[]> {
    const { catalog, listing } = this.#options;
    const isUnknown = catalog.list(Method.listTools) === undefined;
    if (isFresh || isUnknown) await listing.fetch(connected, Method.listTools, shown.signal);
    return catalog.paramHeaders(String(shown.params?.name)) ?? [];
  }

  async #connect(signal: AbortSignal): Promise<Connected> {
    const { config, identity, log, traits } = this.#options;
    const startedMs = performance.now();
    const remembered = traits.era;
    this.#shared.reset();
    try {
      const connected = await startWithin(config, {
        identity,
        log,
        remembered,
        signal,
        events: {
          onNotification: (notification) => this.#hear(notification),
          onSharedQuestion: (method) => this.#shared.noteQuestion(method),
          onSharedLog: () => traits.noteLog(),
          onEnd: (end: WireEnd) => this.lifecycle.wireEnded(end),
          ...(this.key === "" ? {} : { askOutsideOfCalls: (...asked) => this.#askOwner(...asked) }),
        },
      });
      traits.eraFound(connected.era, remembered === undefined);
      this.#options.onStarted((performance.now() - startedMs) / 1000);
      return connected;
    } catch (thrown) {
      traits.forgetEra();
      throw signal.aborted ? thrown : await this.#options.explainFailure(thrown);
    }
  }

  #takeUp(connected: Connected): void {
    this.#shared.ready();
    this.#options.catalog.learnHandshake(connected);
    this.#refresh = new ListRefresh({
      read: (methods) => this.#read(connected, methods),
      deliver: (notice) => this.#options.subscriptions.deliver(notice),
    });
    this.compared = this.#refresh.readAll().then(() => this.#options.onListed(connected));
    this.#watching.resume(connected, this.#options.config.requestTimeoutMs);
  }

  async #read(connected: Connected, methods: readonly string[]): Promise<ReadOutcome> {
    const { closing } = this.lifecycle;
    const isGone = () => connected.connection.end !== undefined || closing.aborted;
    if (isGone()) return "gone";
    try {
      const isChanged = await this.#options.listing.refresh(connected, methods, closing);
      return isChanged ? "changed" : "unchanged";
    } catch (thrown) {
      if (isGone()) return "gone";
      const lists = methods.join(", ");
      this.#options.log.warning("the server's lists could not be read", { lists, error: messageOf(thrown) });
      return "failed";
    }
  }

  #hear(notification: Notification): void {
    const { subscriptions } = this.#options;
    if (STALE_AFTER.has(notification.method)) {
      // Before the connection is ready nothing was listed, and all lists are about to be read.
      this.#refresh?.notice(notification);
    } else if (notification.method === Notice.resourceUpdated) {
      for (const watcher of this.#watchers.of(notification.params?.uri)) watcher.deliver(notification);
    } else {
      subscriptions.deliver(notification, this.key === "" ? undefined : this.key);
    }
  }

  /** A process of one client asks between calls, or while it starts: it can mean nobody else. */
  #askOwner(question: Question, signal: AbortSignal): Promise<Json> {
    const call = [...this.#open].at(-1);
    if (call === undefined || !canAnswer(call.caller, question)) return Promise.reject(cannotAsk(question));
    return call.ask(question, signal);
  }
}
