// Which call does a message belong to? One table for each connection knows the calls in flight, those that were answered or
// given up a moment ago, the open questions, and which calls must run alone. All deadlines are armed here.
//
// The rule for a message that names no call: its candidates are fixed when it arrives. They are the calls in flight and those
// answered or given up less than LATE_MS before. A call that waits for a person is a candidate only if its server was seen to
// speak then. If all candidates belong to one client, that client gets the message. Otherwise a notification is withheld, and
// a question waits until the other calls have been answered, or is refused.

import type { Log } from "../../log.ts";
import type { Era } from "../../protocol/call.ts";
import { type Abortable, signalOf } from "../../protocol/cancellation.ts";
import { GatewayError } from "../../protocol/errors.ts";
import { InFlight } from "../../protocol/in-flight.ts";
import {
  errorResponse,
  type Id,
  isId,
  type Json,
  type Notification,
  notification,
  numberOf,
  type Request,
  type Response,
  RpcError,
  resultResponse,
} from "../../protocol/jsonrpc.ts";
import { wantedLogLevel } from "../../protocol/log-level.ts";
import { MAY_ASK_BACK, Method, Notice } from "../../protocol/mcp.ts";
import { Alarm, type Clock, SYSTEM_CLOCK } from "./alarm.ts";
import { type ClientIdentity, identityOf, isSameClient } from "./client-identity.ts";
import type { Ask } from "./connection-events.ts";
import type { Habits } from "./habits.ts";
import type { CallState, Listener, Pending } from "./pending.ts";
import { RecentCalls } from "./recent-calls.ts";
import { QUIET_CALLS, TIMES } from "./times.ts";
import type { Company, Place, Turn } from "./turn.ts";

export interface CallTableOptions {
  readonly name: string;
  readonly log: Log;
  readonly habits: Habits;
  /** How long a client may leave a question open. */
  readonly questionTimeoutMs: number;
  /** Called when the deadline of a call has passed; the call has left the table. */
  readonly onExpired: (pending: Pending) => void;
  readonly reply: (message: Response | Notification) => void;
  /** Asks the only client, if there is exactly one: for questions that belong to no call. */
  readonly askOutsideOfCalls?: Ask | undefined;
  readonly clock?: Clock;
}

/** Who receives a notification that names no call. */
export type Audience = Listener | "everybody" | "nobody";

const NOBODYS =
  "No call of a client is in progress that this question could belong to, so the gateway asked nobody.";
const SOMEBODYS =
  "Several calls are in progress and the question names none of them, so the gateway asked nobody. Make the call " +
  "again: from now on the gateway makes the calls to this server one at a time.";
const CALL_ENDED = "the call that asked has ended";

/** A question that a client has been asked. */
interface OpenQuestion {
  /** The backend's id of the question; absent if the gateway asks in place of a modern backend. */
  readonly id: Id | undefined;
  /** The calls of this client that may have asked it. */
  readonly owners: readonly Pending[];
  readonly turns: readonly Turn[];
  readonly abort: AbortController;
  deadlineMs: number;
  /** When its calls give their turns to others; Infinity after they have. */
  lendAtMs: number;
}

/** A question that waits until it is clear whose it is. */
interface HeldQuestion {
  readonly question: Request;
  /** The calls that were in flight when it came: no later one can have asked it. */
  readonly suspects: readonly Pending[];
  readonly refuseAtMs: number;
}

interface GivenUp {
  readonly client: ClientIdentity;
  readonly atMs: number;
  readonly untilMs: number;
}

interface InQueue {
  readonly turn: Turn;
  readonly isReturning: boolean;
  readonly enter: () => void;
}

interface Candidates {
  /** In flight, newest last. */
  readonly running: readonly Pending[];
  /** In flight, but each waits for a person to answer its question. */
  readonly asking: readonly Pending[];
  /** Answered a moment ago. */
  readonly answered: readonly ClientIdentity[];
  /** Given up a moment ago. */
  readonly givenUp: readonly ClientIdentity[];
  /** True if there were more candidates than could be kept. */
  readonly hasMore: boolean;
}

interface Judgement {
  readonly verdict: "nobody" | "one" | "several";
  /** The calls that the message may be about, newest last. */
  readonly calls: readonly Pending[];
  /** True if the message may be about a call that is no longer in flight. */
  readonly mayBeOver: boolean;
}

/** Tests switch the checks of the table's invariants on; they cost nothing otherwise. */
export const tableChecks = { isOn: false };

export class CallTable {
  readonly #options: CallTableOptions;
  readonly #habits: Habits;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #inFlight = new InFlight<Pending>();
  readonly #recent = new RecentCalls(
    () => this.#habits.has("speaksLate"),
    (label) => this.#isTrusted(label),
  );
  readonly #givenUp = new Map<number, GivenUp>();
  readonly #open = new Set<OpenQuestion>();
  readonly #held = new Map<Id, HeldQuestion>();
  /** Groups of calls of which one asked a question that was refused; it is taken to be the first call of its group to end. */
  #inVain: (readonly Pending[])[] = [];
  readonly #queue: InQueue[] = [];
  /** The number of turns that are in, and the turn that must be alone, if there is one. */
  #active = 0;
  #alone: Turn | undefined;
  /** The call answered last: it receives messages about it that come after its answer. */
  #lastAnswered: Pending | undefined;
  /** How many calls of each tool were followed by silence. */
  readonly #quiet = new Map<string, number>();
  #lastNamelessMs = Number.NEGATIVE_INFINITY;
  #stuckAtMs = Number.POSITIVE_INFINITY;
  #era: Era | undefined;
  #isShared = false;
  #hasSharedChannel: () => boolean = () => this.#isShared;
  /** Until then a question for roots says nothing of what the server does during calls. */
  #rootsExpectedUntilMs = Number.POSITIVE_INFINITY;
  #hasAskedForRoots = false;
  /** Set while the question for roots is still expected after a start: until then calls run one at a time. */
  #settleAtMs = Number.POSITIVE_INFINITY;
  #isChanging = false;
  #hasChangedAgain = false;
  #withheld = 0;

  constructor(options: CallTableOptions) {
    this.#options = options;
    this.#habits = options.habits;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#alarm = new Alarm(this.#clock, () => this.#tick());
  }

  get size(): number {
    return this.#inFlight.size;
  }

  /** How many notifications were withheld because they could have been for several clients. */
  get withheld(): number {
    return this.#withheld;
  }

  /** True while a client waits, as opposed to the gateway itself. */
  hasOwned(): boolean {
    return this.#inFlight.find(({ caller }) => caller !== undefined) !== undefined;
  }

  // --- calls ---

  /** The id for the request that begins next. */
  nextId(): number {
    return this.#inFlight.nextKey();
  }

  begin(pending: Pending): void {
    const nowMs = this.#clock.nowMs();
    pending.startedMs = nowMs;
    if (pending.timeoutMs > 0) {
      pending.deadlineMs = nowMs + pending.timeoutMs;
      this.#alarm.at(pending.deadlineMs);
    }
    this.#inFlight.set(pending.id, pending);
    this.#changed();
  }

  /** The call with this id. Some servers write the number differently ("7", 7.0); such ids are unambiguous. */
  get(id: Id | null | undefined): Pending | undefined {
    const number = numberOf(id);
    return number === undefined ? undefined : this.#inFlight.get(number);
  }

  /** The backend has answered. Returns the call, which the caller of this method settles; undefined if nobody waits for it. */
  answered(id: Id | null | undefined): Pending | undefined {
    const pending = this.get(id);
    if (pending !== undefined) this.#move(pending, "answered");
    else this.#answeredInVain(numberOf(id) ?? 0);
    this.#changed();
    return pending;
  }

  /** Nobody waits for the answer any more. False if the answer has already come. */
  abandon(pending: Pending): boolean {
    if (this.#inFlight.get(pending.id) !== pending) return false;
    this.#move(pending, "abandoned");
    this.#changed();
    return true;
  }

  /** There will be no answer. If the call may have arrived, the backend may still work on it and send messages about it. */
  lose(id: Id, mayHaveArrived: boolean): Pending | undefined {
    const pending = this.get(id);
    if (pending === undefined) return undefined;
    this.#move(pending, mayHaveArrived ? "abandoned" : "lost");
    this.#changed();
    return pending;
  }

  /** The wire has ended. Returns the calls that still wait. */
  clear(): Pending[] {
    for (const open of [...this.#open]) this.#dropQuestion(open, "the connection to the server has ended");
    const all = this.#inFlight.values();
    for (const pending of all) this.#move(pending, "lost");
    this.#held.clear();
    this.#givenUp.clear();
    this.#recent.clear();
    this.#lastAnswered = undefined;
    this.#stuckAtMs = Number.POSITIVE_INFINITY;
    this.#settleAtMs = Number.POSITIVE_INFINITY;
    // Calls that wait for a turn go on, and find that the connection has ended.
    this.#alone = undefined;
    this.#active = 0;
    for (const { enter } of this.#queue.splice(0)) enter();
    this.#alarm.stop();
    return all;
  }

  /** The call has made progress: its timeout starts again, up to a cap. */
  extend(pending: Pending): void {
    if (pending.timeoutMs === 0 || pending.state === "asking") return;
    const { startedMs, timeoutMs } = pending;
    const capMs = startedMs + Math.max(timeoutMs, TIMES.PROGRESS_CAP_MS);
    pending.deadlineMs = Math.min(this.#clock.nowMs() + timeoutMs, capMs);
    this.#alarm.at(pending.deadlineMs);
  }

  /** To be called once for every call that ends: true if a question of it may have been refused to let others go on. */
  mayHaveAskedInVain(ended: Pending): boolean {
    if (this.#inVain.length === 0) return false;
    const group = this.#inVain.find((calls) => calls.includes(ended));
    this.#inVain = this.#inVain.filter((calls) => calls !== group);
    return group !== undefined;
  }

  // --- messages that name no call ---

  /** Who receives a notification that names no call. */
  audienceOf({ method }: Notification): Audience {
    const { verdict, calls } = this.#judge(this.#candidates(this.#alone !== undefined));
    if (method === Notice.message && verdict !== "nobody" && this.#isShared) this.#habits.note("logs");
    if (verdict === "nobody" && this.#inFlight.size === 0) return "everybody";
    if (verdict !== "one") return this.#withhold(method);
    return calls.at(-1)?.listener ?? "nobody";
  }

  /** A question that names no call. */
  askNameless(question: Request): void {
    const found = this.#candidates(false);
    const { verdict, calls, mayBeOver } = this.#judge({
      ...found,
      running: found.running.filter(canBeAsked),
    });
    this.#noteQuestion(question.method, verdict !== "nobody");
    if (verdict !== "several") this.put(question, calls);
    // A call that has already ended cannot be ruled out by waiting for its answer.
    else if (mayBeOver || this.#habits.has("speaksLate")) this.#refuse(question, calls);
    else this.#hold(question, calls);
    if (this.#hasAskedForRoots) this.#settled();
    this.#changed();
  }

  /** Asks the client of these calls; if there is none, the backend gets an error at once. */
  put(question: Request, owners: readonly Pending[], refusal = NOBODYS): void {
    const listener = owners.at(-1)?.listener;
    const ask = listener?.onQuestion?.bind(listener) ?? this.#options.askOutsideOfCalls;
    const { id, method, params } = question;
    if (ask === undefined) return this.#options.reply(errorResponse(id, { code: -32603, message: refusal }));
    const turns = owners.flatMap(({ turn }) => turn ?? []);
    const open = this.#openQuestion({ id, owners, turns });
    const asked = params === undefined ? { method } : { method, params };
    const onProgress = (progress: Json) => this.#options.reply(notification(Notice.progress, progress));
    void this.#answerOf(open, () => ask({ ...asked, onProgress }, open.abort.signal)).then(
      (result) => this.#options.reply(resultResponse(id, result)),
      (thrown: unknown) => {
        if (!isWithdrawn(thrown)) this.#options.reply(errorResponse(id, toError(thrown)));
      },
    );
  }

  /** Asks the client of a call on behalf of a modern backend, whose wire carries no questions. Rejects with RpcError. */
  ask(turn: Turn, ask: (signal: AbortSignal) => Promise<Json>, withdrawn: Abortable): Promise<Json> {
    const open = this.#openQuestion({ id: undefined, owners: [], turns: [turn] });
    const signal = AbortSignal.any([signalOf(withdrawn), open.abort.signal]);
    return this.#answerOf(open, () => ask(signal));
  }

  /** The backend takes back a question of its own. */
  withdraw(id: unknown, reason?: unknown): void {
    if (!isId(id)) return;
    this.#held.delete(id);
    for (const open of [...this.#open]) {
      if (open.id === id)
        this.#dropQuestion(open, typeof reason === "string" ? reason : "the server took it back");
    }
    this.#changed();
  }

  // --- turns ---

  /**
   * The handshake is done: calls may come. On a shared wire a log line does not say to which call it belongs. Other wires
   * may have a second channel on which messages name no call: over HTTP, the GET stream.
   */
  ready(era: Era, isShared: boolean, hasSharedChannel = () => isShared): void {
    this.#era = era;
    this.#isShared = isShared;
    this.#hasSharedChannel = hasSharedChannel;
    this.expectRootsQuestion();
    const isAwaited = isShared && era === "legacy" && this.#habits.has("asksForRoots");
    if (!isAwaited || this.#hasAskedForRoots || this.#habits.has("asks")) return;
    this.#settleAtMs = this.#clock.nowMs() + TIMES.ROOTS_QUESTION_MS;
    this.#alarm.at(this.#settleAtMs);
  }

  /** A question for roots is expected for a while: the server has started, or was told that the roots have changed. */
  expectRootsQuestion(): void {
    this.#rootsExpectedUntilMs = this.#clock.nowMs() + TIMES.ROOTS_QUESTION_MS;
  }

  /**
   * Returns undefined if the call may go at once, else a promise for its turn. Each turn that was entered must `leave` once.
   * Rejects with call-cancelled if the call is cancelled first.
   */
  enter(turn: Turn): Promise<void> | undefined {
    const { call } = turn;
    if (!MAY_ASK_BACK.has(call.method)) return undefined;
    turn.company = this.#companyOf(turn);
    if (this.#queue.length > 0 || !this.#mayEnter(turn)) return this.#queueUp(turn, false);
    this.#seat(turn, "in");
    this.#changed();
    return undefined;
  }

  leave(turn: Turn): void {
    if (turn.place === "outside") return;
    const waiting = this.#queue.find((other) => other.turn === turn);
    this.#seat(turn, "outside");
    waiting?.enter();
    this.#changed();
  }

  #companyOf({ call }: Turn): Company {
    if (this.#era === "legacy" && this.#habits.has("asks")) return "alone";
    if (!this.#isShared) return "beside-others";
    if (this.#habits.has("logs") && wantedLogLevel(call) !== undefined) return "alone";
    return this.#settleAtMs < Number.POSITIVE_INFINITY ? "until-settled" : "beside-others";
  }

  #mayEnter(turn: Turn): boolean {
    const isAlone = turn.company !== "beside-others";
    if (isAlone ? this.#active > 0 : this.#alone !== undefined) return false;
    return !this.#needsGap(turn) || this.#quietAtMs(turn) <= this.#clock.nowMs();
  }

  /**
   * True if this call must wait until no message about another client's ended call can arrive. If no other call runs, this
   * gap tells messages for two clients apart. A tool that was silent after its last calls needs no gap.
   */
  #needsGap({ company }: Turn): boolean {
    if (company === "alone") return true;
    return this.#hasSharedChannel() && (this.#active === 0 || this.#habits.has("speaksLate"));
  }

  /** From when on nothing that comes can be about a call of another client that has ended. */
  #quietAtMs({ call }: Turn): number {
    let atMs = this.#recent.isEmpty ? 0 : this.#recent.foreignUntilMs(call.caller);
    if (this.#givenUp.size === 0) return atMs;
    const client = identityOf(call.caller);
    for (const other of this.#givenUp.values())
      if (!this.#isSameClient(other.client, client)) atMs = Math.max(atMs, other.untilMs);
    return atMs;
  }

  #queueUp(turn: Turn, isReturning: boolean): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const { signal } = turn.call;
      const onAbort = () => {
        this.#seat(turn, "outside");
        reject(new GatewayError("call-cancelled", "The call was cancelled before its turn came."));
        this.#changed();
      };
      const enter = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      signal.addEventListener("abort", onAbort);
      const at = isReturning ? this.#queue.findIndex((other) => !other.isReturning) : -1;
      this.#queue.splice(at < 0 ? this.#queue.length : at, 0, { turn, isReturning, enter });
      this.#seat(turn, "waiting");
      this.#changed();
    });
  }

  /** The client has answered, so the call runs again. If calls to this server run one at a time, it waits for its turn. */
  async #returned({ turns }: OpenQuestion): Promise<void> {
    const isAway = ({ place, openQuestions }: Turn) => place === "lent" && openQuestions === 1;
    for (let turn = turns.find(isAway); turn !== undefined; turn = turns.find(isAway)) {
      // All calls that may have asked the question belong to one client, so they return together.
      const isBack = turns.some(({ place }) => place === "in");
      turn.company = isBack ? "beside-others" : this.#companyOf(turn);
      const isFree = turn.company === "beside-others" || this.#held.size > 0;
      if (isFree || this.#mayEnter(turn)) this.#seat(turn, "in");
      else await this.#queueUp(turn, true).catch(ignoreCancelled);
    }
  }

  #admit(): void {
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      // A held question may wait for the answer of this returning call.
      const mustGoOn = head.isReturning && this.#held.size > 0;
      if (!mustGoOn && !this.#mayEnter(head.turn)) break;
      this.#queue.shift();
      this.#seat(head.turn, "in");
      head.enter();
    }
    const blocked = this.#queue[0];
    if (blocked !== undefined && this.#needsGap(blocked.turn)) {
      const atMs = this.#quietAtMs(blocked.turn);
      if (atMs > this.#clock.nowMs()) this.#alarm.at(atMs);
    }
  }

  #settled(): void {
    this.#settleAtMs = Number.POSITIVE_INFINITY;
    if (this.#habits.has("asks")) return;
    if (this.#alone?.company === "until-settled") {
      this.#alone.company = "beside-others";
      this.#alone = undefined;
    }
    for (const { turn } of this.#queue) if (turn.company === "until-settled") turn.company = "beside-others";
  }

  // --- the one place that changes the state of a call, and the one that changes the place of a turn ---

  #move(pending: Pending, to: CallState): void {
    pending.state = to;
    if (to === "running" || to === "asking") return;
    this.#inFlight.delete(pending.id);
    const { id, caller } = pending;
    if (to === "answered" && caller !== undefined) {
      const untilMs = this.#clock.nowMs() + TIMES.LATE_MS;
      this.#recent.add(caller, labelOf(pending), untilMs);
      // A modern client has no channel but its request, so its call is not kept.
      if (caller.era === "legacy") this.#lastAnswered = pending;
      this.#alarm.at(untilMs);
    }
    if (to === "abandoned" && caller !== undefined) {
      const atMs = this.#clock.nowMs();
      const untilMs = atMs + (this.#habits.has("worksOn") ? TIMES.WORKS_ON_MS : TIMES.LATE_MS);
      if (this.#givenUp.size >= MAX_GIVEN_UP) this.#makeRoom();
      this.#givenUp.set(id, { client: identityOf(caller), atMs, untilMs });
      this.#alarm.at(untilMs);
    }
    if (to !== "answered" && pending.openQuestions > 0) this.#dropQuestionsOf(pending);
  }

  /** Removes the oldest record. As long as that call is a candidate, it counts as one of an unknown client. */
  #makeRoom(): void {
    for (const [id, { untilMs }] of this.#givenUp) {
      this.#givenUp.delete(id);
      return this.#recent.addUnknown(untilMs);
    }
  }

  #seat(turn: Turn, to: Place): void {
    const from = turn.place;
    turn.place = to;
    if (from === "waiting") {
      const at = this.#queue.findIndex((waiting) => waiting.turn === turn);
      if (at >= 0) this.#queue.splice(at, 1);
    }
    if (from === "in" && to !== "in") {
      this.#active = Math.max(0, this.#active - 1);
      if (this.#alone === turn) this.#alone = undefined;
    }
    if (to !== "in") return;
    this.#active += 1;
    if (turn.company !== "beside-others") this.#alone = turn;
  }

  /** To be called after every change: held questions and waiting turns that can go on now do so. */
  #changed(): void {
    if (this.#held.size > 0 || this.#queue.length > 0) this.#goOn();
    if (tableChecks.isOn && !this.#isChanging) this.#check();
  }

  #goOn(): void {
    this.#hasChangedAgain = true;
    if (this.#isChanging) return;
    this.#isChanging = true;
    try {
      while (this.#hasChangedAgain) {
        this.#hasChangedAgain = false;
        this.#review();
        this.#admit();
      }
    } finally {
      this.#isChanging = false;
    }
  }

  // --- candidates ---

  #candidates(leavesTrusted: boolean): Candidates {
    const nowMs = this.#clock.nowMs();
    const owned = this.#inFlight.values().filter(({ caller }) => caller !== undefined);
    const speaks = this.#habits.has("speaksWhileAsking");
    const isSilent = ({ state, askedAtMs }: Pending) =>
      state === "asking" && !speaks && nowMs - askedAtMs >= TIMES.TOGETHER_MS;
    return {
      running: owned.filter((pending) => !isSilent(pending)),
      asking: owned.filter(isSilent),
      answered: this.#recent.clients(nowMs, leavesTrusted),
      givenUp: [...this.#givenUp.values()]
        .filter(({ untilMs }) => untilMs > nowMs)
        .map(({ client }) => client),
      hasMore: this.#recent.isOverfull(nowMs, leavesTrusted),
    };
  }

  /** Decides whether all candidates belong to one client, and notes what this shows about the server. */
  #judge({ running, asking, answered, givenUp, hasMore }: Candidates): Judgement {
    this.#lastNamelessMs = this.#clock.nowMs();
    // The message must come from some call: if no other call runs, from one that waits for a person.
    const calls = running.length > 0 ? running : asking;
    const over = [...answered, ...givenUp];
    const mayBeOver = hasMore || over.length > 0;
    const caller = calls.at(-1)?.caller;
    const client = caller === undefined ? over[0] : identityOf(caller);
    if (client === undefined) return { verdict: hasMore ? "several" : "nobody", calls, mayBeOver };
    const isOne =
      calls.every((other) => isOf(other, client)) && over.every((other) => this.#isSameClient(other, client));
    if (hasMore || !isOne) return { verdict: "several", calls, mayBeOver };
    if (!mayBeOver && running.length === 0) this.#habits.note("speaksWhileAsking");
    if (calls.length > 0) return { verdict: "one", calls, mayBeOver };
    // A client that has cancelled its call wants no messages about it.
    if (givenUp.length > 0) return { verdict: "one", calls, mayBeOver };
    this.#noteLate();
    const last = this.#lastAnswered;
    return { verdict: "one", calls: last !== undefined && isOf(last, client) ? [last] : [], mayBeOver };
  }

  /** Tools that never spoke late do not disturb a call that is alone for its log lines. For questions there is no trust. */
  #isTrusted(label: string): boolean {
    if ((this.#quiet.get(label) ?? 0) < QUIET_CALLS) return false;
    return !this.#habits.has("asks") && !this.#habits.has("speaksLate");
  }

  /** Requests of one modern program count as one client, unless the server was seen to speak late. */
  #isSameClient(a: ClientIdentity, b: ClientIdentity): boolean {
    return isSameClient(a, b, this.#habits.has("speaksLate"));
  }

  #withhold(method: string): Audience {
    this.#withheld += 1;
    const { name, log } = this.#options;
    log.debug("withheld a notification that could be for several clients", { backend: name, method });
    return "nobody";
  }

  #noteLate(): void {
    this.#habits.note("speaksLate");
    this.#quiet.clear();
  }

  /** An expected question for roots does not show that the server asks during calls; every other question does. */
  #noteQuestion(method: string, isDuringCalls: boolean): void {
    const isExpected = method === Method.listRoots && this.#clock.nowMs() < this.#rootsExpectedUntilMs;
    if (isExpected) {
      this.#hasAskedForRoots = true;
      this.#habits.note("asksForRoots");
    } else if (isDuringCalls) {
      this.#habits.note("asks");
    }
  }

  /** The backend has answered a call that was given up. From now on the call is treated like any answered one. */
  #answeredInVain(id: number): void {
    const givenUp = this.#givenUp.get(id);
    if (givenUp === undefined) return;
    const nowMs = this.#clock.nowMs();
    if (nowMs - givenUp.atMs >= TIMES.LATE_MS) this.#habits.note("worksOn");
    this.#givenUp.set(id, { ...givenUp, untilMs: nowMs + TIMES.LATE_MS });
    this.#alarm.at(nowMs + TIMES.LATE_MS);
  }

  // --- questions ---

  #openQuestion(of: Pick<OpenQuestion, "id" | "owners" | "turns">): OpenQuestion {
    const nowMs = this.#clock.nowMs();
    const open: OpenQuestion = {
      ...of,
      abort: new AbortController(),
      deadlineMs: nowMs + this.#options.questionTimeoutMs,
      lendAtMs: nowMs + TIMES.TOGETHER_MS,
    };
    this.#open.add(open);
    for (const turn of open.turns) turn.openQuestions += 1;
    for (const owner of open.owners) {
      owner.openQuestions += 1;
      owner.askedAtMs = nowMs;
      // The time that a person takes does not count towards the timeout of the call.
      owner.deadlineMs = Number.POSITIVE_INFINITY;
      if (this.#inFlight.get(owner.id) === owner) this.#move(owner, "asking");
    }
    this.#alarm.at(Math.min(open.deadlineMs, open.lendAtMs));
    return open;
  }

  /** What the client says, once the call has its turn back. Rejects with RpcError, or with Withdrawn. */
  async #answerOf(open: OpenQuestion, ask: () => Promise<Json>): Promise<Json> {
    const aborted = whenAborted(open.abort.signal);
    const answer = await Promise.race([aborted, ask()]).then(
      (result) => ({ result }),
      (thrown: unknown) => ({ thrown }),
    );
    if (!this.#open.has(open)) throw new Withdrawn(String(open.abort.signal.reason));
    const hasTimedOut = open.abort.signal.aborted;
    open.deadlineMs = Number.POSITIVE_INFINITY;
    await this.#returned(open);
    if (!this.#open.has(open)) throw new Withdrawn(String(open.abort.signal.reason));
    this.#closeQuestion(open);
    if (hasTimedOut) throw new RpcError(-32000, `The client did not answer: ${open.abort.signal.reason}.`);
    if ("thrown" in answer) throw answer.thrown;
    return answer.result;
  }

  /** The question has been settled: the calls that may have asked it run again. */
  #closeQuestion(open: OpenQuestion): void {
    this.#open.delete(open);
    for (const turn of open.turns) turn.openQuestions -= 1;
    for (const owner of open.owners) {
      owner.openQuestions -= 1;
      if (owner.openQuestions > 0 || owner.state !== "asking") continue;
      this.#move(owner, "running");
      this.extend(owner);
    }
    this.#changed();
  }

  /** Withdraws an open question, because nobody waits for its answer any more. */
  #dropQuestion(open: OpenQuestion, reason: string): void {
    if (!this.#open.has(open)) return;
    this.#closeQuestion(open);
    open.abort.abort(reason);
  }

  #dropQuestionsOf(ended: Pending): void {
    for (const open of [...this.#open]) {
      const hasEnded = open.owners.includes(ended) && !open.owners.some((owner) => this.#isInFlight(owner));
      if (hasEnded) this.#dropQuestion(open, CALL_ENDED);
    }
  }

  #hold(question: Request, suspects: readonly Pending[]): void {
    const refuseAtMs = this.#clock.nowMs() + TIMES.HELD_QUESTION_MS;
    this.#held.set(question.id, { question, suspects, refuseAtMs });
    this.#alarm.at(refuseAtMs);
  }

  #refuse(question: Request, suspects: readonly Pending[]): void {
    this.#held.delete(question.id);
    this.#inVain = this.#inVain.filter((calls) => calls.some((pending) => this.#isInFlight(pending)));
    if (suspects.length > 0) this.#inVain.push(suspects);
    this.#options.reply(errorResponse(question.id, { code: -32603, message: SOMEBODYS }));
  }

  /** A call that asked cannot be answered yet: if all other candidates were answered, the remaining one asked the question. */
  #review(): void {
    for (const [id, held] of [...this.#held]) {
      const { question, suspects } = held;
      const left = suspects.filter((pending) => this.#isInFlight(pending));
      const [first] = left;
      // A cancelled call may have asked before it ended, so its end does not rule it out.
      if (suspects.some(({ state }) => state === "abandoned" || state === "lost")) {
        this.#refuse(question, left);
      } else if (left.every((other) => isOf(other, first?.caller))) {
        this.#held.delete(id);
        this.put(question, left);
      }
    }
    const isStuck = this.#isStuck();
    if (!isStuck) this.#stuckAtMs = Number.POSITIVE_INFINITY;
    else if (this.#stuckAtMs === Number.POSITIVE_INFINITY) {
      this.#stuckAtMs = this.#clock.nowMs() + TIMES.STUCK_MS;
      this.#alarm.at(this.#stuckAtMs);
    }
  }

  /** True if every candidate seems to wait for an answer from us, so that none would ever end. One call may have asked twice. */
  #isStuck(): boolean {
    if (this.#held.size === 0) return false;
    const suspects = new Set([...this.#held.values()].flatMap((held) => held.suspects));
    const left = [...suspects].filter((pending) => this.#isInFlight(pending));
    const mayEnd = left.some(({ state }) => state === "asking");
    return !mayEnd && this.#held.size >= left.length;
  }

  /** If the calls still look stuck after a while, the newest question is refused, which ends its call. */
  #refuseNewest(): void {
    this.#stuckAtMs = Number.POSITIVE_INFINITY;
    const newest = [...this.#held.values()].at(-1);
    if (newest === undefined || !this.#isStuck()) return;
    this.#refuse(
      newest.question,
      newest.suspects.filter((pending) => this.#isInFlight(pending)),
    );
  }

  #isInFlight(pending: Pending): boolean {
    return this.#inFlight.get(pending.id) === pending;
  }

  // --- time ---

  #tick(): void {
    this.#isChanging = true;
    try {
      this.#judgeDeadlines(this.#clock.nowMs());
    } finally {
      this.#isChanging = false;
      this.#alarm.at(this.#nextMs());
    }
    this.#changed();
    this.#alarm.at(this.#nextMs());
  }

  #judgeDeadlines(nowMs: number): void {
    this.#expireCalls(nowMs);
    this.#expireQuestions(nowMs);
    this.#expireRecent(nowMs);
    if (this.#settleAtMs <= nowMs) this.#settled();
    if (this.#stuckAtMs <= nowMs) this.#refuseNewest();
  }

  #expireCalls(nowMs: number): void {
    const isOver = ({ deadlineMs }: Pending) => deadlineMs <= nowMs;
    for (let late = this.#inFlight.find(isOver); late !== undefined; late = this.#inFlight.find(isOver)) {
      this.#move(late, "abandoned");
      this.#options.onExpired(late);
    }
  }

  #expireQuestions(nowMs: number): void {
    for (const open of [...this.#open]) {
      if (open.lendAtMs <= nowMs) {
        open.lendAtMs = Number.POSITIVE_INFINITY;
        for (const turn of open.turns) if (turn.place === "in") this.#seat(turn, "lent");
      }
      if (open.deadlineMs > nowMs) continue;
      open.deadlineMs = Number.POSITIVE_INFINITY;
      open.abort.abort(`no answer within ${this.#options.questionTimeoutMs / 1000} s (question_timeout)`);
    }
    for (const { question, suspects, refuseAtMs } of [...this.#held.values()])
      if (refuseAtMs <= nowMs)
        this.#refuse(
          question,
          suspects.filter((pending) => this.#isInFlight(pending)),
        );
  }

  #expireRecent(nowMs: number): void {
    const quietSinceMs = nowMs - TIMES.LATE_MS;
    this.#recent.expire(nowMs, (label) => {
      const wasQuiet = this.#hasSharedChannel() && this.#lastNamelessMs < quietSinceMs;
      if (wasQuiet) this.#quiet.set(label, (this.#quiet.get(label) ?? 0) + 1);
    });
    for (const [id, { untilMs }] of this.#givenUp) if (untilMs <= nowMs) this.#forgetGivenUp(id, nowMs);
    if (this.#recent.isEmpty) this.#lastAnswered = undefined;
    if (this.#quiet.size > MAX_LABELS) this.#quiet.clear();
  }

  /** The call stays in the table after it was a candidate: its answer would show that the server continues cancelled calls. */
  #forgetGivenUp(id: number, nowMs: number): void {
    const givenUp = this.#givenUp.get(id);
    if (givenUp !== undefined && nowMs - givenUp.atMs >= TIMES.WORKS_ON_MS) this.#givenUp.delete(id);
  }

  #nextMs(): number {
    let nextMs = Math.min(this.#recent.nextMs, this.#settleAtMs, this.#stuckAtMs);
    this.#inFlight.find(({ deadlineMs }) => {
      nextMs = Math.min(nextMs, deadlineMs);
      return false;
    });
    for (const { deadlineMs, lendAtMs } of this.#open) nextMs = Math.min(nextMs, deadlineMs, lendAtMs);
    for (const { refuseAtMs } of this.#held.values()) nextMs = Math.min(nextMs, refuseAtMs);
    const nowMs = this.#clock.nowMs();
    for (const { atMs, untilMs } of this.#givenUp.values())
      nextMs = Math.min(nextMs, untilMs > nowMs ? untilMs : atMs + TIMES.WORKS_ON_MS);
    return nextMs;
  }

  // --- invariants ---

  /** Throws if the table contradicts itself. */
  #check(): void {
    const calls = this.#inFlight.values();
    for (const { id, state, openQuestions, deadlineMs, timeoutMs } of calls) {
      const isAsking = openQuestions > 0;
      assert(
        state === (isAsking ? "asking" : "running"),
        `call ${id} is ${state} with ${openQuestions} questions`,
      );
      assert(
        isAsking || timeoutMs === 0 || deadlineMs < Number.POSITIVE_INFINITY,
        `call ${id} has no deadline`,
      );
      assert(!this.#givenUp.has(id), `call ${id} is in flight and given up`);
    }
    for (const open of this.#open) {
      assert(open.id === undefined || !this.#held.has(open.id), "a question is held and open");
      for (const owner of open.owners) assert(owner.openQuestions > 0, "an open question is not counted");
    }
    for (const { suspects } of this.#held.values()) {
      const left = suspects.filter((pending) => this.#isInFlight(pending));
      assert(
        left.some((other) => !isOf(other, left[0]?.caller)),
        "a held question has one client left, or none",
      );
    }
    assert(this.#alone === undefined || this.#alone.place === "in", "a call is alone and not in");
    assert(this.#alone === undefined || this.#active > 0, "a call is alone and nothing runs");
    const [head] = this.#queue;
    assert(head === undefined || !this.#mayEnter(head.turn), "a call waits that may go");
    assert(
      this.#nextMs() === Number.POSITIVE_INFINITY || this.#alarm.atMs < Number.POSITIVE_INFINITY,
      "no alarm",
    );
  }
}

/** For so many tools the silence after a call is counted. */
const MAX_LABELS = 1_000;
/** So many calls that were given up are kept one by one. */
const MAX_GIVEN_UP = 256;

/** The question was withdrawn, so its answer is not sent. */
class Withdrawn extends RpcError {
  constructor(reason: string) {
    super(-32000, `The question was withdrawn: ${reason}.`);
  }
}

/** Rejects when the signal is aborted. The rejection needs no handler. */
function whenAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(ignoreCancelled);
  signal.addEventListener("abort", () => reject(new RpcError(-32000, "The question was withdrawn.")));
  return promise;
}

function isWithdrawn(thrown: unknown): boolean {
  return thrown instanceof Withdrawn;
}

function canBeAsked({ listener }: Pending): boolean {
  return listener.onQuestion !== undefined;
}

/** For calls in flight, one client is one key: requests of one modern program are not combined here. */
function isOf({ caller }: Pending, client: { readonly key: string } | undefined): boolean {
  return caller?.key === client?.key;
}

/** The tool or prompt that was called, or the method. Builds no string, because it runs for every call. */
function labelOf({ method, turn }: Pending): string {
  const name = turn?.call.params?.name;
  return typeof name === "string" ? name : method;
}

function ignoreCancelled(): void {
  // The questions of a cancelled call are dropped with it.
}

function assert(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`The call table contradicts itself: ${what}.`);
}

function toError(thrown: unknown) {
  return thrown instanceof RpcError
    ? thrown.toObject()
    : { code: -32603, message: "The client gave no answer." };
}
