// An outlet that keeps what was written to it.

import type { Outlet } from "../../src/edge/outlet.ts";
import type { Outcome } from "../../src/protocol/call.ts";
import type { Message } from "../../src/protocol/jsonrpc.ts";

export class FakeOutlet implements Outlet {
  readonly sent: Message[] = [];
  readonly #outcome = Promise.withResolvers<Outcome>();
  outcomes = 0;
  isDropped = false;

  /** Resolves with what the request was answered with. */
  get outcome(): Promise<Outcome> {
    return this.#outcome.promise;
  }

  /** The result; throws where the answer is an error. */
  async result(): Promise<Record<string, unknown>> {
    const outcome = await this.outcome;
    if ("error" in outcome) throw new Error(`${outcome.error.message} (${outcome.error.code})`);
    return outcome.result;
  }

  send(message: Message): boolean {
    if (this.outcomes > 0) throw new Error("a message came after the answer");
    this.sent.push(message);
    return true;
  }

  finish(outcome: Outcome): void {
    this.outcomes += 1;
    if (this.outcomes > 1) throw new Error("a request was answered twice");
    this.#outcome.resolve(outcome);
  }

  drop(): void {
    this.isDropped = true;
  }
}
