// One event stream to one HTTP client: bounded, kept alive, and aware of the client that goes away.

import { KEEP_ALIVE } from "../protocol/event-stream.ts";

/** A client that lets this much pile up is cut off: its memory is ours. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;
const HEARTBEAT_MS = 15_000;
const encoder = new TextEncoder();

export const STREAM_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

function ignoreBytes(): void {
  // Nobody counts.
}

/** What all streams share: one timer that keeps them alive, one count of what goes out. */
export class Heartbeat implements Disposable {
  readonly #sinks = new Set<EventSink>();
  readonly #timer = setInterval(() => this.#beat(), HEARTBEAT_MS);

  /** Told of every piece that goes out to a client, in bytes. */
  readonly wrote: (bytes: number) => void;

  constructor(wrote: (bytes: number) => void = ignoreBytes) {
    this.wrote = wrote;
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
  readonly stream: ReadableStream<Uint8Array>;
  readonly #heartbeat: Heartbeat;
  readonly #onGone: (() => void) | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  /** `onGone` is called once if the client leaves before `close`. */
  constructor(heartbeat: Heartbeat, onGone?: () => void) {
    this.#heartbeat = heartbeat;
    this.#onGone = onGone;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        cancel: () => this.#leave(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: 64 * 1024 }),
    );
    heartbeat.add(this);
  }

  /** Writes finished event text. False where nobody reads any more. */
  write(text: string): boolean {
    const controller = this.#controller;
    if (controller === undefined) return false;
    if ((controller.desiredSize ?? 0) < -MAX_QUEUED_BYTES) {
      controller.error(new Error("the client reads too slowly"));
      this.#leave();
      return false;
    }
    const bytes = encoder.encode(text);
    this.#heartbeat.wrote(bytes.length);
    controller.enqueue(bytes);
    return true;
  }

  close(): void {
    const controller = this.#controller;
    this.#controller = undefined;
    this.#heartbeat.delete(this);
    controller?.close();
  }

  #leave(): void {
    if (this.#controller === undefined) return;
    this.#controller = undefined;
    this.#heartbeat.delete(this);
    this.#onGone?.();
  }
}
