// What this process holds in memory on behalf of others, counted in one place and bounded in sum.
//
// Who loses first when the sum is over the limit, or when one client holds more than its share:
// 1. copies that only save a repetition: replay buffers and kept parts of large results, the one unused for longest first;
// 2. what waits for somebody: the request body that has not grown, or the answer that has not been read, for longest;
// 3. if that is not enough, whoever asks for more is refused.

import type { Log } from "./log.ts";

export const DEFAULT_LIMIT_BYTES = 256_000_000;
/** One client gets this part of the limit at most. */
const SHARE = 1 / 4;
/** Room is made for some more than what is asked for, so that it need not be made again at once. */
const SPARE = 1 / 16;
/** What was given up is collected when it comes to this part of the limit. A collection takes some ten milliseconds. */
const COLLECTED = 1 / 8;

/** What is held, and in which order it is given up; the last ones never are: their owners are refused more. */
const ORDER = {
  /** Events that a client may ask for again. */
  replay: 0,
  /** The rest of results that were too long for one answer. */
  results: 0,
  /** Request bodies that have not come to their end. */
  bodies: 1,
  /** Answers and events that a client has not read. */
  unread: 1,
  /** Requests that are being worked on. */
  requests: undefined,
  /** Lists of backends while they are collected. */
  lists: undefined,
  /** Catalogues of backends. */
  catalogs: undefined,
} as const;

export type HolderKind = keyof typeof ORDER;
export const HOLDER_KINDS = Object.keys(ORDER) as readonly HolderKind[];

/** What the log says if something of this kind was given up. */
const LOSSES: Partial<Record<HolderKind, string>> = {
  replay: "dropped events that clients could have asked for again: too much is held",
  results: "dropped the rest of large results: too much is held",
  bodies: "refused unfinished request bodies: too much is held",
  unread: "cut off a client that does not read: too much is held for it and others",
};

export interface HoldingOptions {
  /** The client, as far as the wire tells who it is; all that is held for it is limited to its share. */
  readonly owner?: string | undefined;
  /** Lets go of all of it at once. Must not ask for room. */
  readonly giveUp?: () => void;
}

interface Need {
  readonly needed: number;
  readonly spare: number;
}

/** A piece of memory that grows and shrinks. */
export class Holding implements Disposable {
  readonly kind: HolderKind;
  readonly owner: string | undefined;
  readonly giveUp: (() => void) | undefined;
  /** The larger, the later; the least of all has made no progress for longest. */
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
   * So many bytes are held now. False if there is no room for them: then the count is as before, or 0 if it was this one
   * that had to give up.
   */
  set(bytes: number): boolean {
    return this.#budget.change(this, bytes);
  }

  /** It was used, has grown as it should, or was read: others lose before it. */
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
  /** Given up since the last collection. */
  #garbageBytes = 0;

  constructor(log: Log, limitBytes = DEFAULT_LIMIT_BYTES) {
    this.#log = log;
    this.limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes by what holds them. */
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
    if (holding.bytes === 0) this.#holdings.delete(holding);
  }

  #countFor(owner: string, delta: number): void {
    const bytes = (this.#byOwner.get(owner) ?? 0) + delta;
    if (bytes === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, bytes);
  }

  /** True if the holding may grow to so many bytes, perhaps after others have lost what they hold. */
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
   * Takes so many bytes from those that are meant, and some to spare: what is held is put in order each time, which must
   * not be for every message. False if there are not as many as needed, or if it was the asking one's turn.
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
    this.#collectSoon(freed);
    return freed >= needed && (asking.bytes > 0 || !losers.includes(asking));
  }

  /** What was given up is garbage only; the runtime does not know that it is wanted back, and would let it grow. */
  #collectSoon(freed: number): void {
    this.#garbageBytes += freed;
    if (this.#garbageBytes < this.limitBytes * COLLECTED) return;
    this.#garbageBytes = 0;
    setImmediate(() => Bun.gc(true));
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
