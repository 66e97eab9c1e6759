// The life of one backend: asleep until somebody needs it, one connection for all callers, asleep again when idle.
// Every change of state goes through #become. It knows when to connect and when to end, and not what is said in between.

import type { BackendConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import { type Abortable, untilAborted } from "../protocol/cancellation.ts";
import { GatewayError } from "../protocol/errors.ts";
import type { WireEnd } from "../transport/transport.ts";
import type { Connection } from "./connection/connection.ts";
import { describeEnd } from "./connection/wire-failure.ts";
import { Failures } from "./failures.ts";
import type { Connected } from "./handshake.ts";
import { IdleClock } from "./idle-clock.ts";
import { hasChangedSince, isPermanent } from "./starting.ts";
import { type Failed, isWay, type Ready, type State, type StateName } from "./state.ts";

export interface LifecycleOptions {
  readonly log: Log;
  /** Opens a connection; rejects with GatewayError. The signal ends the attempt. */
  readonly connect: (signal: AbortSignal) => Promise<Connected>;
  /** A connection is ready, before any call runs on it. */
  readonly onReady: (connected: Connected) => void;
  readonly onStateChanged: (state: StateName, before: StateName) => void;
  /** True while somebody needs the backend awake although no call is in flight. */
  readonly isWatched: () => boolean;
  /** Resolves when the processes of the predecessor have ended; undefined if there are none. */
  readonly predecessor?: () => Promise<void> | undefined;
}

export class Lifecycle implements AsyncDisposable {
  readonly #config: BackendConfig;
  readonly #options: LifecycleOptions;
  readonly #closing = new AbortController();
  #state: State = { name: "stopped" };
  readonly #idle: IdleClock;
  /** Starts again what is to be kept alive. */
  #revivalTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #failures: Failures;
  /** Connections that end their last calls while a newer one serves. */
  readonly #retiring = new Set<Connection>();
  /** The last connection that broke; its process may still be ending. */
  #last: Connection | undefined;
  /** Whoever works on a connection or waits for one. */
  #users = 0;
  /** How often a start was tried. */
  starts = 0;
  lastError: string | undefined;

  constructor(config: BackendConfig, options: LifecycleOptions) {
    this.#config = config;
    this.#options = options;
    this.#failures = new Failures(config.name);
    this.#idle = new IdleClock(config.keepAlive ? 0 : config.idleTimeoutMs, () => void this.#fallAsleep());
  }

  get state(): StateName {
    return this.#state.name;
  }

  get inFlight(): number {
    return this.#state.name === "ready" ? this.#state.inFlight : 0;
  }

  /** How many work on a connection or wait for one. */
  get users(): number {
    return this.#users;
  }

  /** When the last call ended, on the clock of `performance`. */
  get idleSinceMs(): number {
    return this.#idle.sinceMs;
  }

  /** The connection that calls run on now, if there is one. */
  get connected(): Connected | undefined {
    return this.#state.name === "ready" ? this.#state.connected : undefined;
  }

  /** Aborted when this backend is closed for good. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * Runs work on a ready connection and counts it in flight. Waits for a start, under the caller's signal.
   * Rejects with GatewayError where there is no connection to be had, and as the work does.
   */
  async use<T>(signal: Abortable, work: (connected: Connected) => Promise<T>): Promise<T> {
    const ready = await this.enter(signal);
    try {
      return await work(ready.connected);
    } finally {
      this.leave(ready);
    }
  }

  /** The first half of `use`: whoever came in must `leave`. At once where there is a connection. Rejects as `use`. */
  enter(signal: Abortable): Ready | Promise<Ready> {
    this.#users += 1;
    const state = this.#state;
    if (state.name !== "ready" || signal.aborted || this.#closing.signal.aborted) return this.#await(signal);
    state.inFlight += 1;
    return state;
  }

  leave(ready: Ready): void {
    this.#users -= 1;
    ready.inFlight -= 1;
    if (this.#state === ready && ready.inFlight === 0) this.#idle.begin();
  }

  async #await(signal: Abortable): Promise<Ready> {
    const state = await this.#acquire(signal).catch((thrown: unknown) => {
      this.#users -= 1;
      throw thrown;
    });
    state.inFlight += 1;
    return state;
  }

  /** A call has succeeded: earlier failures count no more. */
  succeeded(): void {
    this.#failures.forget();
  }

  /** Starts it where it sleeps, without anybody waiting; resolves when that is settled. Leaves alone what has failed. */
  async prestart(): Promise<void> {
    const { enabled, problem } = this.#config;
    const isAsleep = this.#state.name === "asleep" || this.#state.name === "stopped";
    if (isAsleep && enabled && problem === undefined && !this.#closing.signal.aborted) this.#start();
    if (this.#state.name === "starting") await this.#state.done;
  }

  /** Something that kept the backend awake is gone. */
  reconsiderSleep(): void {
    if (this.#state.name === "ready") this.#idle.begin();
  }

  /** Sleeps now, without the idle timeout, if no call runs and no resource is watched. Resolves when it sleeps. */
  async sleepNow(): Promise<void> {
    await this.#fallAsleep();
  }

  /** The server has forgotten our session: a new connection for the calls to come, while the old one ends its own. */
  renew(connected: Connected): void {
    if (this.#state.name !== "ready" || this.#state.connected !== connected) return;
    this.#options.log.info("the server has forgotten the session; opening a new one");
    this.#retire(connected.connection);
    this.#start();
  }

  wireEnded(end: WireEnd): void {
    const state = this.#state;
    if (state.name !== "ready" || state.connected.connection.end !== end) return;
    this.#last = state.connected.connection;
    this.#fail(new GatewayError("backend-failed", describeEnd(this.#config.name, end)), end.permanent);
  }

  /** Resolves when no call is in flight any more, or after `timeoutMs`. */
  async whenIdle(timeoutMs: number): Promise<void> {
    if (this.#state.name === "ready") await this.#state.connected.connection.whenIdle(timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#idle.stop();
    clearTimeout(this.#revivalTimer);
    const retired = [...this.#retiring].map((connection) => connection[Symbol.asyncDispose]());
    if (this.#state.name === "starting" || this.#state.name === "draining") await this.#state.done;
    if (this.#state.name === "ready") await this.#end(this.#state, "stopped");
    if (this.#state.name !== "stopped") this.#become({ name: "stopped" });
    await Promise.all(retired);
  }

  async #acquire(signal: Abortable): Promise<Ready> {
    const { name } = this.#config;
    for (;;) {
      if (signal.aborted) throw new GatewayError("call-cancelled", `${name}: the call was cancelled.`);
      if (this.#closing.signal.aborted) {
        throw new GatewayError("shutting-down", `${name}: it is being closed; try again shortly.`);
      }
      const state = this.#state;
      if (state.name === "ready") return state;
      if (state.name === "starting" || state.name === "draining") await untilAborted(state.done, signal);
      else if (state.name === "failed" && state.permanent) await this.#reconsider(state);
      else this.#startUnlessHopeless();
    }
  }

  #startUnlessHopeless(): void {
    const { name, enabled, problem } = this.#config;
    if (!enabled) {
      throw new GatewayError(
        "backend-disabled",
        `${name} is disabled in the configuration (enabled: false).`,
      );
    }
    if (problem !== undefined) {
      throw new GatewayError("backend-disabled", `${name} cannot start: ${problem}`);
    }
    if (this.#state.name === "failed") this.#failures.throwIfTooEarly(this.#state);
    this.#start();
  }

  /** Throws what is known to be wrong, unless somebody may have mended it. */
  async #reconsider(failed: Failed): Promise<void> {
    const isMended = await hasChangedSince(failed.error);
    if (this.#state !== failed) return;
    if (!isMended) throw failed.error;
    this.#start();
  }

  #start(): void {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    clearTimeout(this.#revivalTimer);
    this.#become({ name: "starting", done });
    this.starts += 1;
    this.#connect()
      .then((connected) => this.#enter(connected))
      .catch((thrown: unknown) => this.#fail(thrown))
      .finally(resolve);
  }

  /** The previous process may own a port, a lock or a profile, so the next one starts only after its end. */
  async #connect(): Promise<Connected> {
    const { signal } = this.#closing;
    const before = [this.#options.predecessor?.(), this.#last?.[Symbol.asyncDispose]()];
    this.#last = undefined;
    if (before.some((end) => end !== undefined)) await untilAborted(Promise.allSettled(before), signal);
    return this.#options.connect(signal);
  }

  #enter(connected: Connected): void {
    const { connection } = connected;
    if (connection.end !== undefined) {
      this.#last = connection;
      throw new GatewayError("backend-failed", describeEnd(this.#config.name, connection.end));
    }
    const state: Ready = { name: "ready", connected, inFlight: 0, sinceMs: performance.now() };
    this.#become(state);
    this.lastError = undefined;
    this.#idle.begin();
    this.#options.onReady(connected);
  }

  #fail(thrown: unknown, permanent = isPermanent(thrown)): void {
    this.#idle.stop();
    if (this.#closing.signal.aborted) return this.#become({ name: "stopped" });
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.lastError = error.message;
    const failed = this.#failures.add(error, permanent, this.#state);
    this.#options.log.error(this.#failures.describe(failed), {
      error: error.message,
      attempts: failed.attempts,
    });
    this.#become(failed);
    if (this.#config.keepAlive && !permanent) this.#reviveAt(failed.retryAtMs);
  }

  #reviveAt(atMs: number): void {
    this.#revivalTimer = setTimeout(
      () => {
        if (this.#state.name === "failed") this.#start();
      },
      Math.max(0, atMs - performance.now()),
    );
  }

  async #fallAsleep(): Promise<void> {
    const state = this.#state;
    if (state.name !== "ready" || state.inFlight > 0 || this.#options.isWatched()) return;
    await this.#end(state, "asleep");
  }

  async #end(state: Ready, next: "asleep" | "stopped"): Promise<void> {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#become({ name: "draining", done });
    this.#idle.stop();
    try {
      await state.connected.connection[Symbol.asyncDispose]();
    } finally {
      this.#become({ name: next });
      resolve();
    }
  }

  /** Closes a connection when its last call has ended; each of those has a deadline of its own. */
  #retire(connection: Connection): void {
    this.#retiring.add(connection);
    void connection
      .whenIdle(Number.POSITIVE_INFINITY)
      .then(() => connection[Symbol.asyncDispose]())
      .finally(() => this.#retiring.delete(connection));
  }

  #become(next: State): void {
    const before = this.#state.name;
    if (!isWay(before, next.name)) {
      throw new Error(`${this.#config.name}: no way from ${before} to ${next.name}`);
    }
    this.#state = next;
    this.#options.log.debug("state", { from: before, to: next.name });
    this.#options.onStateChanged(next.name, before);
  }
}
