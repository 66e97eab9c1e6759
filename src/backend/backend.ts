// One configured MCP server for all callers: its calls, its lists, who listens to it. What runs is its instances'
// business; how clients are told, the edges'.

import { isDeepStrictEqual } from "node:util";
import type { BackendConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import type { MemoryBudget } from "../memory-budget.ts";
import type { Answer, Asker, Call, Caller, Era, Subscriber, Watch } from "../protocol/call.ts";
import { type Abortable, untilAborted } from "../protocol/cancellation.ts";
import { GatewayError } from "../protocol/errors.ts";
import { changed } from "../protocol/exact.ts";
import { type Json, type Notification, notification } from "../protocol/jsonrpc.ts";
import { type Implementation, LIST_KEY, Method, NOTICES, STALE_AFTER } from "../protocol/mcp.ts";
import type { ParamHeader } from "../protocol/param-headers.ts";
import { Admission } from "./admission.ts";
import { Catalog, type Tool } from "./catalog.ts";
import { translateAnswer } from "./exchange.ts";
import { Instance } from "./instance.ts";
import { Instances } from "./instances.ts";
import type { Handshake } from "./introductions.ts";
import { Listing } from "./listing.ts";
import { Memory, type MemoryOptions } from "./memory.ts";
import type { BackendObserver, BackendStatus } from "./observation.ts";
import { StartTurns } from "./start-turns.ts";
import { messageOf } from "./starting.ts";
import { Subscriptions } from "./subscriptions.ts";
import { ToolPolicy } from "./tool-policy.ts";
import { COMMON, readVariant, variantKey } from "./variant.ts";
import { waitWhile } from "./wait-while.ts";

/** How long a call may wait for a tool to become known, before its headers are compared with nothing. */
export const PARAM_HEADERS_DEADLINE_MS = 60_000;

export interface BackendOptions extends MemoryOptions {
  readonly identity: Implementation;
  /** The ids of the gateways that a request to the named backend has passed (`via.ts`). */
  readonly via?: (backend: string) => string;
  readonly log: Log;
  readonly observe?: BackendObserver;
  /** Counts the memory that is held for this backend. */
  readonly budget?: MemoryBudget;
  /** Shared by all backends of a gateway. */
  readonly startTurns?: StartTurns;
  /** Resolves when the processes of the previous backend of this name have ended; undefined if there are none. */
  readonly predecessor?: () => Promise<void> | undefined;
}

/** The lists of one connection other than the common one. */
interface Variant {
  readonly catalog: Catalog;
  readonly listing: Listing;
}

export class Backend implements AsyncDisposable {
  #config: BackendConfig;
  readonly #options: BackendOptions;
  readonly #log: Log;
  readonly #subscriptions: Subscriptions;
  /** Reads the lists of the common connection. */
  readonly #listing: Listing;
  /** The lists of the other connections, by their keys: they may differ from those of the common connection. */
  readonly #variants = new Map<string, Variant>();
  readonly #policy: ToolPolicy | undefined;
  readonly #instances: Instances;
  /** Starts and restarts of the previous backends of this name. */
  readonly #before: { readonly starts: number; readonly restarts: number };
  readonly #memory: Memory;
  readonly #admission: Admission;
  /** Lists that somebody asked for in vain: when they are there, it is news. */
  readonly #missed = new Set<string>();
  readonly #startTurns: StartTurns;
  /** Lists that are being read for the first time, by method. */
  readonly #glances = new Map<string, Promise<readonly Json[]>>();
  /** How many calls clients have made so far. */
  #calls = 0;

  /** In the place of `before`, it takes over who listens to what. */
  constructor(config: BackendConfig, options: BackendOptions, before?: Backend) {
    this.#config = config;
    this.#options = options;
    this.#before = before?.status() ?? { starts: 0, restarts: 0 };
    this.#subscriptions = before === undefined ? new Subscriptions() : before.#subscriptions;
    this.#log = options.log.with({ backend: config.name });
    this.#memory = new Memory(config, this.#log, options, before === undefined ? undefined : before.#memory);
    this.#admission = new Admission(config);
    this.#startTurns = options.startTurns ?? new StartTurns();
    this.#policy = ToolPolicy.of(config.tools);
    this.#listing = this.#makeListing(this.catalog, (method, isChanged) => this.#learnt(method, isChanged));
    this.#instances = new Instances(
      config,
      (...given) => this.#makeInstance(...given),
      (asker) => this.#variantOf(asker),
    );
    if (config.warm) void this.prestart();
  }

  get catalog(): Catalog {
    return this.#memory.catalog;
  }

  get name(): string {
    return this.config.name;
  }

  get config(): BackendConfig {
    return this.#config;
  }

  /** Applies settings that differ only in their description, without a restart. False if more than that differs. */
  redescribe(config: BackendConfig): boolean {
    if (!isDeepStrictEqual({ ...this.#config, description: config.description }, config)) return false;
    this.#config = config;
    return true;
  }

  status(): BackendStatus {
    const all = this.#instances.all();
    const lifecycle = this.#instances.telling?.lifecycle;
    const transport = lifecycle?.connected?.connection.transport;
    return {
      state: lifecycle?.state ?? "stopped",
      transport: transport?.kind ?? configuredTransport(this.config),
      revision: this.catalog.handshake?.revision,
      ...this.#starts(),
      inFlight: all.reduce((sum, instance) => sum + instance.lifecycle.inFlight, 0),
      toolCount: this.catalog.list(Method.listTools)?.length,
      lastError: lifecycle?.lastError ?? this.config.problem,
      pid: transport?.pid,
      catalog: this.catalog.freshness,
      listedAtMs: this.catalog.listedAtMs,
      drift: this.#memory.lastGood.drift,
      learned: this.#memory.habits.describe(),
      withheld: all.reduce((sum, instance) => sum + instance.withheld, 0),
    };
  }

  #starts() {
    const { starts: own, started } = this.#instances;
    const { starts: before, restarts } = this.#before;
    // The first start of a shared backend that has a predecessor counts as a restart.
    const first = this.config.scope === "shared" && before > 0 ? 0 : started;
    return { starts: before + own, restarts: restarts + own - first };
  }

  /** The processes that it has now; each leads a group of its own. */
  get pids(): readonly number[] {
    return this.#instances
      .all()
      .flatMap(({ lifecycle }) => lifecycle.connected?.connection.transport.pid ?? []);
  }

  /**
   * How the server presents itself to a client: from the catalogue if it is known, else from the server.
   * Rejects with GatewayError.
   */
  async handshake(signal: Abortable, asker: Asker): Promise<Handshake> {
    if (this.config.wire.kind === "stdio") this.#memory.seenExtensions.note(asker);
    const common = this.catalog.handshake ?? (await this.#instances.common().handshake(signal, asker));
    const variant = this.#variantOf(asker);
    if (variant === COMMON) return common;
    const known = this.#variants.get(variant)?.catalog.handshake;
    if (known !== undefined) return known;
    try {
      return await this.#instances.sharedBy(asker).handshake(signal, asker);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      return common;
    }
  }

  /** The key of the connection that serves this kind of client, if clients share the backend. */
  #variantOf(asker: Asker): string {
    const { wire, protocol, scope } = this.config;
    const era = this.catalog.handshake?.era;
    if (era === undefined || wire.kind === "stdio" || scope === "session") return COMMON;
    return variantKey(asker, { era, isModernOnly: protocol !== "auto" || this.#memory.era.isModernOnly });
  }

  /** Which connection serves a client depends on the server's era, so a server of unknown era is asked first. */
  async #whenEraIsKnown({ caller, signal }: Call): Promise<void> {
    const isKnown = this.catalog.handshake !== undefined;
    if (isKnown || this.config.wire.kind === "stdio" || this.config.scope === "session") return;
    await this.#instances.common().handshake(signal, caller);
  }

  /** One kind of list, whole: remembered where it is known, else asked for. Rejects with GatewayError or RpcError. */
  async list(method: string, signal: Abortable): Promise<readonly Json[]> {
    const known = this.catalog.list(method);
    // An empty list may have come too early; a backend that runs can be asked again.
    const isRunning = this.#instances.all().some(({ lifecycle }) => lifecycle.connected !== undefined);
    if (known !== undefined && (known.length > 0 || !isRunning)) return known;
    try {
      return await this.#instances.common().fetch(method, signal);
    } catch (thrown) {
      this.#missed.add(method);
      throw thrown;
    }
  }

  /**
   * As `list`, for a search over many backends: a backend that must be started for it waits for its turn, and sleeps again
   * as soon as it is listed, unless it was called meanwhile. Listing continues after the caller has stopped waiting.
   */
  async glance(method: string, signal: Abortable): Promise<readonly Json[]> {
    const isAsleep = ["stopped", "asleep"].includes(this.#instances.telling?.lifecycle.state ?? "stopped");
    const known = this.catalog.list(method);
    // It was just started for another list.
    const isUnderWay = this.#glances.size > 0;
    if (known !== undefined || (!isAsleep && !isUnderWay)) return this.list(method, signal);
    let glance = this.#glances.get(method);
    if (glance === undefined) {
      glance = this.#glance(method).finally(() => this.#glances.delete(method));
      this.#glances.set(method, glance);
    }
    await untilAborted(glance, signal);
    if (Bun.peek.status(glance) !== "pending") return glance;
    this.#missed.add(method);
    throw new GatewayError("call-cancelled", `${this.name}: nobody waits for its lists any more.`);
  }

  #glance(method: string): Promise<readonly Json[]> {
    const listed = Promise.withResolvers<readonly Json[]>();
    const work = async () => {
      const callsBefore = this.#calls;
      const instance = this.#instances.common();
      const items = await instance.fetch(method, new AbortController().signal);
      listed.resolve(items);
      await instance.compared;
      const { warm, keepAlive, idleTimeoutMs } = this.config;
      const isKept = warm || keepAlive || idleTimeoutMs === 0 || this.#calls > callsBefore;
      if (!isKept) await instance.lifecycle.sleepNow();
    };
    this.#startTurns.run(work).catch((thrown: unknown) => listed.reject(thrown));
    return listed.promise;
  }

  async tools(signal: Abortable): Promise<readonly Tool[]> {
    await this.list(Method.listTools, signal);
    return this.catalog.tools;
  }

  /** Asks for the tools anew, whatever is known. */
  async relist(signal: Abortable): Promise<void> {
    await this.#instances.common().fetch(Method.listTools, signal);
  }

  /** The arguments that a modern HTTP call to this tool mirrors in headers; none for a tool that nobody knows. */
  paramHeaders(tool: string): readonly ParamHeader[] | Promise<readonly ParamHeader[]> {
    if (this.catalog.list(Method.listTools) !== undefined) return this.catalog.paramHeaders(tool) ?? [];
    const deadline = AbortSignal.timeout(PARAM_HEADERS_DEADLINE_MS);
    return this.tools(deadline).then(() => this.catalog.paramHeaders(tool) ?? []);
  }

  /**
   * Passes one call on and returns what the backend answers.
   * Rejects with RpcError (the backend said no) or GatewayError (it could not be asked, or gave no answer).
   */
  async call(call: Call): Promise<Answer> {
    this.#policy?.toOwn(call); // What there is not for clients wakes nobody.
    const remembered = this.#remembered(call);
    if (remembered !== undefined) return remembered;
    this.#calls += 1;
    const startedMs = performance.now();
    const { observe } = this.#options;
    observe?.inFlightChanged(this.name, 1);
    const place = this.#admission.enter(call.signal);
    let hasPlace = place === undefined;
    try {
      if (place !== undefined) await place;
      hasPlace = true;
      if (this.catalog.handshake === undefined) await this.#whenEraIsKnown(call);
      const instance = this.#instances.of(call.caller);
      const entered = instance.enter(call);
      const turn = entered instanceof Promise ? await entered : entered;
      let answer: Answer;
      try {
        answer = await instance.ask(turn);
        instance.answered(turn);
      } catch (thrown) {
        answer = await instance.failed(turn, thrown);
      }
      observe?.callFinished(this.name, call, (performance.now() - startedMs) / 1000, answer);
      return answer;
    } catch (thrown) {
      observe?.callFinished(this.name, call, (performance.now() - startedMs) / 1000, { thrown });
      throw thrown;
    } finally {
      if (hasPlace) this.#admission.leave();
      observe?.inFlightChanged(this.name, -1);
    }
  }

  subscribe(subscriber: Subscriber): Disposable {
    return this.#subscriptions.add(subscriber);
  }

  /** Passes a client's notification on, if the server is of an era that has a use for it. */
  notify(message: Notification, caller: Caller): void {
    if (!NOTICES.has(message.method)) return this.#passOn(message, caller);
    for (const instance of this.#instances.all()) instance.notify(message);
  }

  /** Wakes the backend, and keeps it awake until the last watch has ended. Rejects with RpcError or GatewayError. */
  async watch(uri: string, subscriber: Subscriber, call: Call): Promise<Watch> {
    return await this.#instances.of(call.caller).watch(uri, subscriber, call.signal);
  }

  /** True while a client watches one of its resources. */
  get isWatched(): boolean {
    return this.#subscriptions.watchedKeys.length > 0;
  }

  /** Starts it where it is not running, for those who watch it or for all. Rejects with GatewayError. */
  async wake(signal: Abortable): Promise<void> {
    const keys = this.#subscriptions.watchedKeys;
    const instances = (keys.length > 0 ? keys : [""]).map((key) => this.#instances.withKey(key));
    await Promise.all(instances.map(({ lifecycle }) => lifecycle.use(signal, () => Promise.resolve())));
  }

  /** Starts it in the background where it sleeps and may well be called soon; what has failed is left alone. */
  async prestart(): Promise<void> {
    if (this.config.scope === "shared") await this.#instances.common().lifecycle.prestart();
  }

  /** Resolves when what a start has brought to light is known. */
  async whenCompared(): Promise<void> {
    await Promise.all(this.#instances.all().map(({ compared }) => compared));
  }

  /** Tells all clients that what is offered here may have changed. */
  announceChange(): void {
    this.#subscriptions.announceChange(this.catalog.handshake?.description.capabilities);
  }

  /** Tells those who listen that nothing more will come: no other is to take its place. */
  announceEnd(): void {
    this.#subscriptions.end();
  }

  /** Lets what it was asked for end, starts no more by then, and ends. */
  async retire(timeoutMs: number): Promise<void> {
    const isUsed = () => this.#instances.all().some(({ lifecycle }) => lifecycle.users > 0);
    await waitWhile(() => this.#admission.isBusy || isUsed(), timeoutMs);
    await this[Symbol.asyncDispose]();
  }

  /** Resolves when no call is in flight any more, or after `timeoutMs`. */
  async whenIdle(timeoutMs: number): Promise<void> {
    await Promise.all(this.#instances.all().map(({ lifecycle }) => lifecycle.whenIdle(timeoutMs)));
  }

  /** Ends the connection for good. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#instances[Symbol.asyncDispose]();
    this.#listing[Symbol.dispose]();
    await this.#memory[Symbol.asyncDispose]();
  }

  /** A list of a backend that is not running, without waking it. */
  #remembered(call: Call): Answer | undefined {
    const key = LIST_KEY.get(call.method);
    if (key === undefined || (call.params?.cursor ?? undefined) !== undefined) return undefined;
    const lifecycle = this.#instances.find(call.caller)?.lifecycle;
    const variant = this.#variantOf(call.caller);
    const own = variant === COMMON ? this.catalog : this.#variants.get(variant)?.catalog;
    // If this connection cannot be made, the lists of the common one are used.
    const catalogs = lifecycle?.state === "failed" ? [own, this.catalog] : [own];
    const catalog = catalogs.find((known) => known?.whole(call.method) !== undefined);
    const handshake = catalog?.handshake;
    const list = catalog?.whole(call.method);
    if (lifecycle?.connected !== undefined || handshake === undefined || list === undefined) return undefined;
    this.#options.observe?.answeredFromCatalog(this.name, call);
    return translateAnswer(handshake, call, { result: changed(list.rest, { [key]: list.items }) });
  }

  /** A notification of the client's own reaches a server of its era, which is woken for it. */
  #passOn(message: Notification, caller: Caller): void {
    const era = this.#variantOf(caller) === COMMON ? this.catalog.handshake?.era : "legacy";
    if (era !== undefined && era !== caller.era) return;
    Promise.try(() => this.#instances.of(caller).passOn(message, caller)).catch((thrown: unknown) => {
      this.#log.debug("a client's notification was not delivered", {
        method: message.method,
        error: messageOf(thrown),
      });
    });
  }

  #makeListing(catalog: Catalog, onLearnt: (method: string, isChanged: boolean) => void): Listing {
    return new Listing({
      catalog,
      policy: this.#policy,
      identity: this.#options.identity,
      timeoutMs: this.config.requestTimeoutMs,
      log: this.#log,
      budget: this.#options.budget,
      onLearnt,
    });
  }

  /** The lists of a variant are kept in memory only, not on disk. */
  #variant(key: string): Variant {
    const known = this.#variants.get(key);
    if (known !== undefined) return known;
    const catalog = new Catalog();
    const listing = this.#makeListing(catalog, (method, isChanged) => {
      if (isChanged) this.#announce(method, this.#audienceOf(key));
    });
    const variant = { catalog, listing };
    this.#variants.set(key, variant);
    return variant;
  }

  /** Of a server that speaks both eras, each connection is heard by the clients of its own. */
  #audienceOf(key: string): Era | undefined {
    if (this.catalog.handshake?.era !== "modern") return undefined;
    if (key !== COMMON) return "legacy";
    const isShared = this.#instances.variants.some(({ lifecycle }) => lifecycle.connected !== undefined);
    return isShared ? "modern" : undefined;
  }

  #makeInstance(key: string, config: BackendConfig, onAsleep: () => void): Instance {
    const { identity, via, observe, predecessor } = this.#options;
    const isOwn = config.scope === "session" && key !== COMMON;
    const variant = isOwn ? undefined : readVariant(key);
    const { catalog, listing } =
      variant === undefined ? { catalog: this.catalog, listing: this.#listing } : this.#variant(key);
    return new Instance({
      key,
      isOwn,
      variant,
      audience: () => (isOwn ? undefined : this.#audienceOf(key)),
      identity,
      via: via === undefined ? undefined : () => via(this.name),
      config,
      log: this.#log,
      budget: this.#options.budget,
      catalog,
      listing,
      policy: this.#policy,
      era: this.#memory.era,
      seenExtensions: this.#memory.seenExtensions,
      habits: this.#memory.habits,
      subscriptions: this.#subscriptions,
      onStateChanged: (state, before) => {
        observe?.stateChanged(this.name, state, before);
        if (state === "asleep") onAsleep();
      },
      onStarted: (seconds) => observe?.started(this.name, seconds),
      onListed: async (connected) => {
        if (variant === undefined) await this.#memory.startedWell(connected);
      },
      ...(predecessor === undefined ? {} : { predecessor }),
      explainFailure: (error) => this.#memory.lastGood.explain(error),
    });
  }

  #learnt(method: string, isChanged: boolean): void {
    this.#memory.keep();
    if (this.#missed.delete(method) || isChanged) this.#announce(method, this.#audienceOf(COMMON));
  }

  #announce(method: string, era: Era | undefined): void {
    for (const [notice, methods] of STALE_AFTER) {
      if (methods.includes(method)) this.#subscriptions.deliver(notification(notice), { era });
    }
  }
}

/** What `auto` turns out to be is known once it runs. */
function configuredTransport({ wire }: BackendConfig): string {
  if (wire.kind === "stdio") return "stdio";
  return wire.transport === "sse" ? "sse" : "http";
}
