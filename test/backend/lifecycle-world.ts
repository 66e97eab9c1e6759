// A lifecycle whose children are made up: they start, answer, die and close when a test says so, and never by themselves.

import { jest } from "bun:test";
import { Connection } from "../../src/backend/connection/connection.ts";
import { Habits } from "../../src/backend/connection/habits.ts";
import type { Connected } from "../../src/backend/handshake.ts";
import { Lifecycle } from "../../src/backend/lifecycle.ts";
import type { BackendConfig } from "../../src/config/config.ts";
import { silentLog } from "../../src/log.ts";
import { GatewayError } from "../../src/protocol/errors.ts";
import type { Id, Message } from "../../src/protocol/jsonrpc.ts";
import { StartError, type Transport, type TransportEvents } from "../../src/transport/transport.ts";
import { caller, configOf, type Entry } from "./rig.ts";

/** Far below the first backoff: time that makes a backend sleep does not make one that failed worth a try. */
export const IDLE_MS = 5;

export class FakeChild implements Transport {
  readonly hasSharedChannel = true;
  readonly kind = "stdio";
  isAlive = true;
  /** Requests that it has read and not answered, by id, with what they carried. */
  readonly asked = new Map<Id, unknown>();
  /** Every request that ever reached it. */
  readonly received: unknown[] = [];
  readonly closing = Promise.withResolvers<void>();
  isClosing = false;
  readonly #events: TransportEvents;

  constructor(events: TransportEvents) {
    this.#events = events;
  }

  send(message: Message): Promise<void> {
    if ("method" in message && "id" in message) {
      this.asked.set(message.id, message.params?.call);
      this.received.push(message.params?.call);
    }
    return Promise.resolve();
  }

  answerOldest(): void {
    const [oldest] = this.asked;
    if (oldest === undefined) return;
    const [id, call] = oldest;
    this.asked.delete(id);
    this.#events.onMessage({ message: { jsonrpc: "2.0", id, result: { call } } });
  }

  crash(): void {
    this.isAlive = false;
    this.#events.onEnd({
      reason: "the process ended with exit code 9",
      permanent: false,
      lastWords: ["ouch"],
    });
  }

  abandon(id: Id): void {
    this.asked.delete(id);
  }

  negotiated(): void {
    // It speaks anything.
  }

  /** Closes when it is let; its end is told at once, as a real wire tells it. After a crash nothing is left to close. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isAlive) return;
    if (!this.isClosing) {
      this.#events.onEnd({ reason: "the gateway ended the process", permanent: false, lastWords: [] });
    }
    this.isClosing = true;
    await this.closing.promise;
    this.isAlive = false;
  }
}

export type Outcome = { readonly answer: unknown } | { readonly error: unknown };

export interface MadeCall {
  readonly id: number;
  readonly abort: AbortController;
  outcomes: Outcome[];
}

interface Start {
  readonly child: FakeChild;
  succeed(): void;
  fail(permanent: boolean): void;
}

export class World {
  readonly lifecycle: Lifecycle;
  readonly children: FakeChild[] = [];
  readonly calls: MadeCall[] = [];
  /** Those that a newer one has taken the place of. */
  readonly retired: FakeChild[] = [];
  start: Start | undefined;
  isWatched = false;
  /** Whether what made a start fail for good is another by now. */
  isMended = false;
  /** True where children close at once. */
  closesAtOnce = true;
  readonly ended: Promise<unknown>[] = [];

  constructor(entry: Entry = {}) {
    const config: BackendConfig = configOf("it", { command: "x", idle_timeout: `${IDLE_MS}ms`, ...entry });
    this.lifecycle = new Lifecycle(config, {
      log: silentLog,
      connect: (signal) => this.#connect(signal),
      onReady: () => undefined,
      onStateChanged: () => undefined,
      isWatched: () => this.isWatched,
    });
  }

  get alive(): FakeChild[] {
    return this.children.filter(({ isAlive }) => isAlive);
  }

  /** The child that calls run on now. */
  get serving(): FakeChild | undefined {
    const transport = this.lifecycle.connected?.connection.transport;
    return this.children.find((child) => child === transport);
  }

  call(): MadeCall {
    const made: MadeCall = { id: this.calls.length, abort: new AbortController(), outcomes: [] };
    this.calls.push(made);
    const done = this.lifecycle
      .use(made.abort.signal, async ({ connection }) => {
        const options = { timeoutMs: 0, signal: made.abort.signal, caller: caller() };
        const answer = await connection.request("tools/call", { call: made.id }, options);
        this.lifecycle.succeeded();
        return answer.result.call;
      })
      .then(
        (answer) => void made.outcomes.push({ answer }),
        (error: unknown) => void made.outcomes.push({ error }),
      );
    this.ended.push(done);
    return made;
  }

  /** Somebody watches a resource from now on: like a call, and what it leaves keeps the backend awake. */
  watch(): void {
    const { signal } = new AbortController();
    const done = this.lifecycle.use(signal, () => {
      this.isWatched = true;
      return Promise.resolve();
    });
    this.ended.push(done.catch(() => undefined));
  }

  unwatch(): void {
    this.isWatched = false;
    this.lifecycle.reconsiderSleep();
  }

  letClose(): void {
    for (const child of this.children) if (child.isClosing) child.closing.resolve();
  }

  dispose(): Promise<void> {
    this.closesAtOnce = true;
    for (const child of this.children) child.closing.resolve();
    return this.lifecycle[Symbol.asyncDispose]();
  }

  async #connect(signal: AbortSignal): Promise<Connected> {
    let child: FakeChild | undefined;
    const connection = await Connection.open(
      {
        name: "it",
        log: silentLog,
        habits: new Habits(
          () => undefined,
          () => undefined,
        ),
        questionTimeoutMs: 60_000,
        events: {
          onNotification: () => undefined,
          onEnd: (end) => this.lifecycle.wireEnded(end),
        },
      },
      (events) => {
        child = new FakeChild(events);
        return Promise.resolve(child);
      },
    );
    if (child === undefined) throw new Error("no child");
    this.children.push(child);
    await this.#started(child, signal);
    if (this.closesAtOnce) child.closing.resolve();
    const description = { serverInfo: { name: "x", version: "1" }, capabilities: {} };
    return { era: "legacy", revision: "2025-11-25", description, connection };
  }

  /** A start that fails or is given up leaves no child, as the handshake promises. */
  #started(child: FakeChild, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => end(new GatewayError("shutting-down", "it: given up"));
    const end = (error: GatewayError) => {
      child.isAlive = false;
      this.start = undefined;
      reject(error);
    };
    this.start = {
      child,
      succeed: () => {
        signal.removeEventListener("abort", onAbort);
        this.start = undefined;
        resolve();
      },
      fail: (permanent) => {
        const hasChanged = () => Promise.resolve(this.isMended);
        const cause = new StartError({ reason: "the handshake failed", permanent }, { hasChanged });
        end(new GatewayError("backend-failed", "it: the handshake failed", { cause }));
      },
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    return promise;
  }
}

/** Everything that can happen without a timer has happened. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await Promise.resolve();
}

export async function pass(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms);
  await settle();
}
