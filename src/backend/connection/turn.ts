// One call's turn: whether the call may run beside others or must be alone, and whether it waits, runs or has paused.

import type { Call } from "../../protocol/call.ts";

/** `until-settled`: alone until the expected question for roots has come or its time is over. */
export type Company = "beside-others" | "until-settled" | "alone";

/**
 * `outside`: needs no turn, or has had it. `waiting`: in the queue. `in`: it runs. `lent`: it waits for a person, so
 * others may run; it waits for its turn again before the person's answer goes to the server.
 */
export type Place = "outside" | "waiting" | "in" | "lent";

export class Turn {
  /** The call as the client made it. */
  readonly call: Call;
  company: Company = "beside-others";
  place: Place = "outside";
  /** How many questions of this call its client has not answered. */
  openQuestions = 0;

  constructor(call: Call) {
    this.call = call;
  }
}
