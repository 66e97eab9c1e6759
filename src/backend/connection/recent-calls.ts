// The calls that were answered a moment ago, because a late message may be about them. Runs for every call, so it uses a few
// fixed places and makes no object for a call.

import type { Caller } from "../../protocol/call.ts";
import { type ClientIdentity, programOwner } from "./client-identity.ts";

const PLACES = 32;

export class RecentCalls {
  /** Parallel lists: one index stands for a client and the tool that it called. */
  readonly #keys = texts<string>("");
  readonly #principals = texts<string | undefined>(undefined);
  readonly #names = texts<unknown>(undefined);
  readonly #versions = texts<unknown>(undefined);
  readonly #labels = texts<string>("");
  readonly #untilMs = new Float64Array(PLACES);
  /** True once requests of one program do not count as one client. */
  readonly #byKey: () => boolean;
  #size = 0;
  /** True for calls of tools that were always silent after their answers: log lines ignore such calls. */
  readonly #isTrusted: (label: string) => boolean;
  /** Until then there were more calls than places: some recent call belongs to an unknown client. */
  #overflowUntilMs = 0;
  /** The same, counting only calls that are not trusted. */
  #strangersUntilMs = 0;

  constructor(byKey: () => boolean, isTrusted: (label: string) => boolean) {
    this.#byKey = byKey;
    this.#isTrusted = isTrusted;
  }

  get isEmpty(): boolean {
    return this.#size === 0 && this.#overflowUntilMs === 0;
  }

  /** `label`: the tool, prompt or method. Calls of one client to one tool share a place. */
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

  /** Adds a call whose client is not known. */
  addUnknown(untilMs: number, isTrusted = false): void {
    this.#overflowUntilMs = Math.max(this.#overflowUntilMs, untilMs);
    if (!isTrusted) this.#strangersUntilMs = Math.max(this.#strangersUntilMs, untilMs);
  }

  /** Removes the expired calls and passes on their labels. */
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

  /** The clients of the calls that are still recent, optionally without the trusted calls. */
  clients(nowMs: number, leavesTrusted: boolean): ClientIdentity[] {
    const found: ClientIdentity[] = [];
    for (let place = 0; place < this.#size; place++)
      if (!this.#isOver(place, nowMs) && !(leavesTrusted && this.#isTrusted(this.#labels[place] ?? "")))
        found.push(this.#at(place));
    return found;
  }

  /** True while there are recent calls that could not be kept. */
  isOverfull(nowMs: number, leavesTrusted: boolean): boolean {
    return (leavesTrusted ? this.#strangersUntilMs : this.#overflowUntilMs) > nowMs;
  }

  /** When the last untrusted call of another client is no longer recent. */
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

  /** When the first call expires; Infinity if there is none. */
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

  /** Frees the place of the oldest call, and remembers that a call was removed. */
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
