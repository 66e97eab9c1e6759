// Who may be in flight on a wire that does not say whose a message is: many at once, or one call alone.

import type { Abortable } from "../protocol/cancellation.ts";
import { GatewayError } from "../protocol/errors.ts";

interface Waiting {
  isAlone: boolean;
  readonly enter: () => void;
}

/** A queue in order of arrival; a call that must be alone waits for the others to leave and holds those behind it. */
export class Turns {
  readonly #queue: Waiting[] = [];
  #active = 0;
  #isAloneActive = false;

  /**
   * At once where the call may go (undefined), else when it may. Whoever came in must `leave`, once.
   * Rejects with call-cancelled if the signal comes first.
   */
  enter(isAlone: boolean, signal: Abortable): Promise<void> | undefined {
    if (this.#queue.length > 0 || !this.#mayEnter(isAlone)) return this.#queueUp(isAlone, signal);
    this.#begin(isAlone);
    return undefined;
  }

  leave(): void {
    this.#active -= 1;
    this.#isAloneActive = false;
    this.#admit();
  }

  /** Nobody has to be alone any more, of those who are in and of those who wait. */
  relax(): void {
    this.#isAloneActive = false;
    for (const waiting of this.#queue) waiting.isAlone = false;
    this.#admit();
  }

  #queueUp(isAlone: boolean, signal: Abortable): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        const at = this.#queue.indexOf(waiting);
        if (at >= 0) this.#queue.splice(at, 1);
        reject(new GatewayError("call-cancelled", "The call was cancelled before its turn came."));
        this.#admit();
      };
      const waiting: Waiting = {
        isAlone,
        enter: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal.addEventListener("abort", onAbort);
      this.#queue.push(waiting);
      this.#admit();
    });
  }

  #admit(): void {
    for (
      let head = this.#queue[0];
      head !== undefined && this.#mayEnter(head.isAlone);
      head = this.#queue[0]
    ) {
      this.#queue.shift();
      this.#begin(head.isAlone);
      head.enter();
    }
  }

  #begin(isAlone: boolean): void {
    this.#active += 1;
    this.#isAloneActive = isAlone;
  }

  #mayEnter(isAlone: boolean): boolean {
    return isAlone ? this.#active === 0 : !this.#isAloneActive;
  }
}
