// Modern calls that outlive one request: a backend's question ends the client's request with `input_required`, and the
// client's retry goes on where the call waits (2026-07-28, basic/patterns/mrtr). The state that travels is sealed.

import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { randomName, sha256 } from "../digest.ts";
import type { Call, Caller, Outcome, Question } from "../protocol/call.ts";
import { type Abortable, Cancellation } from "../protocol/cancellation.ts";
import { objectOf } from "../protocol/exact.ts";
import { isObject, type Json, type Notification, type Request, RpcError } from "../protocol/jsonrpc.ts";
import { ResultType } from "../protocol/mcp.ts";
import type { Outlet } from "./outlet.ts";
import type { Seal } from "./seal.ts";

/** No call waits longer for its client's answers, whatever its backend's question_timeout. */
const PARKED_MS = 24 * 3_600_000;
const MAX_PARKED = 1_000;
/** How long the first question of a round waits for others that come with it. */
const GATHER_MS = 20;

const CALL_OVER = "The question was withdrawn: the call that asked has ended.";

const State = Type.Object({
  /** The running call. */
  r: Type.String(),
  /** Its round of questions. */
  n: Type.Integer(),
  /** Principal. */
  p: Type.String(),
  /** Target.name */
  t: Type.String(),
  /** Method and params, digested. */
  d: Type.String(),
  /** Expiry, milliseconds since 1970. */
  e: Type.Integer(),
});

/** One request, as far as a call that waits must know it again. */
export interface Asked {
  readonly message: Request;
  readonly principal: string;
  readonly target: { readonly name: string };
}

export class RunningCalls implements Disposable {
  readonly #seal: Seal;
  readonly #parked = new Map<string, RunningCall>();

  constructor(seal: Seal) {
    this.#seal = seal;
  }

  start(asked: Asked, caller: Caller, outlet: Outlet): RunningCall {
    return new RunningCall(this, asked, caller, outlet);
  }

  /** True where a request carries a state of ours, as opposed to one that a backend made. */
  isOurs(message: Request): boolean {
    const state = message.params?.requestState;
    return typeof state === "string" && this.#seal.open(state) !== undefined;
  }

  /** Goes on with a parked call. Throws RpcError where the state is forged, of somebody else, too old or used. */
  resume(asked: Asked, outlet: Outlet): RunningCall {
    const { message } = asked;
    const state = this.#seal.open(String(message.params?.requestState));
    if (!Value.Check(State, state) || !isFor(state, asked))
      throw new RpcError(-32602, "This requestState does not belong to this request.");
    const call = this.#parked.get(state.r);
    if (call === undefined || call.round !== state.n || state.e < Date.now()) {
      throw new RpcError(-32602, "This requestState has expired or was used already; make the call anew.");
    }
    this.#parked.delete(state.r);
    call.resume(outlet, objectOf(message.params ?? {}, "inputResponses") ?? {});
    return call;
  }

  /** Keeps a call until its client comes back, and returns the state to come back with. */
  park(call: RunningCall): string {
    if (this.#parked.size >= MAX_PARKED) this.#makeRoom();
    this.#parked.set(call.id, call);
    const expiresAtMs = Date.now() + PARKED_MS;
    const state: Static<typeof State> = {
      r: call.id,
      n: call.round,
      p: call.asked.principal,
      t: call.asked.target.name,
      d: digest(call.asked.message),
      e: expiresAtMs,
    };
    return this.#seal.close(state);
  }

  forget(call: RunningCall): void {
    this.#parked.delete(call.id);
  }

  /** A call whose backend has given up waits only to tell so; a client that comes back for it is rare. */
  #makeRoom(): void {
    const ended = this.#parked.values().find((call) => call.hasEnded);
    if (ended === undefined) throw new RpcError(-32000, "Too many calls wait for answers of their clients.");
    ended.abandon();
  }

  [Symbol.dispose](): void {
    for (const call of [...this.#parked.values()]) call.abandon();
  }
}

interface OpenQuestion {
  readonly question: Question;
  resolve(result: Json): void;
  reject(error: RpcError): void;
}

export class RunningCall implements Call {
  readonly asked: Asked;
  readonly method: string;
  readonly params?: Json;
  readonly caller: Caller;
  readonly signal = new Cancellation();
  /** Counts the rounds of questions, so that an old state cannot answer a new question. */
  round = 0;
  readonly #calls: RunningCalls;
  readonly #questions = new Map<string, OpenQuestion>();
  #id: string | undefined;
  /** Undefined while parked: nobody listens. */
  #outlet: Outlet | undefined;
  #outcome: Outcome | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #nextKey = 1;
  /** True once the outcome is known. */
  #isOver = false;

  constructor(calls: RunningCalls, asked: Asked, caller: Caller, outlet: Outlet) {
    const { method, params } = asked.message;
    this.#calls = calls;
    this.asked = asked;
    this.method = method;
    if (params !== undefined) this.params = params;
    this.caller = caller;
    this.#outlet = outlet;
  }

  /** Few calls are ever parked and need one. */
  get id(): string {
    this.#id ??= randomName(9);
    return this.#id;
  }

  /** True where the outcome is known and waits for the client to come back. */
  get hasEnded(): boolean {
    return this.#outcome !== undefined;
  }

  /** The client closed this request's stream. That cancels the call, unless it is parked or has another request now. */
  leave(outlet: Outlet): void {
    if (this.#outlet === outlet) this.abandon();
  }

  abandon(): void {
    this.#settle();
    this.signal.abort();
  }

  notify(notification: Notification): void {
    this.#outlet?.send(notification);
  }

  ask(question: Question, withdrawn: Abortable): Promise<Json> {
    if (this.#isOver) return Promise.reject(new RpcError(-32000, CALL_OVER));
    const key = `question-${this.#nextKey++}`;
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    const settle = () => {
      this.#questions.delete(key);
      withdrawn.removeEventListener("abort", onWithdrawn);
      this.signal.removeEventListener("abort", onWithdrawn);
    };
    const onWithdrawn = () => {
      settle();
      reject(new RpcError(-32000, "The question was withdrawn."));
    };
    withdrawn.addEventListener("abort", onWithdrawn);
    this.signal.addEventListener("abort", onWithdrawn);
    this.#questions.set(key, {
      question,
      resolve: (answer) => {
        settle();
        resolve(answer);
      },
      reject: (error) => {
        settle();
        reject(error);
      },
    });
    if (withdrawn.aborted || this.signal.aborted) onWithdrawn();
    else this.#parkSoon();
    return promise;
  }

  finish(outcome: Outcome): void {
    this.#isOver = true;
    this.#dropQuestions(CALL_OVER);
    if (this.#outlet === undefined && !this.signal.aborted) {
      this.#outcome = outcome; // The backend gave up waiting: its client hears so when it comes back.
      return;
    }
    this.#settle();
    if (this.signal.aborted) this.#outlet?.drop(outcome);
    else this.#outlet?.finish(outcome);
  }

  resume(outlet: Outlet, inputResponses: Json): void {
    clearTimeout(this.#timer);
    this.#outlet = outlet;
    if (this.#outcome !== undefined) return this.finish(this.#outcome);
    for (const [key, { resolve }] of [...this.#questions]) {
      const answer = objectOf(inputResponses, key);
      if (answer !== undefined) resolve(answer);
    }
    // What is still unanswered is asked again, as the specification wants.
    if (this.#questions.size > 0) this.#parkSoon();
  }

  /** Questions that come together go out together: a legacy server sends them one by one. */
  #parkSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#park(), GATHER_MS);
  }

  #park(): void {
    const outlet = this.#outlet;
    if (outlet === undefined || this.#questions.size === 0 || this.signal.aborted) return;
    this.round += 1;
    try {
      const requestState = this.#calls.park(this);
      const asked = [...this.#questions].map(
        ([
          key,
          {
            question: { method, params },
          },
        ]) => [key, { method, params }] as const,
      );
      this.#outlet = undefined;
      this.#timer = setTimeout(() => this.abandon(), PARKED_MS);
      outlet.finish({
        result: {
          resultType: ResultType.inputRequired,
          inputRequests: Object.fromEntries(asked),
          requestState,
        },
      });
    } catch (thrown) {
      const error = thrown instanceof RpcError ? thrown : new RpcError(-32603, String(thrown));
      this.#dropQuestions(error.message, error.code);
    }
  }

  #settle(): void {
    clearTimeout(this.#timer);
    if (this.#id !== undefined) this.#calls.forget(this);
    this.#dropQuestions(CALL_OVER);
  }

  /** Rejects the open questions of the call: there will be no answer. */
  #dropQuestions(why: string, code = -32000): void {
    for (const { reject } of [...this.#questions.values()]) reject(new RpcError(code, why));
  }
}

function isFor(state: Static<typeof State>, { message, principal, target }: Asked): boolean {
  return state.p === principal && state.t === target.name && state.d === digest(message);
}

/** What makes a retry the same request: everything but the answers, the state and the hop's own metadata. */
function digest({ method, params }: Request): string {
  const { inputResponses: _responses, requestState: _state, _meta, ...rest } = params ?? {};
  return sha256(JSON.stringify([method, sortKeys(rest)])).toString("base64url");
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key])]),
  );
}
