// One request that waits for its answer, and its caller.

import type { Answer, Caller, Question } from "../../protocol/call.ts";
import type { Abortable } from "../../protocol/cancellation.ts";
import type { Id, Json, Notification } from "../../protocol/jsonrpc.ts";
import { progressTokenOf } from "./progress-token.ts";
import type { Turn } from "./turn.ts";

/** Receives messages about one request before its answer. */
export interface Listener {
  onNotification?(notification: Notification): void;
  /** Absent if nobody can be asked. */
  onQuestion?(question: Question, withdrawn: AbortSignal): Promise<Json>;
  /** True if the request may be made a second time after a question of it was refused. */
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
  /** Absent for requests of the gateway itself. */
  readonly caller?: Caller;
  /** Absent for calls that take no turn. */
  readonly turn?: Turn;
  readonly listener?: Listener;
}

/** For requests of the gateway itself: messages before the answer are dropped. */
const DEAF: Listener = {};

/** `asking`: a question of it is open, so its deadline rests. The last three are ends. */
export type CallState = "running" | "asking" | "answered" | "abandoned" | "lost";

/** It is the listener of its own signal, because a closure for every call costs time. */
export class Pending {
  readonly id: number;
  readonly method: string;
  readonly caller: Caller | undefined;
  readonly turn: Turn | undefined;
  /** The caller's own token, put back into the progress that comes for it. */
  readonly progressToken: Id | undefined;
  readonly timeoutMs: number;
  readonly listener: Listener;
  readonly answer: Promise<Answer>;
  state: CallState = "running";
  /** Both on the monotonic clock of the call table, which sets them. */
  startedMs = 0;
  deadlineMs = Number.POSITIVE_INFINITY;
  openQuestions = 0;
  /** When its newest question arrived. */
  askedAtMs = 0;
  readonly #signal: Abortable | undefined;
  readonly #onAborted: (pending: Pending) => void;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (reason: unknown) => void;

  /** `onAborted` is called if the signal ends the wait. */
  constructor(
    { id, method, params }: Asked,
    { timeoutMs, signal, caller, turn, listener = DEAF }: Waiting,
    onAborted: (pending: Pending) => void,
  ) {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.id = id;
    this.method = method;
    this.caller = caller;
    this.turn = turn;
    this.progressToken = params === undefined ? undefined : progressTokenOf(params);
    this.timeoutMs = timeoutMs;
    this.listener = listener;
    this.answer = promise;
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
