// Server-sent events, both ways: bytes to events and events to text (HTML Living Standard, "Server-sent events").
// Pure: it does no I/O and knows neither HTTP nor what the data means.

export interface ServerEvent {
  /** Absent: `message`. */
  readonly event?: string;
  /** The lines of `data`, joined by LF. Empty for an event that only carries an id (a priming event). */
  readonly data: string;
  readonly id?: string;
  readonly retryMs?: number;
}

/** A comment that keeps idle connections open; every parser skips it. */
export const KEEP_ALIVE = ": keep-alive\n\n";

const DEFAULT_MAX_LENGTH = 64 * 1024 * 1024;

/** One message is larger than whoever reads it is willing to hold in memory. */
export class TooLargeError extends Error {
  constructor(maxLength: number) {
    super(`one message is larger than ${maxLength} characters`);
    this.name = "TooLargeError";
  }
}

/** Takes a stream in pieces of any size and gives each event as soon as the blank line after it has come. */
export class EventStreamParser {
  // Removes a BOM at the start, keeps characters whole across pieces, and puts U+FFFD for what is no UTF-8.
  readonly #decoder = new TextDecoder();
  readonly #maxLength: number;
  /** The line that has not ended yet, in pieces: joining them on every push would be quadratic. */
  #line: string[] = [];
  #endedInCr = false;
  #data: string[] = [];
  #event = "";
  #id: string | undefined;
  #eventRetryMs: number | undefined;
  /** Characters held for the event that has not ended yet. */
  #held = 0;
  #lastEventId = "";
  #retryMs: number | undefined;

  constructor(options: { maxLength?: number } = {}) {
    this.#maxLength = options.maxLength ?? DEFAULT_MAX_LENGTH;
  }

  /** The id to resume after: that of the last finished block that had one, with or without data. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  /** How long the server wants us to wait before we reconnect. */
  get retryMs(): number | undefined {
    return this.#retryMs;
  }

  /** Throws TooLargeError; the parser is of no use after that. */
  push(bytes: Uint8Array): ServerEvent[] {
    const text = this.#decoder.decode(bytes, { stream: true });
    const events: ServerEvent[] = [];
    let start = 0;
    for (const { index: end } of text.matchAll(/[\r\n]/g)) {
      const isLf = text[end] === "\n";
      const closesCrLf = isLf && end === start && this.#endedInCr;
      const event = closesCrLf ? undefined : this.#endLine(text.slice(start, end));
      if (event !== undefined) events.push(event);
      this.#endedInCr = !isLf;
      start = end + 1;
    }
    if (start < text.length) this.#holdLine(text.slice(start));
    return events;
  }

  #holdLine(piece: string): void {
    this.#endedInCr = false;
    this.#line.push(piece);
    this.#hold(piece.length);
  }

  #hold(length: number): void {
    this.#held += length;
    if (this.#held > this.#maxLength) throw new TooLargeError(this.#maxLength);
  }

  #endLine(rest: string): ServerEvent | undefined {
    let line = rest;
    if (this.#line.length > 0) {
      line = this.#line.join("") + rest;
      this.#held -= line.length - rest.length;
      this.#line = [];
    }
    if (line === "") return this.#endEvent();
    this.#takeField(line);
    return undefined;
  }

  #takeField(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return; // A comment.
    const name = colon === -1 ? line : line.slice(0, colon);
    const valueStart = line[colon + 1] === " " ? colon + 2 : colon + 1;
    const value = colon === -1 ? "" : line.slice(valueStart);
    if (name === "data") {
      this.#data.push(value);
      this.#hold(value.length + 1);
    } else if (name === "event") this.#event = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.#eventRetryMs = Number(value);
  }

  #endEvent(): ServerEvent | undefined {
    const data = this.#data;
    const event: ServerEvent = {
      ...(this.#event === "" ? {} : { event: this.#event }),
      data: data.length === 1 ? (data[0] ?? "") : data.join("\n"),
      ...(this.#id === undefined ? {} : { id: this.#id }),
      ...(this.#eventRetryMs === undefined ? {} : { retryMs: this.#eventRetryMs }),
    };
    this.#lastEventId = this.#id ?? this.#lastEventId;
    this.#retryMs = this.#eventRetryMs ?? this.#retryMs;
    this.#data = [];
    this.#event = "";
    this.#id = undefined;
    this.#eventRetryMs = undefined;
    this.#held = 0;
    return data.length === 0 ? undefined : event;
  }
}

/** One event as it goes on the wire. Data of several lines is spread over as many `data:` lines. */
export function formatEvent(event: ServerEvent): string {
  let text = "";
  if (event.id !== undefined) text += `id: ${requireOneLine("id", event.id)}\n`;
  if (event.event !== undefined) text += `event: ${requireOneLine("event", event.event)}\n`;
  if (event.retryMs !== undefined) text += `retry: ${event.retryMs}\n`;
  const { data } = event;
  const oneLine = !data.includes("\n") && !data.includes("\r");
  return `${text}${oneLine ? `data: ${data}` : `data: ${data.split(/\r\n|\r|\n/).join("\ndata: ")}`}\n\n`;
}

/** An id or a name with a line break could forge a whole event. */
function requireOneLine(field: string, value: string): string {
  if (/[\r\n\0]/.test(value)) throw new TypeError(`the ${field} of an event must be one line`);
  return value;
}
