// Who may be in flight on a wire that does not say whose a message is: many at once, or one call alone.

import type { Abortable } from "../protocol/cancellation.ts";
import { GatewayError } from "../protocol/errors.ts";

/** Called once, when the call has ended. */
export type Leave = () => void;

interface Waiting {
  readonly isAlone: boolean;
  readonly enter: (leave: Leave) => void;
}

/** A queue in order of arrival; a call that must be alone waits for the others to leave and holds those behind it. */
export class Turns {
  readonly #queue: Waiting[] = [];
  #active = 0;
  #isAloneActive = false;

  /** At once where the call may go, else when it may. Rejects with call-cancelled if the signal comes first. */
  enter(isAlone: boolean, signal: Abortable): Leave | Promise<Leave> {
    if (this.#queue.length === 0 && this.#mayEnter(isAlone)) return this.#begin(isAlone);
    return this.#queueUp(isAlone, signal);
  }

  #queueUp(isAlone: boolean, signal: Abortable): Promise<Leave> {
    return new Promise<Leave>((resolve, reject) => {
      const onAbort = () => {
        const at = this.#queue.indexOf(waiting);
        if (at >= 0) this.#queue.splice(at, 1);
        reject(new GatewayError("call-cancelled", "The call was cancelled before its turn came."));
        this.#admit();
      };
      const waiting: Waiting = {
        isAlone,
        enter: (leave) => {
          signal.removeEventListener("abort", onAbort);
          resolve(leave);
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
      head.enter(this.#begin(head.isAlone));
    }
  }

  #begin(isAlone: boolean): Leave {
    this.#active += 1;
    this.#isAloneActive = isAlone;
    return this.#leaveOnce();
  }

  #mayEnter(isAlone: boolean): boolean {
    return isAlone ? this.#active === 0 : !this.#isAloneActive;
  }

  #leaveOnce(): Leave {
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      this.#active -= 1;
      this.#isAloneActive = false;
      this.#admit();
    };
  }
}
