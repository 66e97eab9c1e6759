// Order on wires with one channel for all: which call may run beside which, and at which level the server logs.
// Streamable HTTP says with every message whose it is, so there all calls run side by side.

import type { Call, Caller, Question } from "../protocol/call.ts";
import type { Abortable } from "../protocol/cancellation.ts";
import type { Json, Notification } from "../protocol/jsonrpc.ts";
import { MAY_ASK_BACK, Method } from "../protocol/mcp.ts";
import { rank, wantedLogLevel } from "./exchange.ts";
import type { Connected } from "./handshake.ts";
import type { Traits } from "./traits.ts";
import { type Leave, Turns } from "./turns.ts";

/** Within this time a server has put what it asks together, and a client that is a program has answered. */
const TOGETHER_MS = 250;

export class SharedWire {
  readonly #traits: Traits;
  readonly #turns = new Turns();
  #logLevel: string | undefined;

  constructor(traits: Traits) {
    this.#traits = traits;
  }

  /** A new process knows nothing of the level that the last one was set to. */
  reset(): void {
    this.#logLevel = undefined;
  }

  /**
   * The turn of a call: undefined where it needs none, else the call as it is to run, to be ended when it has.
   * While it waits for a person, others may run. Rejects with call-cancelled where the turn never comes.
   */
  enter(connected: Connected, call: Call): Turn | undefined | Promise<Turn> {
    if (!MAY_ASK_BACK.has(call.method) || connected.connection.transport.kind === "http") return undefined;
    const entered = this.#turns.enter(this.#mustBeAlone(connected, call), call.signal);
    return entered instanceof Promise
      ? entered.then((leave) => new Turn(call, leave))
      : new Turn(call, entered);
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

  #mustBeAlone(connected: Connected, call: Call): boolean {
    if (this.#traits.hasAsked && connected.era === "legacy") return true;
    return this.#traits.hasLogged && wantedLogLevel(call) !== undefined;
  }
}

/** One call in its turn. While it asks, nobody may come in between questions that are put together, nor wait for a person. */
export class Turn implements Call {
  readonly #call: Call;
  readonly #leave: Leave;
  #open = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(call: Call, leave: Leave) {
    this.#call = call;
    this.#leave = leave;
  }

  get method(): string {
    return this.#call.method;
  }

  get params(): Json | undefined {
    return this.#call.params;
  }

  get caller(): Caller {
    return this.#call.caller;
  }

  get signal(): Abortable {
    return this.#call.signal;
  }

  get passesRounds(): boolean | undefined {
    return this.#call.passesRounds;
  }

  notify(notification: Notification): void {
    this.#call.notify(notification);
  }

  async ask(question: Question, signal: Abortable): Promise<Json> {
    this.#open += 1;
    this.#timer ??= setTimeout(this.#leave, TOGETHER_MS);
    try {
      return await this.#call.ask(question, signal);
    } finally {
      this.#open -= 1;
      if (this.#open === 0) this.#stop();
    }
  }

  end(): void {
    this.#stop();
    this.#leave();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function ignore(): void {
  // The call matters more than its log lines.
}
