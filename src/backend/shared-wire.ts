// Order on wires with one channel for all: which call may run beside which, and at which level the server logs.
// Streamable HTTP says with every message whose it is, so there all calls run side by side.

import type { Answer, Call } from "../protocol/call.ts";
import type { Json } from "../protocol/jsonrpc.ts";
import { MAY_ASK_BACK, Method } from "../protocol/mcp.ts";
import { rank, wantedLogLevel } from "./exchange.ts";
import type { Connected } from "./handshake.ts";
import type { Traits } from "./traits.ts";
import { type Leave, Turns } from "./turns.ts";

/** Questions that a server puts together come within this time, and belong to one call. */
const TOGETHER_MS = 100;

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

  /** Runs a call when its turn has come. While it waits for a person, others may run. */
  async run(connected: Connected, call: Call, work: (call: Call) => Promise<Answer>): Promise<Answer> {
    if (!MAY_ASK_BACK.has(call.method) || connected.connection.transport.kind === "http") return work(call);
    const leave = await this.#turns.enter(this.#mustBeAlone(connected, call), call.signal);
    const asking = new Asking(leave);
    try {
      return await work({ ...call, ask: (question, signal) => asking.until(call.ask(question, signal)) });
    } finally {
      asking.end();
    }
  }

  /** A shared legacy server logs at one level for all: the most verbose that a caller wants. */
  async ensureLogLevel(connected: Connected, call: Call, timeoutMs: number): Promise<void> {
    const wanted = wantedLogLevel(call);
    if (wanted === undefined || connected.era !== "legacy") return;
    if (connected.description.capabilities.logging === undefined) return;
    if (this.#logLevel !== undefined && rank(this.#logLevel) <= rank(wanted)) return;
    this.#logLevel = wanted;
    const options = { timeoutMs, signal: call.signal };
    await connected.connection.request(Method.setLogLevel, { level: wanted }, options).catch(() => {
      // The call matters more than its log lines.
    });
  }

  #mustBeAlone(connected: Connected, call: Call): boolean {
    if (this.#traits.hasAsked && connected.era === "legacy") return true;
    return this.#traits.hasLogged && wantedLogLevel(call) !== undefined;
  }
}

/** One call's turn while it asks: nobody may come in between questions that are put together, nor wait for a person. */
class Asking {
  readonly #leave: Leave;
  #open = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(leave: Leave) {
    this.#leave = leave;
  }

  async until(answer: Promise<Json>): Promise<Json> {
    this.#open += 1;
    this.#timer ??= setTimeout(this.#leave, TOGETHER_MS);
    try {
      return await answer;
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
