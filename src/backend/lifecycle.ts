// The life of one backend: asleep until somebody needs it, one connection for all callers, asleep again when idle.
// Every change of state goes through #become. It knows when to connect and when to end, and not what is said in between.

import type { BackendConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import { GatewayError } from "../protocol/errors.ts";
import type { WireEnd } from "../transport/transport.ts";
import type { Connection } from "./connection.ts";
import type { Connected } from "./handshake.ts";
import { isPermanent } from "./starting.ts";
import { backoffMs, type Failed, isWay, type Ready, type State, type StateName } from "./state.ts";
import { describeEnd } from "./wire-failure.ts";

export interface LifecycleOptions {
  readonly log: Log;
  /** Opens a connection; rejects with GatewayError. The signal ends the attempt. */
  readonly connect: (signal: AbortSignal) => Promise<Connected>;
  /** A connection is ready, before any call runs on it. */
  readonly onReady: (connected: Connected) => void;
  readonly onStateChanged: (state: StateName, before: StateName) => void;
  /** True while somebody needs the backend awake although no call is in flight. */
  readonly isWatched: () => boolean;
}

/** A retired connection is closed when its last call has ended, or after this long. */
const RETIRE_TIMEOUT_MS = 60_000;
const UNUSED_POLL_MS = 20;

export class Lifecycle implements AsyncDisposable {
  readonly #config: BackendConfig;
  readonly #options: LifecycleOptions;
  readonly #closing = new AbortController();
  #state: State = { name: "stopped" };
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  /** Failures in a row, without a call that succeeded in between. */
  #attempts = 0;
  /** Whoever works on a connection or waits for one. */
  #users = 0;
  /** How often a start was tried. */
  starts = 0;
  lastError: string | undefined;

  constructor(config: BackendConfig, options: LifecycleOptions) {
    this.#config = config;
    this.#options = options;
  }

  get state(): StateName {
    return this.#state.name;
  }

  get inFlight(): number {
    return this.#state.name === "ready" ? this.#state.inFlight : 0;
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
  async use<T>(signal: AbortSignal, work: (connected: Connected) => Promise<T>): Promise<T> {
    this.#users += 1;
    try {
      return await this.#useOnce(signal, work);
    } finally {
      this.#users -= 1;
    }
  }

  async #useOnce<T>(signal: AbortSignal, work: (connected: Connected) => Promise<T>): Promise<T> {
    const state = await this.#acquire(signal);
    state.inFlight += 1;
    clearTimeout(this.#idleTimer);
    try {
      return await work(state.connected);
    } finally {
      state.inFlight -= 1;
      if (this.#state === state) this.#armIdleTimer(state);
    }
  }

  /** A call has succeeded: earlier failures count no more. */
  succeeded(): void {
    this.#attempts = 0;
  }

  /** Something that kept the backend awake is gone. */
  reconsiderSleep(): void {
    if (this.#state.name === "ready") this.#armIdleTimer(this.#state);
  }

  /** The server has forgotten our session: a new connection for the calls to come, while the old one ends its own. */
  renew(connected: Connected): void {
    if (this.#state.name !== "ready" || this.#state.connected !== connected) return;
    this.#options.log.info("the server has forgotten the session; opening a new one");
    void retire(connected.connection);
    this.#start();
  }

  wireEnded(end: WireEnd): void {
    const state = this.#state;
    if (state.name !== "ready" || state.connected.connection.end !== end) return;
    this.#fail(new GatewayError("backend-failed", describeEnd(this.#config.name, end)), end.permanent);
  }

  /** Resolves when no call is in flight any more, or after `timeoutMs`. */
  async whenIdle(timeoutMs: number): Promise<void> {
    if (this.#state.name === "ready") await this.#state.connected.connection.whenIdle(timeoutMs);
  }

  /** As `whenIdle`, and those that wait for a start have been served as well. */
  async whenUnused(timeoutMs: number): Promise<void> {
    const untilMs = Date.now() + timeoutMs;
    while (this.#users > 0 && Date.now() < untilMs) await Bun.sleep(UNUSED_POLL_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#idleTimer);
    if (this.#state.name === "starting" || this.#state.name === "draining") await this.#state.done;
    if (this.#state.name === "ready") await this.#end(this.#state, "stopped");
    if (this.#state.name !== "stopped") this.#become({ name: "stopped" });
  }

  async #acquire(signal: AbortSignal): Promise<Ready> {
    const { name } = this.#config;
    for (;;) {
      if (signal.aborted) throw new GatewayError("call-cancelled", `${name}: the call was cancelled.`);
      if (this.#closing.signal.aborted) {
        throw new GatewayError("shutting-down", `${name}: it is being closed; try again shortly.`);
      }
      const state = this.#state;
      if (state.name === "ready") return state;
      if (state.name === "starting" || state.name === "draining") await untilAborted(state.done, signal);
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
    if (this.#state.name === "failed") throwIfTooEarly(this.#state);
    this.#start();
  }

  #start(): void {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#become({ name: "starting", done });
    this.starts += 1;
    this.#options
      .connect(this.#closing.signal)
      .then((connected) => this.#enter(connected))
      .catch((thrown: unknown) => this.#fail(thrown))
      .finally(resolve);
  }

  #enter(connected: Connected): void {
    const { connection } = connected;
    if (connection.end !== undefined) {
      throw new GatewayError("backend-failed", describeEnd(this.#config.name, connection.end));
    }
    const state: Ready = { name: "ready", connected, inFlight: 0 };
    this.#become(state);
    this.lastError = undefined;
    this.#armIdleTimer(state);
    this.#options.onReady(connected);
  }

  #fail(thrown: unknown, permanent = isPermanent(thrown)): void {
    clearTimeout(this.#idleTimer);
    if (this.#closing.signal.aborted) return this.#become({ name: "stopped" });
    this.#attempts += 1;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.lastError = error.message;
    // A server that ran and died once may be started at once; one that keeps dying, or never came up, may not.
    const isFirstCrash = this.#state.name === "ready" && this.#attempts === 1;
    const retryAtMs = isFirstCrash ? 0 : Date.now() + backoffMs(this.#attempts);
    this.#options.log.error(
      permanent ? "failed, and will not be retried until the settings change" : "failed",
      {
        error: error.message,
        attempts: this.#attempts,
      },
    );
    this.#become({ name: "failed", error, permanent, attempts: this.#attempts, retryAtMs });
  }

  #armIdleTimer(state: Ready): void {
    clearTimeout(this.#idleTimer);
    const { idleTimeoutMs } = this.#config;
    if (idleTimeoutMs <= 0 || state.inFlight > 0 || this.#options.isWatched()) return;
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
    if (!isWay(before, next.name)) {
      throw new Error(`${this.#config.name}: no way from ${before} to ${next.name}`);
    }
    this.#state = next;
    this.#options.log.debug("state", { from: before, to: next.name });
    this.#options.onStateChanged(next.name, before);
  }
}

function throwIfTooEarly({ permanent, error, attempts, retryAtMs }: Failed): void {
  if (permanent) throw error;
  const waitMs = retryAtMs - Date.now();
  if (waitMs <= 0) return;
  const when = `${attempts} failures in a row; the next attempt is possible in ${Math.ceil(waitMs / 1000)} s`;
  throw new GatewayError("backend-failed", `${error.message}\n(${when})`, { cause: error });
}

async function retire(connection: Connection): Promise<void> {
  await connection.whenIdle(RETIRE_TIMEOUT_MS);
  await connection[Symbol.asyncDispose]();
}

/** Waits for a promise that never rejects, or for the signal, whichever is first. */
function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      signal.removeEventListener("abort", finish);
      resolve();
    };
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", finish, { once: true });
    void promise.then(finish);
  });
}
