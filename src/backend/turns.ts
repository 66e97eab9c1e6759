// Who may be in flight on a wire that does not say whose a message is: many at once, or one call alone.

import type { Abortable } from "../protocol/cancellation.ts";
import { GatewayError } from "../protocol/errors.ts";

/** `until-settled` is alone as long as nobody says that it need not be. */
export type Company = "beside-others" | "until-settled" | "alone";

interface Waiting {
  company: Company;
  readonly enter: () => void;
}

/** A queue in order of arrival; a call that must be alone waits for the others to leave and holds those behind it. */
export class Turns {
  readonly #queue: Waiting[] = [];
  #active = 0;
  /** Of those who are in. */
  #company: Company = "beside-others";

  /**
   * At once where the call may go (undefined), else when it may. Whoever came in must `leave`, once.
   * Rejects with call-cancelled if the signal comes first.
   */
  enter(company: Company, signal: Abortable): Promise<void> | undefined {
    if (this.#queue.length > 0 || !this.#mayEnter(company)) return this.#queueUp(company, signal);
    this.#begin(company);
    return undefined;
  }

  leave(): void {
    this.#active -= 1;
    this.#company = "beside-others";
    this.#admit();
  }

  /** Those who are alone until then, and those who wait to be, may have company from now on. */
  settled(): void {
    if (this.#company === "until-settled") this.#company = "beside-others";
    for (const waiting of this.#queue) {
      if (waiting.company === "until-settled") waiting.company = "beside-others";
    }
    this.#admit();
  }

  #queueUp(company: Company, signal: Abortable): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        const at = this.#queue.indexOf(waiting);
        if (at >= 0) this.#queue.splice(at, 1);
        reject(new GatewayError("call-cancelled", "The call was cancelled before its turn came."));
        this.#admit();
      };
      const waiting: Waiting = {
        company,
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
      head !== undefined && this.#mayEnter(head.company);
      head = this.#queue[0]
    ) {
      this.#queue.shift();
      this.#begin(head.company);
      head.enter();
    }
  }

  #begin(company: Company): void {
    this.#active += 1;
    this.#company = company;
  }

  #mayEnter(company: Company): boolean {
    return this.#active === 0 || (company === "beside-others" && this.#company === "beside-others");
  }
}
