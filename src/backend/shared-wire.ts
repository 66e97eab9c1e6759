// Order on wires with one channel for all: which call may run beside which, and at which level the server logs.
// Streamable HTTP says with every message whose it is, so there all calls run side by side.

import type { Call, Caller, Question } from "../protocol/call.ts";
import type { Abortable } from "../protocol/cancellation.ts";
import type { Json, Notification } from "../protocol/jsonrpc.ts";
import { MAY_ASK_BACK, Method } from "../protocol/mcp.ts";
import { rank, wantedLogLevel } from "./exchange.ts";
import type { Connected } from "./handshake.ts";
import type { Ready } from "./state.ts";
import type { Traits } from "./traits.ts";
import { type Company, Turns } from "./turns.ts";

/** Within this time a server has put what it asks together, and a client that is a program has answered. */
const TOGETHER_MS = 250;

/** So soon after its start, and after it was told that they have changed, a server asks for the roots. */
export const ROOTS_QUESTION_MS = 2_000;

export class SharedWire {
  readonly #traits: Traits;
  readonly #turns = new Turns();
  #logLevel: string | undefined;
  /** Until then a question for roots says nothing of what the server does during calls. On the clock of `performance`. */
  #rootsExpectedUntilMs = 0;
  #hasAskedForRoots = false;
  /** Set while that question is still to come at a start: the only call there is must be the one that it is about. */
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(traits: Traits) {
    this.#traits = traits;
  }

  /** A new process knows nothing of what the last one was told. It may ask as soon as it has been greeted. */
  reset(): void {
    this.#logLevel = undefined;
    this.#hasAskedForRoots = false;
    this.#rootsExpectedUntilMs = Number.POSITIVE_INFINITY;
    clearTimeout(this.#settling);
    this.#settling = undefined;
  }

  /** The process is ready for calls. */
  ready(): void {
    this.expectRootsQuestion();
    const isAwaited = this.#traits.hasAskedForRoots && !this.#hasAskedForRoots && !this.#traits.hasAsked;
    if (isAwaited) this.#settling = setTimeout(() => this.#settled(), ROOTS_QUESTION_MS).unref();
  }

  /** For a while from now on: it has started, or was told that the roots have changed. */
  expectRootsQuestion(): void {
    this.#rootsExpectedUntilMs = performance.now() + ROOTS_QUESTION_MS;
  }

  /** The server has put a question without saying to whom. */
  noteQuestion(method: string): void {
    const isExpected = method === Method.listRoots && performance.now() < this.#rootsExpectedUntilMs;
    if (!isExpected) return this.#traits.noteQuestion();
    this.#hasAskedForRoots = true;
    this.#traits.noteRootsQuestion();
    // Once whoever is asked has been found.
    if (this.#settling !== undefined) queueMicrotask(() => this.#settled());
  }

  #settled(): void {
    clearTimeout(this.#settling);
    this.#settling = undefined;
    if (!this.#traits.hasAsked) this.#turns.settled();
  }

  /**
   * The turn of a call: the call as it is to run, to be ended when it has. At once where it may go beside the others.
   * While it waits for a person, others may run. Rejects with call-cancelled where the turn never comes.
   */
  enter(ready: Ready, call: Call): Turn | Promise<Turn> {
    const { connected } = ready;
    if (!MAY_ASK_BACK.has(call.method) || connected.connection.transport.kind === "http") {
      return new Turn(call, ready, undefined);
    }
    const entered = this.#turns.enter(this.#companyOf(connected, call), call.signal);
    if (entered === undefined) return new Turn(call, ready, this.#turns);
    return entered.then(() => new Turn(call, ready, this.#turns));
  }

  /** A shared legacy server logs at one level for all: the most verbose that a caller wants. Undefined: it does already. */
  ensureLogLevel(connected: Connected, call: Call, timeoutMs: number): Promise<void> | undefined {
    const wanted = wantedLogLevel(call);
    if (wanted === undefined || connected.era !== "legacy") return undefined;
    if (connected.description.capabilities.logging === undefined) return undefined;
    if (this.#logLevel !== undefined && rank(this.#logLevel) <= rank(wanted)) return undefined;
    this.#logLevel = wanted;
    const options = { timeoutMs, signal: call.signal };
    return connected.connection.request(Method.setLogLevel, { level: wanted }, options).then(ignore, ignore);
  }

  #companyOf({ era }: Connected, call: Call): Company {
    if (this.#traits.hasAsked && era === "legacy") return "alone";
    if (this.#traits.hasLogged && wantedLogLevel(call) !== undefined) return "alone";
    return this.#settling !== undefined && era === "legacy" ? "until-settled" : "beside-others";
  }
}

/** One call in its turn. While it asks, nobody may come in between questions that are put together, nor wait for a person. */
export class Turn implements Call {
  /** As the client made it. */
  readonly call: Call;
  /** Where it runs. */
  readonly ready: Ready;
  /** Undefined where it needs no turn, or has left. */
  #turns: Turns | undefined;
  #open = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(call: Call, ready: Ready, turns: Turns | undefined) {
    this.call = call;
    this.ready = ready;
    this.#turns = turns;
  }

  get method(): string {
    return this.call.method;
  }

  get params(): Json | undefined {
    return this.call.params;
  }

  get caller(): Caller {
    return this.call.caller;
  }

  get signal(): Abortable {
    return this.call.signal;
  }

  get passesRounds(): boolean | undefined {
    return this.call.passesRounds;
  }

  notify(notification: Notification): void {
    this.call.notify(notification);
  }

  async ask(question: Question, signal: Abortable): Promise<Json> {
    this.#open += 1;
    this.#timer ??= setTimeout(() => this.#leave(), TOGETHER_MS);
    try {
      return await this.call.ask(question, signal);
    } finally {
      this.#open -= 1;
      if (this.#open === 0) this.#stop();
    }
  }

  end(): void {
    this.#stop();
    this.#leave();
  }

  #leave(): void {
    const turns = this.#turns;
    this.#turns = undefined;
    turns?.leave();
  }

  #stop(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function ignore(): void {
  // The call matters more than its log lines.
}
