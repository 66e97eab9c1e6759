// What was sent on the streams of one session, for a client that comes back with Last-Event-ID (2025-03-26 to
// 2025-11-25, basic/transports, "Resumability and Redelivery"). Bounded: the oldest events go first.

import { randomName } from "../digest.ts";
import type { Holding, MemoryBudget } from "../memory-budget.ts";
import { formatEvent } from "../protocol/event-stream.ts";
import { type Id, isId } from "../protocol/jsonrpc.ts";

const MAX_EVENTS = 1_000;
const MAX_BYTES = 4 * 1024 * 1024;
/** A request id longer than this is not put into event ids: they travel in a header. */
const MAX_NAMED_LENGTH = 64;

/** The stream of what belongs to no request. */
export const UNASKED_STREAM = "0";

interface LoggedEvent {
  readonly stream: string;
  readonly sequence: number;
  readonly text: string;
  readonly bytes: number;
}

export interface EventPosition {
  /** Which log gave the id: one that a restart has ended knows nothing of the events any more. */
  readonly log: string;
  readonly stream: string;
  readonly sequence: number;
}

export class EventLog implements Disposable {
  readonly #name = randomName(6);
  readonly #held: Holding;
  #events: LoggedEvent[] = [];
  /** The sequence number of the newest event that was dropped. */
  #dropped = 0;
  #streams = 0;
  #isOver = false;
  #sequence = 0;

  /** `owner` is the session that the events belong to. */
  constructor(memory: MemoryBudget, owner: string) {
    this.#held = memory.hold("replay", { owner, giveUp: () => this.#dropAll() });
  }

  /** A name for the stream that answers this request, unique within the log. It tells the request to later processes. */
  openStream(request: Id): string {
    this.#streams += 1;
    const json = JSON.stringify(request);
    const isNamed = json.length <= MAX_NAMED_LENGTH;
    return isNamed ? `${this.#streams}.${Buffer.from(json).toString("base64url")}` : String(this.#streams);
  }

  /** The text of an event with an id of its own; it is kept for replay. Empty data makes a priming event. */
  append(stream: string, data: string): string {
    this.#sequence += 1;
    const id = `${this.#name}.${this.#sequence}.${stream}`;
    const text = data === "" ? formatEvent({ id, data }) : formatEvent({ id, event: "message", data });
    this.#keep({ stream, sequence: this.#sequence, text, bytes: Buffer.byteLength(text) });
    return text;
  }

  #keep(event: LoggedEvent): void {
    if (this.#isOver) return;
    this.#events.push(event);
    let bytes = this.#held.bytes + event.bytes;
    let count = 0;
    for (const oldest of this.#events) {
      if (this.#events.length - count <= MAX_EVENTS && bytes <= MAX_BYTES) break;
      bytes -= oldest.bytes;
      this.#dropped = oldest.sequence;
      count += 1;
    }
    if (count > 0) {
      this.#events.splice(0, count);
      this.#held.set(Math.max(0, bytes - event.bytes));
    }
    this.#held.progressed();
    if (!this.#held.set(bytes)) this.#dropAll();
  }

  #dropAll(): void {
    this.#dropped = this.#sequence;
    this.#events = [];
    this.#held[Symbol.dispose]();
  }

  /** False for a position in the log of an earlier life of this session. */
  holds({ log }: EventPosition): boolean {
    return log === this.#name;
  }

  /** True if events after this one may have been dropped. */
  hasDropped({ sequence }: EventPosition): boolean {
    return sequence < this.#dropped;
  }

  /** The kept events of the same stream after this event. */
  after(position: EventPosition): string {
    if (!this.holds(position)) return "";
    return this.#events
      .filter((event) => event.stream === position.stream && event.sequence > position.sequence)
      .map(({ text }) => text)
      .join("");
  }

  /** The session is over. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#dropAll();
  }
}

export function readEventId(id: string): EventPosition | undefined {
  const match = /^([\w-]{1,32})\.(\d{1,15})\.(\d{1,15}(?:\.[\w-]{1,128})?)$/.exec(id);
  const [, log, sequence, stream] = match ?? [];
  if (log === undefined || stream === undefined) return undefined;
  return { log, sequence: Number(sequence), stream };
}

/** The request that a stream answers, as far as its name tells. */
export function requestOf(stream: string): Id | undefined {
  const [, encoded] = stream.split(".");
  if (encoded === undefined) return undefined;
  try {
    const id: unknown = JSON.parse(Buffer.from(encoded, "base64url").toString("utf8"));
    return isId(id) ? id : undefined;
  } catch {
    return undefined; // No event id of ours.
  }
}
