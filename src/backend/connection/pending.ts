// The requests that wait for an answer on one connection, with one timer for all their deadlines.

import type { Answer, Question } from "../../protocol/call.ts";
import type { Abortable } from "../../protocol/cancellation.ts";
import { InFlight } from "../../protocol/in-flight.ts";
import type { Id, Json, Notification } from "../../protocol/jsonrpc.ts";
import { progressTokenOf } from "./progress-token.ts";

/** What comes for one request before its answer. */
export interface Listener {
  onNotification?(notification: Notification): void;
  /** Absent where nobody can be asked. */
  onQuestion?(question: Question, withdrawn: AbortSignal): Promise<Json>;
  /** True where the request may be made a second time, if a question of it was put to nobody. */
  mayBeRepeated?(): boolean;
}

/** A request with an id of ours, still with the caller's own progress token. */
export interface Asked {
  readonly id: number;
  readonly method: string;
  readonly params?: Json;
}

export interface Waiting {
  readonly timeoutMs: number;
  readonly signal?: Abortable;
  /** Caller.key of the one who asked; absent for what the gateway asks for itself. */
  readonly owner?: string;
  readonly listener?: Listener;
}

/** For requests of the gateway itself: nobody wants to hear what comes before the answer. */
const DEAF: Listener = {};

/** Who waits, and for what. It listens to its signal itself: on the path of every call a closure is dear. */
export class Pending {
  readonly id: number;
  readonly method: string;
  readonly owner: string | undefined;
  /** The caller's own token, put back into the progress that comes for it. */
  readonly progressToken: Id | undefined;
  readonly timeoutMs: number;
  readonly listener: Listener;
  readonly answer: Promise<Answer>;
  deadlineMs: number;
  readonly #signal: Abortable | undefined;
  readonly #onAborted: (pending: Pending) => void;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (reason: unknown) => void;

  /** `onAborted` is called where the signal ends the wait. */
  constructor(
    { id, method, params }: Asked,
    { timeoutMs, signal, owner, listener = DEAF }: Waiting,
    onAborted: (pending: Pending) => void,
  ) {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.id = id;
    this.method = method;
    this.owner = owner;
    this.progressToken = params === undefined ? undefined : progressTokenOf(params);
    this.timeoutMs = timeoutMs;
    this.listener = listener;
    this.answer = promise;
    this.deadlineMs = timeoutMs > 0 ? Date.now() + timeoutMs : Number.POSITIVE_INFINITY;
    this.#signal = signal;
    this.#onAborted = onAborted;
    this.#resolve = resolve;
    this.#reject = reject;
    signal?.addEventListener("abort", this);
  }

  handleEvent(): void {
    this.#onAborted(this);
  }

  resolve(answer: Answer): void {
    this.#signal?.removeEventListener("abort", this);
    this.#resolve(answer);
  }

  reject(reason: unknown): void {
    this.#signal?.removeEventListener("abort", this);
    this.#reject(reason);
  }
}

/** No request waits longer than this, whatever its progress: a backend that only ever reports progress must end. */
const PROGRESS_EXTENSIONS_MAX_MS = 24 * 3_600_000;

/** How long a call that was given up can still be what a nameless message is about. */
export const GHOST_MS = 20_000;

export class PendingCalls {
  readonly #byId = new InFlight<Pending>();
  readonly #ghosts = new Map<number, { readonly owner: string; readonly untilMs: number }>();
  readonly #onExpired: (pending: Pending) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(onExpired: (pending: Pending) => void) {
    this.#onExpired = onExpired;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The id for the request that is added next. */
  nextId(): number {
    return this.#byId.nextKey();
  }

  add(pending: Pending): void {
    this.#byId.set(pending.id, pending);
    this.#armAt(pending.deadlineMs);
  }

  get(id: Id | undefined): Pending | undefined {
    return typeof id === "number" ? this.#byId.get(id) : undefined;
  }

  /** Removes and returns; whoever takes a pending call is the one that settles it. */
  take(id: Id | undefined): Pending | undefined {
    const pending = this.get(id);
    if (pending !== undefined) this.#byId.delete(pending.id);
    return pending;
  }

  takeAll(): Pending[] {
    const all = this.#byId.values();
    for (const { id } of all) this.#byId.delete(id);
    this.#disarm();
    return all;
  }

  /** True while a client waits, as opposed to the gateway itself. */
  hasOwned(): boolean {
    return this.#byId.find(({ owner }) => owner !== undefined) !== undefined;
  }

  /** Newest last. */
  values(): readonly Pending[] {
    return this.#byId.values();
  }

  /** Nobody waits for this call any more, but the backend may still be at work on it, and speak. */
  haunt({ id, owner }: Pending): void {
    if (owner !== undefined) this.#ghosts.set(id, { owner, untilMs: Date.now() + GHOST_MS });
  }

  isGivenUp({ id }: Pending): boolean {
    return this.#ghosts.has(id);
  }

  /** The backend has answered a call that nobody waits for: it will say no more of it. */
  layToRest(id: Id | undefined): void {
    if (typeof id === "number") this.#ghosts.delete(id);
  }

  /** The owners of calls that were given up a short while ago. */
  ghostOwners(): string[] {
    const nowMs = Date.now();
    for (const [id, { untilMs }] of this.#ghosts) if (untilMs <= nowMs) this.#ghosts.delete(id);
    return [...this.#ghosts.values()].map(({ owner }) => owner);
  }

  /** A call of the one client that alone can be meant by what comes without a name on it. */
  soleOwner(): Pending | undefined {
    let last: Pending | undefined;
    for (const pending of this.#byId.values()) {
      if (pending.owner === undefined) continue;
      if (last !== undefined && last.owner !== pending.owner) return undefined;
      last = pending;
    }
    return this.ghostOwners().every((owner) => owner === last?.owner) ? last : undefined;
  }

  /** Progress shows that work is being done: the deadline starts anew. */
  extend(pending: Pending): void {
    pending.deadlineMs = Date.now() + Math.min(pending.timeoutMs, PROGRESS_EXTENSIONS_MAX_MS);
  }

  /** A timer stays armed when the call that it was for has ended: it looks whose turn it is when it fires. */
  #armAt(atMs: number): void {
    if (atMs >= this.#timerAtMs || atMs === Number.POSITIVE_INFINITY) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(() => this.#expire(), Math.min(Math.max(0, atMs - Date.now()), 2 ** 31 - 1));
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  #expire(): void {
    this.#disarm();
    const nowMs = Date.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const pending of this.#byId.values()) {
      if (pending.deadlineMs <= nowMs) {
        this.take(pending.id);
        this.#onExpired(pending);
      } else {
        nextMs = Math.min(nextMs, pending.deadlineMs);
      }
    }
    this.#armAt(nextMs);
  }
}
