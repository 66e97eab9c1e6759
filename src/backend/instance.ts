// One process of a backend, or one connection to it: when it runs is its lifecycle's business, what is said on it is
// seen to here. What holds for all instances (catalogue, traits, listeners) belongs to the backend and is lent to this.

import type { BackendConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import type { MemoryBudget } from "../memory-budget.ts";
import type { Answer, Asker, Call, Caller, Era, Question, Subscriber, Watch } from "../protocol/call.ts";
import type { Abortable } from "../protocol/cancellation.ts";
import { type Json, type Notification, RpcError } from "../protocol/jsonrpc.ts";
import { rank, wantedLogLevel } from "../protocol/log-level.ts";
import { type Implementation, LOG_LEVELS, Method, Notice, STALE_AFTER } from "../protocol/mcp.ts";
import type { ParamHeader } from "../protocol/param-headers.ts";
import { canAnswer } from "../protocol/questions.ts";
import type { WireEnd } from "../transport/transport.ts";
import type { Catalog } from "./catalog.ts";
import type { Habits } from "./connection/habits.ts";
import { Turn } from "./connection/turn.ts";
import { AskedInVain } from "./connection/wire-failure.ts";
import { type ExchangeOptions, exchange } from "./exchange.ts";
import type { Connected } from "./handshake.ts";
import type { Handshake } from "./introductions.ts";
import { Lifecycle } from "./lifecycle.ts";
import { ListRefresh, type ReadOutcome } from "./list-refresh.ts";
import type { Listing } from "./listing.ts";
import type { RememberedEra } from "./remembered-era.ts";
import { isHarmless, isRepeatable, isSessionExpired } from "./repeating.ts";
import { cannotAsk } from "./rounds.ts";
import type { SeenExtensions } from "./seen-extensions.ts";
import { messageOf, startWithin } from "./starting.ts";
import type { Ready, StateName } from "./state.ts";
import type { NewsSource, Subscriptions } from "./subscriptions.ts";
import type { ToolPolicy } from "./tool-policy.ts";
import { legacyExtensions } from "./variant.ts";
import type { Watchers } from "./watchers.ts";
import { Watching } from "./watching.ts";

export interface InstanceOptions {
  /** Whom this instance serves: the key of one client, the key of a variant, or empty for all clients. */
  readonly key: string;
  /** True if the instance serves one client only. */
  readonly isOwn: boolean;
  /** For a legacy connection beside the common one: the extensions that it declares. */
  readonly variant: { readonly extensions: Json } | undefined;
  /** The era of the clients that receive notifications of this instance; undefined: all clients. */
  readonly audience: () => Era | undefined;
  readonly config: BackendConfig;
  readonly identity: Implementation;
  readonly via: (() => string) | undefined;
  readonly log: Log;
  /** Counts the memory that is held for the backend. */
  readonly budget: MemoryBudget | undefined;
  readonly catalog: Catalog;
  readonly listing: Listing;
  readonly policy: ToolPolicy | undefined;
  readonly era: RememberedEra;
  readonly seenExtensions: SeenExtensions;
  readonly habits: Habits;
  readonly subscriptions: Subscriptions;
  readonly onStateChanged: (state: StateName, before: StateName) => void;
  readonly onStarted: (seconds: number) => void;
  readonly predecessor?: () => Promise<void> | undefined;
  /** The lists of a new process have been read. */
  readonly onListed: (connected: Connected) => Promise<void>;
  /** Resolves to the same error, with what may be behind it. */
  readonly explainFailure: (error: unknown) => Promise<unknown>;
}

const NEVER = new AbortController().signal;

/** How long a wire that refused a message may take to end. */
const WIRE_END_MS = 2_000;

const [MOST_VERBOSE] = LOG_LEVELS;

/** A call that has its turn, and its connection. */
export class Run extends Turn {
  readonly ready: Ready;

  constructor(call: Call, ready: Ready) {
    super(call);
    this.ready = ready;
  }
}

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
  readonly #exchanging: ExchangeOptions;
  /** What the one client whose it is has asked and still waits for, newest last. */
  readonly #open = new Set<Call>();
  /** The client that caused the start; undefined if no client did. */
  #starter: Asker | undefined;

  constructor(options: InstanceOptions) {
    const { key, config, log } = options;
    this.key = key;
    this.#options = options;
    this.#watchers = options.subscriptions.watchers(key);
    this.#watchers.attach(this.#unsubscribe);
    this.#watching = new Watching(this.#watchers, options.identity, (message) => this.#hear(message));
    this.#exchanging = {
      timeoutMs: config.requestTimeoutMs,
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
      ...(options.predecessor === undefined ? {} : { predecessor: options.predecessor }),
    });
  }

  /** How many notifications were withheld because they could have been for several clients. */
  get withheld(): number {
    return this.lifecycle.connected?.connection.calls.withheld ?? 0;
  }

  /** True while somebody works with it, waits for it or watches a resource of it. */
  get isNeeded(): boolean {
    return this.lifecycle.users > 0 || this.#watchers.uris.length > 0;
  }

  /**
   * Lets a call in: waits for a connection and, where the wire does not say whose a message is, for its turn among the
   * others. At once where there is nothing to wait for; then `ask`. Rejects with GatewayError.
   */
  enter(call: Call): Run | Promise<Run> {
    if (this.lifecycle.connected === undefined) this.#starter ??= call.caller;
    const entered = this.lifecycle.enter(call.signal);
    if (!this.#options.isOwn && !(entered instanceof Promise)) return this.#takeTurn(entered, call);
    return this.#enterLater(entered, call);
  }

  /**
   * Rejects with RpcError (the backend said no) or GatewayError (it gave no answer). Either way the turn lasts until
   * `answered` or `failed` is told.
   */
  ask(turn: Run): Promise<Answer> {
    const { call, ready } = turn;
    const { policy, listing } = this.#options;
    const sent = policy?.toOwn(call) ?? call;
    const answer = exchange(ready.connected, { sent, shown: call, turn }, this.#exchanging);
    if (call.method !== Method.listTools) return answer;
    return answer.then((listed) => listing.forClients(ready.connected, listed));
  }

  answered(turn: Run): void {
    this.lifecycle.succeeded();
    this.#leave(turn);
  }

  /** Makes the call once more where that can do no harm; rejects with what was thrown where it cannot. */
  async failed(turn: Run, thrown: unknown): Promise<Answer> {
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

  /** The result of the handshake, made for this kind of client if it is not done yet. Rejects with GatewayError. */
  handshake(signal: Abortable, asker: Asker): Promise<Handshake> {
    if (this.lifecycle.connected === undefined) this.#starter ??= asker;
    return this.lifecycle.use(signal, (connected) => Promise.resolve(connected));
  }

  /** One list, asked for now. Rejects with RpcError or GatewayError. */
  fetch(method: string, signal: Abortable): Promise<readonly Json[]> {
    return this.lifecycle.use(signal, (connected) => this.#options.listing.fetch(connected, method, signal));
  }

  /** Passes on a client's notification outside the specification, if the server is of the client's era. Rejects with GatewayError. */
  async passOn({ method, params }: Notification, { era, ended = NEVER }: Caller): Promise<void> {
    await this.lifecycle.use(ended, async (connected) => {
      if (connected.era === era) await connected.connection.notify(method, params);
    });
  }

  /** Passes a client's notification on, where a backend of this era has a use for it. */
  notify({ method, params }: Notification): void {
    const { connected } = this.lifecycle;
    if (connected?.era !== "legacy") return;
    if (method === Notice.rootsChanged) connected.connection.calls.expectRootsQuestion();
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

  #fail(turn: Run, thrown: unknown): void {
    // Who says no is well.
    if (thrown instanceof RpcError) this.lifecycle.succeeded();
    else if (isSessionExpired(thrown)) this.lifecycle.renew(turn.ready.connected);
    this.#leave(turn);
  }

  #leave(turn: Run): void {
    turn.ready.connected.connection.calls.leave(turn);
    this.lifecycle.leave(turn.ready);
    this.#open.delete(turn.call);
  }

  /** Of the one client whose it is: a question between its calls, or while it starts, is about the newest of them. */
  async #enterLater(entered: Ready | Promise<Ready>, call: Call): Promise<Run> {
    if (this.#options.isOwn) this.#open.add(call);
    try {
      return await this.#takeTurn(await entered, call);
    } catch (thrown) {
      this.#open.delete(call);
      throw thrown;
    }
  }

  #takeTurn(ready: Ready, call: Call): Run | Promise<Run> {
    const run = new Run(call, ready);
    const { calls } = ready.connected.connection;
    const levelSet = this.#ensureLogLevel(ready.connected, call);
    const entered = levelSet === undefined ? calls.enter(run) : levelSet.then(() => calls.enter(run));
    if (entered === undefined) return run;
    return entered.then(
      () => run,
      (thrown: unknown) => {
        this.lifecycle.leave(ready);
        throw thrown;
      },
    );
  }

  /**
   * A legacy server logs at one level for all clients: the most verbose level that a caller wants. Once a level was sent,
   * callers without a level get all lines, as before. Undefined if nothing has to be sent.
   */
  #ensureLogLevel({ era, connection, description }: Connected, call: Call): Promise<void> | undefined {
    const known = connection.logLevel;
    const wantsAll = known !== undefined && call.caller.era === "legacy";
    const wanted = wantedLogLevel(call) ?? (wantsAll ? MOST_VERBOSE : undefined);
    if (wanted === undefined || era !== "legacy" || description.capabilities.logging === undefined)
      return undefined;
    if (known !== undefined && rank(known) <= rank(wanted)) return undefined;
    connection.logLevel = wanted;
    const options = { timeoutMs: this.#options.config.requestTimeoutMs, signal: call.signal };
    return connection.request(Method.setLogLevel, { level: wanted }, options).then(ignore, ignore);
  }

  async #paramHeaders(connected: Connected, shown: Call, isFresh: boolean): Promise<readonly ParamHeader[]> {
    const { catalog, listing } = this.#options;
    const isUnknown = catalog.list(Method.listTools) === undefined;
    if (isFresh || isUnknown) await listing.fetch(connected, Method.listTools, shown.signal);
    return catalog.paramHeaders(String(shown.params?.name)) ?? [];
  }

  async #connect(signal: AbortSignal): Promise<Connected> {
    const { config, identity, via, log, budget, era, habits } = this.#options;
    const startedMs = performance.now();
    const { era: wanted, extensions } = this.#declared();
    const remembered = era.name;
    try {
      const connected = await startWithin(config, {
        identity,
        via,
        log,
        budget,
        remembered: wanted === "legacy" && !era.isModernOnly ? undefined : remembered,
        wanted,
        extensions,
        habits,
        signal,
        events: {
          onNotification: (notification) => this.#hear(notification),
          onEnd: (end) => this.#forgetWire(end),
          ...(!this.#options.isOwn ? {} : { askOutsideOfCalls: (...asked) => this.#askOwner(...asked) }),
        },
      });
      if (wanted !== "legacy") era.found(connected.era, remembered === undefined);
      else if (connected.era === "modern") era.foundModernOnly();
      this.#options.onStarted((performance.now() - startedMs) / 1000);
      return connected;
    } catch (thrown) {
      if (this.#options.variant === undefined) era.forget();
      throw signal.aborted ? thrown : await this.#options.explainFailure(thrown);
    }
  }

  #forgetWire(end: WireEnd): void {
    this.lifecycle.wireEnded(end);
    // It holds the connection, and with it the process.
    if (this.lifecycle.connected === undefined) this.#refresh = undefined;
  }

  /** Era and extensions of the next connection: a shared process uses the era of the client that starts it. */
  #declared(): { readonly era: Era | undefined; readonly extensions: Json } {
    const { config, variant, isOwn, seenExtensions } = this.#options;
    const starter = this.#starter;
    this.#starter = undefined;
    if (variant !== undefined) return { era: "legacy", extensions: variant.extensions };
    if (isOwn) return { era: starter?.era, extensions: legacyExtensions(starter?.capabilities ?? {}) };
    if (config.wire.kind === "url") return { era: undefined, extensions: {} };
    if (starter !== undefined) seenExtensions.note(starter);
    return { era: starter?.era, extensions: seenExtensions.all };
  }

  #takeUp(connected: Connected): void {
    const { connection } = connected;
    const { transport, calls } = connection;
    calls.ready(connected.era, transport.kind !== "http", () => transport.hasSharedChannel);
    this.#options.catalog.learnHandshake(connected);
    this.#refresh = new ListRefresh({
      read: (methods) => this.#read(connected, methods),
      deliver: (notice) => this.#options.subscriptions.deliver(notice, { era: this.#options.audience() }),
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
      // Before the connection is ready, all lists are about to be read anyway.
      this.#refresh?.notice(notification);
    } else if (notification.method === Notice.resourceUpdated) {
      for (const watcher of this.#watchers.of(notification.params?.uri)) watcher.deliver(notification);
    } else {
      subscriptions.deliver(notification, this.#source());
    }
  }

  #source(): NewsSource {
    const { isOwn, audience } = this.#options;
    return { owner: isOwn ? this.key : undefined, era: audience() };
  }

  /** A process of one client asks between calls, or while it starts: it can mean nobody else. */
  #askOwner(question: Question, signal: AbortSignal): Promise<Json> {
    const call = [...this.#open].at(-1);
    if (call === undefined || !canAnswer(call.caller, question)) return Promise.reject(cannotAsk(question));
    return call.ask(question, signal);
  }
}

function ignore(): void {
  // A failure here must not fail the call.
}
