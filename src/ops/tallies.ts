// Counts on the path of every call. A number is put down here, and prom-client hears of it when a scrape comes: its own
// counters and histograms hash and search at every turn.

import type Counter from "prom-client/lib/counter.js";
import type Histogram from "prom-client/lib/histogram.js";

/**
 * How a call ended: `tool-error` is a result with `isError`, `rpc-error` is the backend's own JSON-RPC error,
 * `gateway-error` is a failure of ours (backend down, timeout).
 */
export type CallOutcome = "ok" | "tool-error" | "rpc-error" | "gateway-error" | "cancelled";

export interface Tally {
  pending: number;
  readonly counter: Counter.Internal;
}

export type ByOutcome = { [outcome in CallOutcome]?: Tally };

export function addUp(tally: Tally): void {
  tally.counter.inc(tally.pending);
  tally.pending = 0;
}

/** More durations than this are not kept between two scrapes. */
const DURATIONS_AT_ONCE = 256;

/** The calls of one method to one backend. */
export class MethodSeries {
  readonly calls: ByOutcome = {};
  readonly #seconds: Histogram.Internal<string>;
  #durations: number[] = [];

  constructor(seconds: Histogram.Internal<string>) {
    this.#seconds = seconds;
  }

  observe(seconds: number): void {
    this.#durations.push(seconds);
    if (this.#durations.length === DURATIONS_AT_ONCE) this.addUp();
  }

  addUp(): void {
    for (const seconds of this.#durations) this.#seconds.observe(seconds);
    this.#durations = [];
  }
}
