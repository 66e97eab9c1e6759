// The calls that were answered a moment ago, as far as a late message may be about them. On the path of every call: a few
// fixed places, and no object for a call.

import type { Caller } from "../../protocol/call.ts";
import { type ClientIdentity, programOwner } from "./client-identity.ts";

const PLACES = 32;

export class RecentCalls {
  /** One place of each list for a client and what it called. */
  readonly #keys = texts<string>("");
  readonly #principals = texts<string | undefined>(undefined);
  readonly #names = texts<unknown>(undefined);
  readonly #versions = texts<unknown>(undefined);
  readonly #labels = texts<string>("");
  readonly #untilMs = new Float64Array(PLACES);
  /** True once requests of one program are not taken for one client's. */
  readonly #byKey: () => boolean;
  #size = 0;
  /** True for what may be left out where the clients of a quiet tool need not be told apart. */
  readonly #isTrusted: (label: string) => boolean;
  /** Until then there are more calls than places: somebody else's, whoever is asked about. */
  #overflowUntilMs = 0;
  /** The same for those that are not trusted. */
  #strangersUntilMs = 0;

  constructor(byKey: () => boolean, isTrusted: (label: string) => boolean) {
    this.#byKey = byKey;
    this.#isTrusted = isTrusted;
  }

  get isEmpty(): boolean {
    return this.#size === 0 && this.#overflowUntilMs === 0;
  }

  /** `label`: what was called. One client's calls of one tool share a place. */
  add(caller: Caller, label: string, untilMs: number): void {
    const principal = programOwner(caller);
    let place = this.#size - 1;
    while (place >= 0 && !this.#isAt(place, caller, principal, label)) place -= 1;
    if (place < 0) place = this.#size < PLACES ? this.#size++ : this.#makeRoom();
    this.#keys[place] = caller.key;
    this.#principals[place] = principal;
    this.#names[place] = principal === undefined ? undefined : caller.clientInfo?.name;
    this.#versions[place] = principal === undefined ? undefined : caller.clientInfo?.version;
    this.#labels[place] = label;
    this.#untilMs[place] = untilMs;
  }

  /** Somebody's call that is not known one by one. */
  addUnknown(untilMs: number, isTrusted = false): void {
    this.#overflowUntilMs = Math.max(this.#overflowUntilMs, untilMs);
    if (!isTrusted) this.#strangersUntilMs = Math.max(this.#strangersUntilMs, untilMs);
  }

  /** Forgets those whose time is over, and tells what they had called. */
  expire(nowMs: number, onExpired: (label: string) => void): void {
    if (this.#overflowUntilMs <= nowMs) this.#overflowUntilMs = 0;
    let kept = 0;
    for (let place = 0; place < this.#size; place++) {
      if (this.#isOver(place, nowMs)) {
        onExpired(this.#labels[place] ?? "");
        continue;
      }
      if (kept < place) this.#copy(place, kept);
      kept += 1;
    }
    this.#size = kept;
  }

  clear(): void {
    this.#size = 0;
    this.#overflowUntilMs = 0;
    this.#strangersUntilMs = 0;
  }

  /** The clients of those that are still recent, the trusted ones left out where that is wanted. */
  clients(nowMs: number, leavesTrusted: boolean): ClientIdentity[] {
    const found: ClientIdentity[] = [];
    for (let place = 0; place < this.#size; place++)
      if (!this.#isOver(place, nowMs) && !(leavesTrusted && this.#isTrusted(this.#labels[place] ?? "")))
        found.push(this.#at(place));
    return found;
  }

  /** True while there were too many to be kept. */
  isOverfull(nowMs: number, leavesTrusted: boolean): boolean {
    return (leavesTrusted ? this.#strangersUntilMs : this.#overflowUntilMs) > nowMs;
  }

  /** When the last call of another client, that is not trusted, is recent no more. */
  foreignUntilMs(caller: Caller): number {
    const principal = programOwner(caller);
    let untilMs = this.#strangersUntilMs;
    for (let place = 0; place < this.#size; place++) {
      const isLater = (this.#untilMs[place] ?? 0) > untilMs;
      if (!isLater || this.#isOf(place, caller, principal)) continue;
      if (!this.#isTrusted(this.#labels[place] ?? "")) untilMs = this.#untilMs[place] ?? 0;
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

  #at(place: number): ClientIdentity {
    return {
      key: this.#keys[place] ?? "",
      principal: this.#principals[place],
      name: this.#names[place],
      version: this.#versions[place],
    };
  }

  #isOver(place: number, nowMs: number): boolean {
    return (this.#untilMs[place] ?? 0) <= nowMs;
  }

  #isAt(place: number, caller: Caller, principal: string | undefined, label: string): boolean {
    return this.#labels[place] === label && this.#isOf(place, caller, principal);
  }

  #isOf(place: number, caller: Caller, principal: string | undefined): boolean {
    if (this.#keys[place] === caller.key) return true;
    if (principal === undefined || this.#principals[place] !== principal || this.#byKey()) return false;
    const { clientInfo } = caller;
    return this.#names[place] === clientInfo?.name && this.#versions[place] === clientInfo?.version;
  }

  #copy(from: number, to: number): void {
    for (const list of [
      this.#keys,
      this.#principals,
      this.#names,
      this.#versions,
      this.#labels,
    ] as unknown[][])
      list[to] = list[from];
    this.#untilMs[to] = this.#untilMs[from] ?? 0;
  }

  /** The oldest makes way; that it was there is remembered. */
  #makeRoom(): number {
    let oldest = 0;
    for (let place = 1; place < PLACES; place++)
      if ((this.#untilMs[place] ?? 0) < (this.#untilMs[oldest] ?? 0)) oldest = place;
    this.addUnknown(this.#untilMs[oldest] ?? 0, this.#isTrusted(this.#labels[oldest] ?? ""));
    return oldest;
  }
}

function texts<Text>(none: Text): Text[] {
  return new Array<Text>(PLACES).fill(none);
}
