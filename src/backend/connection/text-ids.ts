// Some servers return the numeric id of our request as a string: "7" for 7. Such an answer is accepted, unless the server
// also answers with the number: then the string was not meant for that request. This is learned once per connection.

import { isTextId, numberOf, type Response } from "../../protocol/jsonrpc.ts";
import { Alarm, type Clock, SYSTEM_CLOCK } from "./alarm.ts";
import { TIMES } from "./times.ts";

interface Held {
  readonly response: Response;
  readonly untilMs: number;
}

export class TextIds {
  readonly #deliver: (response: Response) => void;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  /** Answers with a string id that wait, in case an answer with the numeric id arrives; by that number. */
  readonly #held = new Map<number, Held>();
  /** The last request that was answered with a string id. */
  #lastTaken: number | undefined;
  #writes: "unknown" | "texts" | "both" = "unknown";

  constructor(deliver: (response: Response) => void, clock: Clock = SYSTEM_CLOCK) {
    this.#deliver = deliver;
    this.#clock = clock;
    this.#alarm = new Alarm(clock, () => this.#tick());
  }

  /** Takes an answer to a request in flight. True if it is to be delivered now. */
  mayDeliver(response: Response): boolean {
    const number = numberOf(response.id);
    if (number === undefined) return true;
    if (!isTextId(response.id)) {
      this.#sawNumber(number);
      return true;
    }
    if (this.#writes === "texts") {
      this.#lastTaken = number;
      return true;
    }
    if (this.#writes === "unknown" && !this.#held.has(number)) {
      const untilMs = this.#clock.nowMs() + TIMES.TEXT_ID_MS;
      this.#held.set(number, { response, untilMs });
      this.#alarm.at(untilMs);
    }
    return false;
  }

  /** The wire has ended: no answer with a numeric id will arrive. */
  end(): void {
    this.#alarm.stop();
    this.#deliverUntil(Number.POSITIVE_INFINITY);
  }

  #sawNumber(number: number): void {
    if (!this.#held.has(number) && this.#lastTaken !== number) return;
    this.#writes = "both";
    this.#held.clear();
    this.#alarm.stop();
  }

  #tick(): void {
    this.#deliverUntil(this.#clock.nowMs());
    for (const { untilMs } of this.#held.values()) this.#alarm.at(untilMs);
  }

  #deliverUntil(nowMs: number): void {
    for (const [number, { response, untilMs }] of [...this.#held]) {
      if (untilMs > nowMs) continue;
      this.#held.delete(number);
      this.#writes = "texts";
      this.#lastTaken = number;
      this.#deliver(response);
    }
  }
}
