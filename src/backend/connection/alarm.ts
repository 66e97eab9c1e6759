// One timer for all deadlines of a connection. It fires at the earliest deadline; its callback handles what is due and
// arms it again.

import { TIMES } from "./times.ts";

/** Monotonic: a change of the system's clock does not move it. */
export interface Clock {
  nowMs(): number;
  /** Returns what cancels the timer. */
  after(ms: number, run: () => void): () => void;
}

export const SYSTEM_CLOCK: Clock = {
  nowMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** The longest that the runtime's timers can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** After so many late timers in a row, deadlines are judged although the event loop is still late. */
const MAX_GRACES = 3;

export class Alarm {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #cancel: (() => void) | undefined;
  #atMs = Number.POSITIVE_INFINITY;
  #graces = 0;

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** When it fires; Infinity if it is not armed. */
  get atMs(): number {
    return this.#atMs;
  }

  /** Fires at this time at the latest. An earlier time stays. */
  at(atMs: number): void {
    if (atMs >= this.#atMs) return;
    this.#cancel?.();
    this.#atMs = atMs;
    this.#arm(atMs - this.#clock.nowMs());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#atMs = Number.POSITIVE_INFINITY;
    this.#graces = 0;
  }

  #arm(ms: number): void {
    this.#cancel = this.#clock.after(Math.min(Math.max(0, ms), MAX_TIMER_MS), () => this.#fire());
  }

  #fire(): void {
    const lateMs = this.#clock.nowMs() - this.#atMs;
    if (lateMs < 0) return this.#arm(-lateMs);
    // The process was stopped or busy: an answer that came in time is still in the pipe.
    if (lateMs > TIMES.STALL_MS && this.#graces < MAX_GRACES) {
      this.#graces += 1;
      this.#atMs = this.#clock.nowMs() + TIMES.READ_GRACE_MS;
      return this.#arm(TIMES.READ_GRACE_MS);
    }
    this.stop();
    this.#onDue();
  }
}
