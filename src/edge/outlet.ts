// Where one client request is answered: an edge gives it, the era adapters write to it.

import type { Outcome } from "../protocol/call.ts";
import type { Message } from "../protocol/jsonrpc.ts";

export interface Outlet {
  /** Sends a message that belongs to this request before its answer. False where the client cannot be reached. */
  send(message: Message): boolean;
  /** Answers the request; nothing may follow. */
  finish(outcome: Outcome): void;
  /** The client took the request back: it must hear no more of it, as far as the wire allows. */
  drop(outcome: Outcome): void;
}
