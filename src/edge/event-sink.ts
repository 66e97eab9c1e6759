// One event stream to one HTTP client: bounded, kept alive, and aware of the client that goes away.

import { silentLog } from "../log.ts";
import { MemoryBudget } from "../memory-budget.ts";
import { KEEP_ALIVE } from "../protocol/event-stream.ts";
import { ClientStream } from "./client-stream.ts";

/** A client that lets this much pile up is cut off: its memory is ours. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
const HEARTBEAT_MS = 15_000;

export const STREAM_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

function ignoreBytes(): void {
  // Nobody counts.
}

/** Shared by all streams: the keep-alive timer, the count of sent bytes and the memory budget. */
export class Heartbeat implements Disposable {
  readonly #sinks = new Set<EventSink>();
  readonly #timer = setInterval(() => this.#beat(), HEARTBEAT_MS);

  /** Told of every piece that goes out to a client, in bytes. */
  readonly wrote: (bytes: number) => void;
  readonly memory: MemoryBudget;

  constructor(wrote: (bytes: number) => void = ignoreBytes, memory = new MemoryBudget(silentLog)) {
    this.wrote = wrote;
    this.memory = memory;
  }

  get streams(): number {
    return this.#sinks.size;
  }

  add(sink: EventSink): void {
    this.#sinks.add(sink);
  }

  delete(sink: EventSink): void {
    this.#sinks.delete(sink);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const sink of [...this.#sinks]) sink.close();
  }

  #beat(): void {
    for (const sink of this.#sinks) sink.write(KEEP_ALIVE);
  }
}

export class EventSink {
  readonly #heartbeat: Heartbeat;
  readonly #out: ClientStream;

  /** `onGone` is called once if the client leaves before `close`; `owner` is the client, if the wire identifies it. */
  constructor(heartbeat: Heartbeat, onGone?: () => void, owner?: string) {
    this.#heartbeat = heartbeat;
    const gone = () => {
      heartbeat.delete(this);
      onGone?.();
    };
    this.#out = new ClientStream({ memory: heartbeat.memory, owner, onGone: gone });
    heartbeat.add(this);
  }

  get stream(): ReadableStream<Uint8Array> {
    return this.#out.stream;
  }

  /** Writes finished event text. False where nobody reads any more. */
  write(text: string): boolean {
    if (this.#out.waitingBytes > MAX_WAITING_BYTES) this.#out.cutOff();
    if (!this.#out.write(text)) return false;
    this.#heartbeat.wrote(Buffer.byteLength(text));
    return true;
  }

  close(): void {
    this.#heartbeat.delete(this);
    this.#out.close();
  }
}
