// Questions on a wire that does not say whose they are. A call that asked waits for its answer, so the owner is the call
// that is still there when the others have gone: found by elimination, never guessed, never put to everybody.

import type { Id, Request } from "../protocol/jsonrpc.ts";
import { MAY_ASK_BACK } from "../protocol/mcp.ts";
import type { Pending } from "./pending.ts";

/** How long a question may wait for the other calls to end before the backend is told that nobody can be asked. */
const CLAIM_TIMEOUT_MS = 30_000;

export class UnclaimedQuestions {
  readonly #calls: () => Iterable<Pending>;
  readonly #answer: (question: Request, owner: Pending | undefined) => void;
  readonly #waiting = new Map<Id, { question: Request; timer: ReturnType<typeof setTimeout> }>();

  constructor(
    calls: () => Iterable<Pending>,
    answer: (question: Request, owner: Pending | undefined) => void,
  ) {
    this.#calls = calls;
    this.#answer = answer;
  }

  add(question: Request): void {
    const timer = setTimeout(() => this.#settle(question.id, undefined), CLAIM_TIMEOUT_MS);
    this.#waiting.set(question.id, { question, timer });
    this.review();
  }

  /** To be called whenever a call has ended. */
  review(): void {
    if (this.#waiting.size === 0) return;
    const owner = soleOwner(this.#calls());
    if (owner === "several") return;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, owner);
  }

  remove(id: Id): void {
    clearTimeout(this.#waiting.get(id)?.timer);
    this.#waiting.delete(id);
  }

  clear(): void {
    for (const id of [...this.#waiting.keys()]) this.remove(id);
  }

  #settle(id: Id, owner: Pending | undefined): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.remove(id);
    this.#answer(waiting.question, owner);
  }
}

/** Calls that may ask back come first; where none is in flight, any call of a client can be the reason. */
function soleOwner(calls: Iterable<Pending>): Pending | undefined | "several" {
  const askable = [...calls].filter((pending) => pending.onQuestion !== undefined);
  const likely = askable.filter((pending) => MAY_ASK_BACK.has(pending.method));
  const candidates = likely.length > 0 ? likely : askable;
  if (candidates.length > 1) return "several";
  return candidates[0];
}
