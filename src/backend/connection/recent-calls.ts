// The calls that were answered a moment ago, as far as a late message may be about them. On the path of every call: a few
// fixed places, and no object for a call.

import type { Caller } from "../../protocol/call.ts";

const PLACES = 32;

/** Which callers may be one client. */
export type SameClient = (a: Caller, b: Caller) => boolean;

export class RecentCalls {
  readonly #callers: (Caller | undefined)[] = new Array<undefined>(PLACES).fill(undefined);
  readonly #labels: string[] = new Array<string>(PLACES).fill("");
  readonly #untilMs = new Float64Array(PLACES);
  readonly #isSame: SameClient;
  #size = 0;
  /** Until then there are more calls than places: somebody else's, whoever is asked about. */
  #overflowUntilMs = 0;

  constructor(isSame: SameClient) {
    this.#isSame = isSame;
  }

  get isEmpty(): boolean {
    return this.#size === 0 && this.#overflowUntilMs === 0;
  }

  /** `label`: what was called. One client's calls of one tool share a place. */
  add(caller: Caller, label: string, untilMs: number): void {
    let place = this.#size - 1;
    while (place >= 0 && !this.#isAt(place, caller, label)) place -= 1;
    if (place < 0) place = this.#size < PLACES ? this.#size++ : this.#makeRoom();
    this.#callers[place] = caller;
    this.#labels[place] = label;
    this.#untilMs[place] = untilMs;
  }

  /** Somebody's call that is not known one by one. */
  addUnknown(untilMs: number): void {
    this.#overflowUntilMs = Math.max(this.#overflowUntilMs, untilMs);
  }

  /** Forgets those whose time is over, and tells what they had called. */
  expire(nowMs: number, onExpired: (label: string) => void): void {
    if (this.#overflowUntilMs <= nowMs) this.#overflowUntilMs = 0;
    let kept = 0;
    for (let place = 0; place < this.#size; place++) {
      const untilMs = this.#untilMs[place] ?? 0;
      const label = this.#labels[place] ?? "";
      if (untilMs <= nowMs) {
        onExpired(label);
        continue;
      }
      this.#callers[kept] = this.#callers[place];
      this.#labels[kept] = label;
      this.#untilMs[kept] = untilMs;
      kept += 1;
    }
    this.#callers.fill(undefined, kept, this.#size);
    this.#size = kept;
  }

  clear(): void {
    this.#callers.fill(undefined);
    this.#size = 0;
    this.#overflowUntilMs = 0;
  }

  /** The callers of those that are still recent and not `isIgnored`. */
  callers(nowMs: number, isIgnored: (label: string) => boolean): Caller[] {
    const found: Caller[] = [];
    for (let place = 0; place < this.#size; place++) {
      const caller = this.#callers[place];
      if (caller === undefined || (this.#untilMs[place] ?? 0) <= nowMs) continue;
      if (!isIgnored(this.#labels[place] ?? "")) found.push(caller);
    }
    return found;
  }

  /** True while there were too many to be kept. */
  isOverfull(nowMs: number): boolean {
    return this.#overflowUntilMs > nowMs;
  }

  /** When the last call of another client, that is not `isIgnored`, is recent no more. */
  foreignUntilMs(caller: Caller, isIgnored: (label: string) => boolean): number {
    let untilMs = this.#overflowUntilMs;
    for (let place = 0; place < this.#size; place++) {
      const other = this.#callers[place];
      if (other === undefined || this.#isSame(other, caller)) continue;
      if (!isIgnored(this.#labels[place] ?? "")) untilMs = Math.max(untilMs, this.#untilMs[place] ?? 0);
    }
    return untilMs;
  }

  /** The first of them to expire; Infinity if there is none. */
  get nextMs(): number {
    let nextMs = this.#overflowUntilMs > 0 ? this.#overflowUntilMs : Number.POSITIVE_INFINITY;
    for (let place = 0; place < this.#size; place++)
      nextMs = Math.min(nextMs, this.#untilMs[place] ?? nextMs);
    return nextMs;
  }

  #isAt(place: number, caller: Caller, label: string): boolean {
    const other = this.#callers[place];
    return other !== undefined && this.#labels[place] === label && this.#isSame(other, caller);
  }

  /** The oldest makes way; that it was there is remembered. */
  #makeRoom(): number {
    let oldest = 0;
    for (let place = 1; place < PLACES; place++)
      if ((this.#untilMs[place] ?? 0) < (this.#untilMs[oldest] ?? 0)) oldest = place;
    this.addUnknown(this.#untilMs[oldest] ?? 0);
    return oldest;
  }
}
