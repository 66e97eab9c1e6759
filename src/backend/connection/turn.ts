// One call's turn: whether it may run beside others or must be alone, and where it is in that.

import type { Call } from "../../protocol/call.ts";

/** `until-settled` is alone as long as nobody says that it need not be. */
export type Company = "beside-others" | "until-settled" | "alone";

/**
 * `outside`: needs no turn, or has had it. `waiting`: in the queue. `in`: it runs. `lent`: it waits for a person, so that
 * others may run; it comes back to the queue before the answer goes to the server.
 */
export type Place = "outside" | "waiting" | "in" | "lent";

export class Turn {
  /** As the client made it. */
  readonly call: Call;
  company: Company = "beside-others";
  place: Place = "outside";
  /** Questions of this call that its client has not answered. */
  openQuestions = 0;

  constructor(call: Call) {
    this.call = call;
  }
}
