// What the machine is to do, in the fewest words: one model for each lifecycle, and what every event makes of it.

import { IDLE_MS } from "./lifecycle-world.ts";

export type StateName = "stopped" | "asleep" | "starting" | "ready" | "draining" | "failed";
export type Fate = "answered" | "refused";

/** Longer than any wait before another attempt. */
export const LONG_MS = 60_000;
/** A process that ran for longer was no part of a crash loop. */
const STABLE_MS = 5 * 60_000;

export class Model {
  readonly isKeptAlive: boolean;
  state: StateName = "stopped";
  /** Closed for good. */
  isStopped = false;
  /** Another has taken its place; it is closed when nobody uses it any more. */
  isRetiring = false;
  /** Calls that wait for a start. */
  waiting = new Set<number>();
  /** Calls that a child has and will answer in this order. */
  running: number[] = [];
  /** Calls that the children before end on their own, oldest child first. */
  retired: number[][] = [];
  readonly fates = new Map<number, Fate>();
  made = 0;
  starts = 0;
  failures = 0;
  /** Whether a call may start anew what has failed. */
  mayRetry = true;
  isPermanent = false;
  isMended = false;
  isWatched = false;
  /** Whether children close as soon as they are told to. */
  closesAtOnce = true;
  #clockMs = 0;
  #readySinceMs = 0;

  constructor(isKeptAlive: boolean) {
    this.isKeptAlive = isKeptAlive;
  }

  get users(): number {
    return this.running.length + this.waiting.size + this.retired.flat().length;
  }

  call(id: number): void {
    this.made += 1;
    if (this.isStopped) return this.settle([id], "refused");
    if (this.state === "ready") return void this.running.push(id);
    if (this.state === "failed" && !(this.isPermanent ? this.isMended : this.mayRetry)) {
      return this.settle([id], "refused");
    }
    this.waiting.add(id);
    if (this.state !== "draining" && this.state !== "starting") this.#start();
  }

  started(): void {
    this.state = "ready";
    this.#readySinceMs = this.#clockMs;
    this.running = [...this.waiting];
    this.waiting.clear();
  }

  fall(isPermanent: boolean): void {
    const wasReady = this.state === "ready";
    if (wasReady && this.#clockMs - this.#readySinceMs > STABLE_MS) this.failures = 0;
    this.settle([...this.running, ...this.waiting], "refused");
    this.running = [];
    this.waiting.clear();
    this.failures += 1;
    this.mayRetry = wasReady && this.failures === 1;
    this.isPermanent = isPermanent;
    this.isMended = false;
    this.state = "failed";
  }

  answer(): void {
    this.settle(this.running.splice(0, 1), "answered");
    this.failures = 0;
  }

  retiredAnswers(child: number): void {
    this.settle(this.retired[child]?.splice(0, 1) ?? [], "answered");
    this.failures = 0;
  }

  cancel(id: number): void {
    if (this.fates.has(id)) return;
    this.settle([id], "refused");
    this.waiting.delete(id);
    this.running = this.running.filter((other) => other !== id);
    this.retired = this.retired.map((calls) => calls.filter((other) => other !== id));
  }

  renew(): void {
    this.retired.push(this.running);
    this.running = [];
    this.#start();
  }

  shortTimePasses(): void {
    this.#clockMs += IDLE_MS + 1;
    if (this.state === "failed" && this.#isRevived && this.mayRetry) this.#start();
    const isIdle = this.state === "ready" && this.running.length === 0;
    if (!isIdle || this.isWatched || this.isKeptAlive) return;
    this.state = this.closesAtOnce ? "asleep" : "draining";
  }

  longTimePasses(): void {
    this.shortTimePasses();
    this.#clockMs += LONG_MS;
    if (this.state !== "failed") return;
    this.mayRetry = true;
    if (this.#isRevived) this.#start();
  }

  childHasClosed(): void {
    this.state = this.isStopped ? "stopped" : "asleep";
    if (this.isStopped) this.#refuseAll();
    if (this.waiting.size > 0) this.#start();
  }

  prestart(): void {
    if ((this.state === "stopped" || this.state === "asleep") && !this.isStopped) this.#start();
  }

  /** Closed for good: whoever waits is told so, except for those who wait for a child to end; they hear it then. */
  stop(): void {
    this.isStopped = true;
    const isReady = this.state === "ready";
    if (this.state === "draining") {
      this.settle(this.retired.flat(), "refused");
      this.retired = [];
      return;
    }
    this.#refuseAll();
    this.state = isReady && !this.closesAtOnce ? "draining" : "stopped";
  }

  settle(calls: Iterable<number>, fate: Fate): void {
    for (const id of calls) this.fates.set(id, fate);
  }

  get #isRevived(): boolean {
    return this.isKeptAlive && !this.isPermanent && !this.isStopped;
  }

  #start(): void {
    this.state = "starting";
    this.starts += 1;
  }

  #refuseAll(): void {
    this.settle([...this.running, ...this.waiting, ...this.retired.flat()], "refused");
    this.running = [];
    this.waiting.clear();
    this.retired = [];
  }
}
