// One configured MCP server for all callers: its calls, its lists, who listens to it. When it runs is its lifecycle's
// business; how clients are told, the edges'.

import type { BackendConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import type { Answer, Call, Era, Subscriber } from "../protocol/call.ts";
import type { Json, Notification } from "../protocol/jsonrpc.ts";
import { type Implementation, LIST_KEY, Method, STALE_AFTER } from "../protocol/mcp.ts";
import type { ParamHeader } from "../protocol/param-headers.ts";
import { Catalog, type Tool } from "./catalog.ts";
import { exchange, translateAnswer } from "./exchange.ts";
import type { Connected } from "./handshake.ts";
import type { Handshake } from "./introductions.ts";
import { Lifecycle } from "./lifecycle.ts";
import { Listing } from "./listing.ts";
import type { BackendObserver, BackendStatus } from "./observation.ts";
import { isRepeatable, isSessionExpired } from "./repeating.ts";
import { SharedWire } from "./shared-wire.ts";
import { messageOf, startWithin } from "./starting.ts";
import { Subscriptions } from "./subscriptions.ts";
import { Watching } from "./watching.ts";

export interface BackendOptions {
  readonly identity: Implementation;
  readonly log: Log;
  readonly observe?: BackendObserver;
}

/** How long a wire that refused a message may take to end. */
const WIRE_END_MS = 2_000;

export class Backend implements AsyncDisposable {
  readonly config: BackendConfig;
  readonly catalog = new Catalog();
  readonly #options: BackendOptions;
  readonly #log: Log;
  readonly #lifecycle: Lifecycle;
  readonly #subscriptions: Subscriptions;
  readonly #watching: Watching;
  readonly #listing: Listing;
  readonly #shared = new SharedWire();
  /** The era that the last handshake found; undefined asks anew. */
  #era: Era | undefined;

  /** In the place of `before`, it takes over who listens to what. */
  constructor(config: BackendConfig, options: BackendOptions, before?: Backend) {
    this.config = config;
    this.#options = options;
    this.#subscriptions = before === undefined ? new Subscriptions() : before.#subscriptions;
    this.#log = options.log.with({ backend: config.name });
    const { identity } = options;
    this.#watching = new Watching(this.#subscriptions, identity, (message) => this.#hear(message));
    this.#listing = new Listing(this.catalog, identity, config.requestTimeoutMs, this.#log);
    this.#lifecycle = new Lifecycle(config, {
      log: this.#log,
      connect: (signal) => this.#connect(signal),
      onReady: (connected) => this.#takeUp(connected),
      onStateChanged: (state, before) => options.observe?.stateChanged(config.name, state, before),
      isWatched: () => this.#subscriptions.watched.length > 0,
    });
  }

  get name(): string {
    return this.config.name;
  }

  status(): BackendStatus {
    const { state, starts, inFlight, lastError, connected } = this.#lifecycle;
    const transport = connected?.connection.transport;
    return {
      state,
      transport: transport?.kind ?? configuredTransport(this.config),
      revision: this.catalog.handshake?.revision,
      starts,
      inFlight,
      toolCount: this.catalog.list(Method.listTools)?.length,
      lastError: lastError ?? this.config.problem,
      pid: transport?.pid,
    };
  }

  /** How the server presents itself: remembered where it is known, asked where it is not. Rejects with GatewayError. */
  async handshake(signal: AbortSignal): Promise<Handshake> {
    return (
      this.catalog.handshake ?? (await this.#lifecycle.use(signal, (connected) => Promise.resolve(connected)))
    );
  }

  /** One kind of list, whole: remembered where it is known, else asked for. Rejects with GatewayError or RpcError. */
  async list(method: string, signal: AbortSignal): Promise<readonly Json[]> {
    const known = this.catalog.list(method);
    // An empty list may have come too early; a backend that runs can be asked again.
    if (known !== undefined && (known.length > 0 || this.#lifecycle.connected === undefined)) return known;
    return this.#lifecycle.use(signal, (connected) => this.#listing.fetch(connected, method, signal));
  }

  async tools(signal: AbortSignal): Promise<readonly Tool[]> {
    await this.list(Method.listTools, signal);
    return this.catalog.tools;
  }

  /** Asks for the tools anew, whatever is known. */
  async relist(signal: AbortSignal): Promise<void> {
    await this.#lifecycle.use(signal, (connected) =>
      this.#listing.fetch(connected, Method.listTools, signal),
    );
  }

  /** The arguments that a modern HTTP call to this tool mirrors in headers; none for a tool that nobody knows. */
  async paramHeaders(tool: string, signal: AbortSignal): Promise<readonly ParamHeader[]> {
    if (this.catalog.list(Method.listTools) === undefined) await this.tools(signal);
    return this.catalog.paramHeaders(tool) ?? [];
  }

  /**
   * Passes one call on and returns what the backend answers.
   * Rejects with RpcError (the backend said no) or GatewayError (it could not be asked, or gave no answer).
   */
  async call(call: Call): Promise<Answer> {
    const remembered = this.#remembered(call);
    if (remembered !== undefined) return remembered;
    const startedMs = performance.now();
    const { observe } = this.#options;
    observe?.inFlightChanged(this.name, 1);
    try {
      const answer = await this.#callOrRepeat(call);
      this.#lifecycle.succeeded();
      observe?.callFinished(this.name, call, (performance.now() - startedMs) / 1000, answer);
      return answer;
    } catch (thrown) {
      observe?.callFinished(this.name, call, (performance.now() - startedMs) / 1000, { thrown });
      throw thrown;
    } finally {
      observe?.inFlightChanged(this.name, -1);
    }
  }

  subscribe(subscriber: Subscriber): Disposable {
    return this.#subscriptions.add(subscriber);
  }

  /** Passes a client's notification on, where a backend of this era has a use for it. */
  notify(notification: Notification): void {
    const { connected } = this.#lifecycle;
    if (connected?.era === "legacy")
      void connected.connection.notify(notification.method, notification.params);
  }

  /** Wakes the backend, and keeps it awake until the last watcher is gone. */
  async watch(uri: string, subscriber: Subscriber, call: Call): Promise<void> {
    const { requestTimeoutMs } = this.config;
    await this.#lifecycle.use(call.signal, (connected) =>
      this.#watching.watch(connected, uri, subscriber, requestTimeoutMs),
    );
  }

  async unwatch(uri: string, subscriber: Subscriber): Promise<void> {
    const { requestTimeoutMs } = this.config;
    await this.#watching.unwatch(this.#lifecycle.connected, uri, subscriber, requestTimeoutMs);
    this.#lifecycle.reconsiderSleep();
  }

  /** True while a client watches one of its resources. */
  get isWatched(): boolean {
    return this.#subscriptions.watched.length > 0;
  }

  /** Starts it where it is not running. Rejects with GatewayError. */
  async wake(signal: AbortSignal): Promise<void> {
    await this.#lifecycle.use(signal, () => Promise.resolve());
  }

  /** Tells all clients that what is offered here may have changed. */
  announceChange(): void {
    this.#subscriptions.announceChange(this.catalog.handshake?.description.capabilities);
  }

  /** Lets what it was asked for end, starts no more by then, and ends. */
  async retire(timeoutMs: number): Promise<void> {
    await this.#lifecycle.whenUnused(timeoutMs);
    await this[Symbol.asyncDispose]();
  }

  /** Resolves when no call is in flight any more, or after `timeoutMs`. */
  whenIdle(timeoutMs: number): Promise<void> {
    return this.#lifecycle.whenIdle(timeoutMs);
  }

  /** Ends the connection for good. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#lifecycle[Symbol.asyncDispose]();
  }

  /** A list of a backend that is not running, without waking it. */
  #remembered(call: Call): Answer | undefined {
    const { handshake } = this.catalog;
    const isRunning = this.#lifecycle.connected !== undefined;
    if (isRunning || handshake === undefined || call.params?.cursor !== undefined) return undefined;
    const items = this.catalog.list(call.method);
    const key = LIST_KEY.get(call.method);
    if (items === undefined || key === undefined) return undefined;
    this.#options.observe?.answeredFromCatalog(this.name, call);
    return translateAnswer(handshake, call, { result: { [key]: items } });
  }

  async #callOrRepeat(call: Call): Promise<Answer> {
    try {
      return await this.#callOnce(call);
    } catch (thrown) {
      const isOver = call.signal.aborted || this.#lifecycle.closing.aborted;
      const tool = this.catalog.tool(String(call.params?.name));
      if (isOver || !isRepeatable(call, thrown, tool)) throw thrown;
      this.#log.info("repeating a call on a new connection", { method: call.method });
      return this.#callOnce(call);
    }
  }

  #callOnce(call: Call): Promise<Answer> {
    return this.#lifecycle.use(call.signal, async (connected) => {
      try {
        await this.#shared.ensureLogLevel(connected, call, this.config.requestTimeoutMs);
        const answer = await this.#shared.run(connected, call, (turn) => this.#exchange(connected, turn));
        return call.method === Method.listTools
          ? this.#listing.withoutInvalidTools(connected, answer)
          : answer;
      } catch (thrown) {
        if (isSessionExpired(thrown)) this.#lifecycle.renew(connected);
        throw thrown;
      }
    });
  }

  #exchange(connected: Connected, call: Call): Promise<Answer> {
    return exchange(connected, call, {
      timeoutMs: this.config.requestTimeoutMs,
      questionTimeoutMs: this.config.questionTimeoutMs,
      paramHeaders: async (tool, isFresh) => {
        if (isFresh) await this.#listing.fetch(connected, Method.listTools, call.signal);
        return this.paramHeaders(tool, call.signal);
      },
      onUrlQuestion: (id, key) => this.#subscriptions.expectCompletion(id, key),
    });
  }

  async #connect(signal: AbortSignal): Promise<Connected> {
    const startedMs = performance.now();
    const remembered = this.#era;
    this.#era = undefined; // Until this start succeeds: what was remembered may be what fails.
    const connected = await startWithin(this.config, {
      identity: this.#options.identity,
      log: this.#log,
      remembered,
      signal,
      events: {
        onNotification: (notification) => this.#hear(notification),
        onSharedQuestion: () => {
          this.#shared.hasAsked = true;
        },
        onSharedLog: () => {
          this.#shared.hasLogged = true;
        },
        onEnd: (end) => this.#lifecycle.wireEnded(end),
      },
    });
    this.#era = connected.era;
    this.#options.observe?.started(this.name, (performance.now() - startedMs) / 1000);
    return connected;
  }

  #takeUp(connected: Connected): void {
    this.#shared.reset();
    this.catalog.learnHandshake(connected);
    this.#refresh(connected);
    this.#watching.resume(connected, this.config.requestTimeoutMs);
  }

  /** Lists anew what the server declares, or what is named, without keeping anybody waiting. */
  #refresh(connected: Connected, methods?: readonly string[]): void {
    this.#listing.refresh(connected, methods, this.#lifecycle.closing).catch((thrown: unknown) => {
      if (connected.connection.end !== undefined || this.#lifecycle.closing.aborted) return;
      this.#log.warning("the server's lists could not be read", { error: messageOf(thrown) });
    });
  }

  #hear(notification: Notification): void {
    const stale = STALE_AFTER.get(notification.method);
    const { connected } = this.#lifecycle;
    if (stale !== undefined && connected !== undefined) this.#refresh(connected, stale);
    this.#subscriptions.deliver(notification);
  }
}

/** What `auto` turns out to be is known once it runs. */
function configuredTransport({ wire }: BackendConfig): string {
  if (wire.kind === "stdio") return "stdio";
  return wire.transport === "sse" ? "sse" : "http";
}
