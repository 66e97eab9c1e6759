// Counts the memory that this process holds for clients and backends, in one place, and bounds the sum.
//
// What is given up first if the sum is over the limit, or if one client holds more than its share:
// 1. copies (replay buffers, kept parts of large results): the copy that was unused for longest;
// 2. unfinished request bodies, unfinished messages of backends and unread answers: the one without progress for longest;
// 3. if that is not enough, the request for more memory is refused.

import type { Log } from "./log.ts";

export const DEFAULT_LIMIT_BYTES = 256_000_000;
/** The largest part of the limit for one client. */
const SHARE = 1 / 4;
/** Slightly more room is made than was requested, so that it need not be made again at once. */
const SPARE = 1 / 16;
/**
 * A garbage collection runs if this part of the limit was released since the last check and the process uses more memory
 * than the limit. It takes some ten milliseconds.
 */
const COLLECTED = 1 / 8;

/** The kinds of held memory and the order in which they are given up. Kinds without a number are never given up. */
const ORDER = {
  /** Events that a client may request again. */
  replay: 0,
  /** The rest of results that were too long for one answer. */
  results: 0,
  /** Request bodies that are not complete. */
  bodies: 1,
  /** Messages of backend processes that are not complete. */
  messages: 1,
  /** Answers and events that a client has not read. */
  unread: 1,
  /** Requests that are being worked on. */
  requests: undefined,
  /** Messages that a backend process has not read from its stdin. */
  stdin: undefined,
  /** Lists of backends while they are read. */
  lists: undefined,
  /** Catalogues of backends. */
  catalogs: undefined,
} as const;

export type HolderKind = keyof typeof ORDER;
export const HOLDER_KINDS = Object.keys(ORDER) as readonly HolderKind[];

/** The log line for memory of this kind that was given up. */
const LOSSES: Partial<Record<HolderKind, string>> = {
  replay: "dropped events that clients could have requested again: memory_limit is reached",
  results: "dropped parts of large results: memory_limit is reached",
  bodies: "refused unfinished request bodies: memory_limit is reached",
  messages: "skipped unfinished messages of backends: memory_limit is reached",
  unread: "cut off a client that does not read: memory_limit is reached",
};

export interface HoldingOptions {
  /** The client, if the wire identifies it. The memory held for one client is limited to its share. */
  readonly owner?: string | undefined;
  /** Frees all of this memory synchronously. Must not request memory. */
  readonly giveUp?: () => void;
}

interface Need {
  readonly needed: number;
  readonly spare: number;
}

/** One piece of counted memory, which grows and shrinks. */
export class Holding implements Disposable {
  readonly kind: HolderKind;
  readonly owner: string | undefined;
  readonly giveUp: (() => void) | undefined;
  /** A counter value: larger is later. The holding with the smallest value has made no progress for longest. */
  progressedAt = 0;
  bytes = 0;
  readonly #budget: MemoryBudget;

  constructor(budget: MemoryBudget, kind: HolderKind, { owner, giveUp }: HoldingOptions) {
    this.#budget = budget;
    this.kind = kind;
    this.owner = owner;
    this.giveUp = giveUp;
  }

  /**
   * Sets the size to so many bytes. False if there is no room: then the size is as before, or 0 if this holding itself had to
   * be given up.
   */
  set(bytes: number): boolean {
    return this.#budget.change(this, bytes);
  }

  /** To be called when it was used, has grown or was read: others are given up before it. */
  progressed(): void {
    this.progressedAt = this.#budget.tick();
  }

  [Symbol.dispose](): void {
    this.#budget.change(this, 0);
  }
}

export class MemoryBudget {
  limitBytes: number;
  readonly #log: Log;
  readonly #holdings = new Set<Holding>();
  readonly #byOwner = new Map<string, number>();
  readonly #byKind = noBytes();
  #bytes = 0;
  #ticks = 0;
  /** Bytes that were released since the last check. */
  #garbageBytes = 0;

  constructor(log: Log, limitBytes = DEFAULT_LIMIT_BYTES) {
    this.#log = log;
    this.limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes by kind. */
  get byKind(): Readonly<Record<HolderKind, number>> {
    return this.#byKind;
  }

  hold(kind: HolderKind, options: HoldingOptions = {}): Holding {
    return new Holding(this, kind, options);
  }

  tick(): number {
    this.#ticks += 1;
    return this.#ticks;
  }

  change(holding: Holding, bytes: number): boolean {
    if (bytes > holding.bytes && !this.#makeRoom(holding, bytes)) return false;
    this.#count(holding, bytes - holding.bytes);
    return true;
  }

  #count(holding: Holding, delta: number): void {
    if (delta === 0) return;
    if (holding.bytes === 0) {
      holding.progressed();
      this.#holdings.add(holding);
    }
    holding.bytes += delta;
    this.#bytes += delta;
    this.#byKind[holding.kind] += delta;
    if (holding.owner !== undefined) this.#countFor(holding.owner, delta);
    if (delta < 0) this.#collectSoon(-delta);
    if (holding.bytes === 0) this.#holdings.delete(holding);
  }

  #countFor(owner: string, delta: number): void {
    const bytes = (this.#byOwner.get(owner) ?? 0) + delta;
    if (bytes === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, bytes);
  }

  /** True if the holding may grow to so many bytes, possibly after others were given up. */
  #makeRoom(asking: Holding, bytes: number): boolean {
    const { owner } = asking;
    const growth = bytes - asking.bytes;
    const owned = owner === undefined ? 0 : (this.#byOwner.get(owner) ?? 0);
    const overShare = owner === undefined ? 0 : owned + growth - this.limitBytes * SHARE;
    const own = { needed: overShare, spare: this.limitBytes * SHARE * SPARE };
    if (overShare > 0 && !this.#take(own, asking, (other) => other.owner === owner)) return false;
    const over = this.#bytes + growth - this.limitBytes;
    return over <= 0 || this.#take({ needed: over, spare: this.limitBytes * SPARE }, asking, () => true);
  }

  /**
   * Frees the needed bytes from the selected holdings, and some to spare, because each call sorts all of them, which is too
   * expensive for every message. False if too little could be freed, or if the requesting holding was given up itself.
   */
  #take({ needed, spare }: Need, asking: Holding, isMeant: (other: Holding) => boolean): boolean {
    const losers = [...this.#holdings]
      .filter((other) => ORDER[other.kind] !== undefined && isMeant(other))
      .sort((a, b) => orderOf(a) - orderOf(b) || a.progressedAt - b.progressedAt);
    const lost = noBytes();
    let freed = 0;
    for (const loser of losers) {
      if (freed >= (loser === asking ? needed : needed + spare)) break;
      freed += loser.bytes;
      lost[loser.kind] += loser.bytes;
      loser.giveUp?.();
      this.#count(loser, -loser.bytes);
      if (loser === asking) break;
    }
    this.#tell(lost);
    return freed >= needed && (asking.bytes > 0 || !losers.includes(asking));
  }

  /** The runtime does not know that this memory is needed, and would let the heap grow to twice what is held. */
  #collectSoon(freed: number): void {
    this.#garbageBytes += freed;
    if (this.#garbageBytes < this.limitBytes * COLLECTED) return;
    this.#garbageBytes = 0;
    if (process.memoryUsage.rss() > this.limitBytes) setImmediate(() => Bun.gc(true));
  }

  #tell(lost: Readonly<Record<HolderKind, number>>): void {
    for (const kind of HOLDER_KINDS) {
      if (lost[kind] === 0) continue;
      this.#log.warning(LOSSES[kind] ?? kind, { megabytes: (lost[kind] / 1e6).toFixed(1) });
    }
  }
}

function orderOf({ kind }: Holding): number {
  return ORDER[kind] ?? Number.POSITIVE_INFINITY;
}

function noBytes(): Record<HolderKind, number> {
  return Object.fromEntries(HOLDER_KINDS.map((kind) => [kind, 0])) as Record<HolderKind, number>;
}
