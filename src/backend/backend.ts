// One configured MCP server: asleep until somebody needs it, one connection for all callers, asleep again when idle.
// Everything that changes the state goes through #become. Knows nothing of edges or of how clients are told.

import type { BackendConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import type { Answer, Call, Era, Subscriber } from "../protocol/call.ts";
import { GatewayError } from "../protocol/errors.ts";
import type { Json, Notification } from "../protocol/jsonrpc.ts";
import { type Implementation, LIST_KEY, Method, STALE_AFTER } from "../protocol/mcp.ts";
import type { ParamHeader } from "../protocol/param-headers.ts";
import type { WireEnd } from "../transport/transport.ts";
import { Catalog, type Tool } from "./catalog.ts";
import { type Connection, describeEnd } from "./connection.ts";
import { exchange, translateAnswer } from "./exchange.ts";
import type { Connected } from "./handshake.ts";
import type { Handshake } from "./introductions.ts";
import { Listing } from "./listing.ts";
import { isRepeatable, isSessionExpired } from "./repeating.ts";
import { SharedWire } from "./shared-wire.ts";
import { isPermanent, messageOf, startWithin } from "./starting.ts";
import { backoffMs, type Failed, isWay, type Ready, type State, type StateName } from "./state.ts";
import { Subscriptions } from "./subscriptions.ts";
import { Watching } from "./watching.ts";

export interface BackendOptions {
  readonly identity: Implementation;
  readonly log: Log;
  readonly observe?: BackendObserver;
}

/** What happens to a backend, for those who count it. */
export interface BackendObserver {
  stateChanged(backend: string, state: StateName, before: StateName): void;
  started(backend: string, seconds: number): void;
  callFinished(backend: string, call: Call, seconds: number, outcome: Answer | { thrown: unknown }): void;
  inFlightChanged(backend: string, delta: 1 | -1): void;
  /** A list was asked for and the backend was left asleep. */
  answeredFromCatalog(backend: string, call: Call): void;
}

export interface BackendStatus {
  readonly state: StateName;
  readonly transport: string;
  readonly revision: string | undefined;
  readonly starts: number;
  readonly inFlight: number;
  /** Undefined where the tools were never listed. */
  readonly toolCount: number | undefined;
  readonly lastError: string | undefined;
  readonly pid: number | undefined;
}

/** A retired connection is closed when its last call has ended, or after this long. */
const RETIRE_TIMEOUT_MS = 60_000;

export class Backend implements AsyncDisposable {
  readonly config: BackendConfig;
  readonly catalog = new Catalog();
  readonly #options: BackendOptions;
  readonly #log: Log;
  readonly #subscriptions = new Subscriptions();
  readonly #watching: Watching;
  readonly #listing: Listing;
  readonly #shared = new SharedWire();
  readonly #closing = new AbortController();
  #state: State = { name: "stopped" };
  #attempts = 0;
  #starts = 0;
  #lastError: string | undefined;
  #era: Era | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(config: BackendConfig, options: BackendOptions) {
    this.config = config;
    this.#options = options;
    this.#log = options.log.with({ backend: config.name });
    this.#watching = new Watching(this.#subscriptions, options.identity, (notification) =>
      this.#hear(notification),
    );
    this.#listing = new Listing(this.catalog, options.identity, config.requestTimeoutMs, this.#log);
  }

  get name(): string {
    return this.config.name;
  }

  status(): BackendStatus {
    const state = this.#state;
    const connection = state.name === "ready" ? state.connected.connection : undefined;
    const { wire } = this.config;
    const configured = wire.kind === "stdio" ? "stdio" : wire.transport === "sse" ? "sse" : "http";
    return {
      state: state.name,
      transport: connection?.transport.kind ?? configured,
      revision: this.catalog.handshake?.revision,
      starts: this.#starts,
      inFlight: state.name === "ready" ? state.inFlight : 0,
      toolCount: this.catalog.list(Method.listTools)?.length,
      lastError: this.#lastError ?? this.config.problem,
      pid: connection?.transport.pid,
    };
  }

  /** How the server presents itself: remembered where it is known, asked where it is not. Rejects with GatewayError. */
  async handshake(signal: AbortSignal): Promise<Handshake> {
    if (this.catalog.handshake !== undefined) return this.catalog.handshake;
    const { state, release } = await this.#acquire(signal);
    release();
    return state.connected;
  }

  /** One kind of list, whole: remembered where it is known, else asked for. Rejects with GatewayError or RpcError. */
  async list(method: string, signal: AbortSignal): Promise<readonly Json[]> {
    const known = this.catalog.list(method);
    if (known !== undefined && (known.length > 0 || this.#state.name !== "ready")) return known;
    const { state, release } = await this.#acquire(signal);
    try {
      return await this.#listing.fetch(state.connected, method, signal);
    } finally {
      release();
    }
  }

  async tools(signal: AbortSignal): Promise<readonly Tool[]> {
    await this.list(Method.listTools, signal);
    return this.catalog.tools;
  }

  /** Asks for the tools anew, whatever is known. */
  async relist(signal: AbortSignal): Promise<void> {
    const { state, release } = await this.#acquire(signal);
    try {
      await this.#listing.fetch(state.connected, Method.listTools, signal);
    } finally {
      release();
    }
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
      this.#attempts = 0;
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
    if (this.#state.name !== "ready" || this.#state.connected.era !== "legacy") return;
    void this.#state.connected.connection.notify(notification.method, notification.params);
  }

  async watch(uri: string, subscriber: Subscriber, call: Call): Promise<void> {
    const { state, release } = await this.#acquire(call.signal);
    try {
      await this.#watching.watch(state.connected, uri, subscriber, this.config.requestTimeoutMs);
    } finally {
      release();
    }
  }

  async unwatch(uri: string, subscriber: Subscriber): Promise<void> {
    const connected = this.#state.name === "ready" ? this.#state.connected : undefined;
    await this.#watching.unwatch(connected, uri, subscriber, this.config.requestTimeoutMs);
    if (this.#state.name === "ready") this.#armIdleTimer(this.#state);
  }

  /** Ends the connection for good, after the calls in flight or `graceMs`, whichever is first. */
  async drain(graceMs: number): Promise<void> {
    const state = this.#state;
    if (state.name === "ready" && state.inFlight > 0) await state.connected.connection.whenIdle(graceMs);
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#idleTimer);
    if (this.#state.name === "starting" || this.#state.name === "draining") await this.#state.done;
    if (this.#state.name === "ready") await this.#end(this.#state, "stopped");
    if (this.#state.name !== "stopped") this.#become({ name: "stopped" });
  }

  /** A list of a backend that is not running, without waking it. */
  #remembered(call: Call): Answer | undefined {
    const handshake = this.catalog.handshake;
    if (this.#state.name === "ready" || handshake === undefined || call.params?.cursor !== undefined)
      return undefined;
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
      const isOver = call.signal.aborted || this.#closing.signal.aborted;
      const tool = this.catalog.tool(String(call.params?.name));
      if (isOver || !isRepeatable(call, thrown, tool)) throw thrown;
      this.#log.info("repeating a call on a new connection", { method: call.method });
      return this.#callOnce(call);
    }
  }

  async #callOnce(call: Call): Promise<Answer> {
    const { state, release } = await this.#acquire(call.signal);
    const { connected } = state;
    try {
      await this.#shared.ensureLogLevel(connected, call, this.config.requestTimeoutMs);
      const answer = await this.#shared.run(connected, call, (turn) => this.#exchange(connected, turn));
      return call.method === Method.listTools ? this.#listing.withoutInvalidTools(connected, answer) : answer;
    } catch (thrown) {
      if (isSessionExpired(thrown)) this.#renew(state);
      throw thrown;
    } finally {
      release();
    }
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

  /** A ready connection, with the call counted in flight until `release`. Waits for a start, under the call's signal. */
  async #acquire(signal: AbortSignal): Promise<{ state: Ready; release: () => void }> {
    for (;;) {
      if (signal.aborted) throw new GatewayError("call-cancelled", `${this.name}: the call was cancelled.`);
      if (this.#closing.signal.aborted) {
        throw new GatewayError(
          "shutting-down",
          `${this.name}: the gateway is closing this backend; try again shortly.`,
        );
      }
      const state = this.#state;
      if (state.name === "ready") return { state, release: this.#claim(state) };
      if (state.name === "starting" || state.name === "draining") await untilAborted(state.done, signal);
      else this.#startUnlessHopeless();
    }
  }

  #claim(state: Ready): () => void {
    state.inFlight += 1;
    clearTimeout(this.#idleTimer);
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      state.inFlight -= 1;
      state.idleSinceMs = Date.now();
      if (this.#state === state) this.#armIdleTimer(state);
    };
  }

  #startUnlessHopeless(): void {
    if (!this.config.enabled) {
      throw new GatewayError(
        "backend-disabled",
        `${this.name} is disabled in the configuration (enabled: false).`,
      );
    }
    if (this.config.problem !== undefined) {
      throw new GatewayError("backend-disabled", `${this.name} cannot start: ${this.config.problem}`);
    }
    if (this.#state.name === "failed") this.#throwIfTooEarly(this.#state);
    this.#start();
  }

  #throwIfTooEarly(state: Failed): void {
    if (state.permanent) throw state.error;
    const waitMs = state.retryAtMs - Date.now();
    if (waitMs <= 0) return;
    const seconds = Math.ceil(waitMs / 1000);
    throw new GatewayError(
      "backend-failed",
      `${state.error.message}\n(${state.attempts} failures in a row; the next attempt is possible in ${seconds} s.)`,
      { cause: state.error },
    );
  }

  #start(): void {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#become({ name: "starting", done });
    this.#starts += 1;
    this.#shared.reset();
    const startedMs = performance.now();
    this.#connect()
      .then((connected) => {
        this.#options.observe?.started(this.name, (performance.now() - startedMs) / 1000);
        this.#enter(connected);
      })
      .catch((thrown: unknown) => this.#fail(thrown))
      .finally(resolve);
  }

  #connect(): Promise<Connected> {
    return startWithin(this.config, {
      identity: this.#options.identity,
      log: this.#log,
      remembered: this.#era,
      signal: this.#closing.signal,
      events: {
        onNotification: (notification) => this.#hear(notification),
        onSharedQuestion: () => {
          this.#shared.hasAsked = true;
        },
        onSharedLog: () => {
          this.#shared.hasLogged = true;
        },
        onEnd: (end) => this.#wireEnded(end),
      },
    });
  }

  #enter(connected: Connected): void {
    const { connection } = connected;
    if (connection.end !== undefined) {
      throw new GatewayError("backend-failed", describeEnd(this.name, connection.end));
    }
    if (this.#closing.signal.aborted) {
      void connection[Symbol.asyncDispose]();
      throw new GatewayError("shutting-down", `${this.name}: the gateway is closing.`);
    }
    this.#era = connected.era;
    this.catalog.learnHandshake(connected);
    const state: Ready = { name: "ready", connected, inFlight: 0, idleSinceMs: Date.now() };
    this.#become(state);
    this.#lastError = undefined;
    this.#armIdleTimer(state);
    this.#refresh(connected);
    this.#watching.resume(connected, this.config.requestTimeoutMs);
  }

  /** Lists anew what is known, and the tools in any case, without keeping anybody waiting. */
  #refresh(connected: Connected, methods?: readonly string[]): void {
    this.#listing.refresh(connected, methods, this.#closing.signal).catch((thrown: unknown) => {
      if (connected.connection.end !== undefined) return;
      this.#log.warning("the tools could not be listed", { error: messageOf(thrown) });
    });
  }

  #hear(notification: Notification): void {
    const stale = STALE_AFTER.get(notification.method);
    if (stale !== undefined && this.#state.name === "ready") this.#refresh(this.#state.connected, stale);
    this.#subscriptions.deliver(notification);
  }

  #wireEnded(end: WireEnd): void {
    const state = this.#state;
    if (state.name !== "ready" || state.connected.connection.end !== end) return;
    this.#fail(new GatewayError("backend-failed", describeEnd(this.name, end)), end.permanent);
  }

  #fail(thrown: unknown, permanent = isPermanent(thrown)): void {
    clearTimeout(this.#idleTimer);
    if (this.#closing.signal.aborted) return this.#become({ name: "stopped" });
    if (this.#state.name === "starting") this.#era = undefined; // What was remembered may be what failed.
    this.#attempts += 1;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.#lastError = error.message;
    // A server that ran and died once may be started at once; one that keeps dying, or never came up, may not.
    const isFirstCrash = this.#state.name === "ready" && this.#attempts === 1;
    const retryAtMs = isFirstCrash ? 0 : Date.now() + backoffMs(this.#attempts);
    this.#log.error(permanent ? "failed, and will not be retried until the settings change" : "failed", {
      error: error.message,
      attempts: this.#attempts,
    });
    this.#become({ name: "failed", error, permanent, attempts: this.#attempts, retryAtMs });
  }

  /** The backend forgot our session: a new connection for the calls to come, while the old one ends its own. */
  #renew(state: Ready): void {
    if (this.#state !== state) return;
    this.#log.info("the server has forgotten the session; opening a new one");
    void retire(state.connected.connection);
    this.#start();
  }

  #armIdleTimer(state: Ready): void {
    clearTimeout(this.#idleTimer);
    const { idleTimeoutMs } = this.config;
    if (idleTimeoutMs <= 0 || state.inFlight > 0 || this.#subscriptions.watched.length > 0) return;
    this.#idleTimer = setTimeout(() => {
      if (this.#state === state && state.inFlight === 0) void this.#end(state, "asleep");
    }, idleTimeoutMs);
  }

  async #end(state: Ready, next: "asleep" | "stopped"): Promise<void> {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#become({ name: "draining", done });
    clearTimeout(this.#idleTimer);
    try {
      await state.connected.connection[Symbol.asyncDispose]();
    } finally {
      this.#become({ name: next });
      resolve();
    }
  }

  #become(next: State): void {
    const before = this.#state.name;
    if (!isWay(before, next.name)) throw new Error(`${this.name}: no way from ${before} to ${next.name}`);
    this.#state = next;
    this.#log.debug("state", { from: before, to: next.name });
    this.#options.observe?.stateChanged(this.name, next.name, before);
  }
}

async function retire(connection: Connection): Promise<void> {
  await connection.whenIdle(RETIRE_TIMEOUT_MS);
  await connection[Symbol.asyncDispose]();
}

/** Waits for a promise that never rejects, or for the signal, whichever is first. */
function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      signal.removeEventListener("abort", finish);
      resolve();
    };
    signal.addEventListener("abort", finish, { once: true });
    void promise.then(finish);
  });
}
