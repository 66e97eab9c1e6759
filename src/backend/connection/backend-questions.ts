// Questions that a backend puts to a client: to the call that they belong to, or to nobody.
// A wire with one channel for all does not say whose a question is. A call that asked waits for its answer, so its owner
// is the call that is still there when the others have gone: found by elimination, never guessed, never put to all.

import {
  errorResponse,
  type Id,
  isId,
  type Json,
  type Notification,
  notification,
  type Request,
  type Response,
  RpcError,
  resultResponse,
} from "../../protocol/jsonrpc.ts";
import { Notice } from "../../protocol/mcp.ts";
import type { Ask } from "./connection-events.ts";
import { GHOST_MS, type Pending, type PendingCalls } from "./pending.ts";

/** How long a question may wait for the other calls to end before the backend is told that nobody can be asked. */
const CLAIM_TIMEOUT_MS = 30_000;

/** How long all calls must have seemed to wait for each other before one of them is refused. */
const STUCK_MS = 500;

const NOBODYS =
  "No call of a client is in progress that this question could belong to, so the gateway asked nobody.";
const SOMEBODYS =
  "Several calls are in progress and nothing says which of them asks this, so the gateway asked nobody. Make the call " +
  "again: from now on the gateway makes the calls to this server one at a time.";

interface Unclaimed {
  readonly question: Request;
  /** The calls that were there when it came: no later one can have asked it. */
  readonly suspects: readonly Pending[];
  readonly timer: ReturnType<typeof setTimeout>;
}

interface Answering {
  readonly abort: AbortController;
  readonly owner: Pending | undefined;
}

export interface BackendQuestionsOptions {
  readonly pending: PendingCalls;
  readonly reply: (message: Response | Notification) => void;
  /** Where there is but one client: for questions that belong to no call. */
  readonly askOutsideOfCalls: Ask | undefined;
}

export class BackendQuestions {
  readonly #pending: PendingCalls;
  readonly #reply: (message: Response | Notification) => void;
  readonly #askOutsideOfCalls: Ask | undefined;
  /** Waiting until it is clear whose they are, by the backend's id. */
  readonly #unclaimed = new Map<Id, Unclaimed>();
  /** Being answered by a client, by the backend's id. */
  readonly #answering = new Map<Id, Answering>();

  #stuckTimer: ReturnType<typeof setTimeout> | undefined;
  /** The calls of which one has asked in vain: the first that ends. */
  #suspects: readonly Pending[] = [];

  constructor({ pending, reply, askOutsideOfCalls }: BackendQuestionsOptions) {
    this.#pending = pending;
    this.#reply = reply;
    this.#askOutsideOfCalls = askOutsideOfCalls;
  }

  /** Lets the owner answer; without one the backend is told so, at once. */
  put(question: Request, owner: Pending | undefined, refusal = NOBODYS): void {
    const listener = owner?.listener;
    const ask = listener?.onQuestion?.bind(listener) ?? this.#askOutsideOfCalls;
    if (ask === undefined) {
      return this.#reply(errorResponse(question.id, { code: -32603, message: refusal }));
    }
    const abort = new AbortController();
    this.#answering.set(question.id, { abort, owner });
    // A call that waits for a person is not late.
    if (owner !== undefined) owner.deadlineMs = Number.POSITIVE_INFINITY;
    const { id, method, params } = question;
    const asked = params === undefined ? { method } : { method, params };
    const onProgress = (progress: Json) => this.#reply(notification(Notice.progress, progress));
    void ask({ ...asked, onProgress }, abort.signal)
      .then(
        (result) => resultResponse(id, result),
        (thrown: unknown) => errorResponse(id, toError(thrown)),
      )
      .then((response) => {
        this.#answering.delete(id);
        if (owner !== undefined) this.#pending.extend(owner);
        if (!abort.signal.aborted) this.#reply(response);
      });
  }

  /** For a wire that does not say to which call a question belongs. */
  putToSoleOwner(question: Request): void {
    const timer = setTimeout(() => this.#refuse(question.id), CLAIM_TIMEOUT_MS);
    const suspects = this.#pending.values().filter(({ listener }) => listener.onQuestion !== undefined);
    this.#unclaimed.set(question.id, { question, suspects, timer });
    this.review();
    // A call that was given up may be the one that asks; when it can no longer be, the owner may be clear.
    if (this.#unclaimed.has(question.id)) setTimeout(() => this.review(), GHOST_MS).unref();
  }

  /** To be called whenever a call has ended. */
  review(): void {
    if (this.#unclaimed.size === 0) return;
    for (const [id, unclaimed] of [...this.#unclaimed]) {
      const [first, ...others] = this.#candidatesFor(unclaimed);
      // A server does not wait for the answer to a question of a call that was cancelled: the call's end proves nothing.
      if (unclaimed.suspects.some((call) => this.#pending.isGivenUp(call))) this.#refuse(id);
      else if (others.length === 0 && !this.#isHaunted(first?.owner)) this.#claim(id, first);
    }
    if (this.#isStuck()) this.#stuckTimer ??= setTimeout(() => this.#refuseNewest(), STUCK_MS);
  }

  /** A call that was given up may be the one that asks. Where it was of the same client, that client is asked anyway. */
  #isHaunted(client: string | undefined): boolean {
    const ghosts = this.#pending.ghostOwners();
    return client === undefined ? ghosts.length > 1 : ghosts.some((owner) => owner !== client);
  }

  /** Every call seems to wait for an answer of ours, so none would ever end. One call may have asked several times. */
  #isStuck(): boolean {
    if (this.#unclaimed.size === 0) return false;
    const candidates = new Set([...this.#unclaimed.values()].flatMap((one) => this.#candidatesFor(one)));
    const hasGhosts = this.#pending.ghostOwners().length > 0;
    return !hasGhosts && !this.#mayEnd(candidates) && this.#unclaimed.size >= candidates.size;
  }

  /** To be asked once of every call that ends: true where a question of it may have been refused to let others go on. */
  mayHaveRefused(ended: Pending): boolean {
    const isSuspect = this.#suspects.includes(ended);
    if (isSuspect) this.#suspects = [];
    return isSuspect;
  }

  /** What still looks stuck after a while is: the newest question is refused, which ends its call. */
  #refuseNewest(): void {
    this.#stuckTimer = undefined;
    const [id, newest] = [...this.#unclaimed].at(-1) ?? [];
    if (id === undefined || newest === undefined || !this.#isStuck()) return;
    this.#suspects = this.#candidatesFor(newest);
    this.#refuse(id);
    this.review();
  }

  /** The backend takes back a question of its own. */
  withdraw(id: unknown, reason?: unknown): void {
    if (!isId(id)) return;
    this.#forget(id);
    this.#answering.get(id)?.abort.abort(reason);
    this.#answering.delete(id);
  }

  clear(): void {
    clearTimeout(this.#stuckTimer);
    this.#stuckTimer = undefined;
    for (const id of [...this.#unclaimed.keys(), ...this.#answering.keys()]) this.withdraw(id);
  }

  /** Who can have asked it and still waits, whatever it called: a server may ask while it lists or completes. */
  #candidatesFor({ suspects }: Unclaimed): Pending[] {
    return suspects.filter((pending) => this.#pending.get(pending.id) === pending);
  }

  /** True where one of them waits for a client and not for us: it goes on when the client has answered. */
  #mayEnd(calls: ReadonlySet<Pending>): boolean {
    return this.#answering.values().some(({ owner }) => owner !== undefined && calls.has(owner));
  }

  #claim(id: Id, owner: Pending | undefined, refusal?: string): void {
    const question = this.#unclaimed.get(id)?.question;
    this.#forget(id);
    if (question !== undefined) this.put(question, owner, refusal);
  }

  #refuse(id: Id): void {
    this.#claim(id, undefined, SOMEBODYS);
  }

  #forget(id: Id): void {
    clearTimeout(this.#unclaimed.get(id)?.timer);
    this.#unclaimed.delete(id);
  }
}

function toError(thrown: unknown) {
  return thrown instanceof RpcError
    ? thrown.toObject()
    : { code: -32603, message: "The client gave no answer." };
}
