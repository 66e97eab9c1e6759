// What was sent on the streams of one session, for a client that comes back with Last-Event-ID (2025-03-26 to
// 2025-11-25, basic/transports, "Resumability and Redelivery"). Bounded: the oldest events go first.

import { formatEvent } from "../protocol/event-stream.ts";

const MAX_EVENTS = 1_000;
const MAX_BYTES = 4 * 1024 * 1024;

interface LoggedEvent {
  readonly stream: number;
  readonly sequence: number;
  readonly text: string;
}

export interface EventPosition {
  readonly stream: number;
  readonly sequence: number;
}

export class EventLog {
  readonly #events: LoggedEvent[] = [];
  #bytes = 0;
  #streams = 0;
  #sequence = 0;

  /** Opens a stream: the first free number, unique within the session. */
  openStream(): number {
    this.#streams += 1;
    return this.#streams;
  }

  /** The text of an event with an id of its own; it is kept for replay. Empty data makes a priming event. */
  append(stream: number, data: string): string {
    this.#sequence += 1;
    const id = `${stream}-${this.#sequence}`;
    const text = data === "" ? formatEvent({ id, data }) : formatEvent({ id, event: "message", data });
    this.#events.push({ stream, sequence: this.#sequence, text });
    this.#bytes += text.length;
    while (this.#events.length > MAX_EVENTS || this.#bytes > MAX_BYTES) {
      this.#bytes -= this.#events.shift()?.text.length ?? 0;
    }
    return text;
  }

  /** All that was sent on that stream after that event. */
  after({ stream, sequence }: EventPosition): string {
    return this.#events
      .filter((event) => event.stream === stream && event.sequence > sequence)
      .map(({ text }) => text)
      .join("");
  }
}

export function readEventId(id: string): EventPosition | undefined {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(id);
  return match === null ? undefined : { stream: Number(match[1]), sequence: Number(match[2]) };
}
