// The one way to a child's stdin: a bounded queue that is written in batches, one write at a time.
// Knows nothing of JSON. A broken pipe is an answer here and never an exception.

import type { Holding, MemoryBudget } from "../memory-budget.ts";
import type { Child } from "./spawn-child.ts";
import { SendError, type WireEnd } from "./transport.ts";

/** A write up to this size is taken by the pipe whole or not at all. */
const ATOMIC_BYTES = 4_096;

/** A queue up to this size is not counted in the memory budget. */
const UNCOUNTED_BYTES = 64 * 1024;

interface Batch {
  readonly taken: PromiseWithResolvers<void>;
  text: string;
  lines: number;
  bytes: number;
}

export class StdinWriter {
  readonly #child: Child;
  readonly #maxQueuedBytes: number;
  readonly #broken = Promise.withResolvers<void>();
  /** What waits for the next write. */
  #next: Batch | undefined;
  /** The batch that the pipe refused; it is rejected once the reason is known. */
  #refused: { batch: Batch; maybeDelivered: boolean } | undefined;
  #queuedBytes = 0;
  #isBlocked = false;
  #end: WireEnd | undefined;

  readonly #counted: Holding | undefined;

  constructor(child: Child, maxQueuedBytes: number, memory?: MemoryBudget) {
    this.#child = child;
    this.#maxQueuedBytes = maxQueuedBytes;
    this.#counted = memory?.hold("stdin");
  }

  /** Resolves when the pipe has refused a write: nobody reads it any more. */
  get broken(): Promise<void> {
    return this.#broken.promise;
  }

  /**
   * Resolves when the line has been handed to the pipe; all lines of one batch share one promise.
   * Rejects with a SendError when the queue is full, and when the wire ends before that.
   */
  write(line: string): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(endedError(this.#end));
    // Text that is put together is copied once it is read: a large line only here, with its newline.
    const text = `${line}\n`;
    const bytes = Buffer.byteLength(text);
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > this.#maxQueuedBytes) {
      return undelivered(
        `the process does not read its stdin: ${this.#queuedBytes} bytes are waiting already`,
      );
    }
    if (!this.#count(this.#queuedBytes + bytes)) {
      return undelivered("the gateway holds as much for its clients as memory_limit allows");
    }
    if (this.#next === undefined) {
      this.#next = { taken: Promise.withResolvers(), text: "", lines: 0, bytes: 0 };
      // Whatever else this turn of the event loop brings goes out in the same write.
      setImmediate(() => this.flush());
    }
    const batch = this.#next;
    batch.text = batch.text === "" ? text : batch.text + text;
    batch.lines += 1;
    batch.bytes += bytes;
    this.#queuedBytes += bytes;
    return batch.taken.promise;
  }

  /** Hands what waits to the pipe now, if the pipe is free. */
  flush(): void {
    const batch = this.#next;
    if (batch === undefined || this.#isBlocked || this.#end !== undefined) return;
    // Bun would take the bytes for a child that is gone, and say nothing.
    const { exitCode, signalCode } = this.#child.process;
    if (exitCode !== null || signalCode !== null) return;
    this.#next = undefined;
    this.#isBlocked = true;
    const written = this.#child.stdin.write(batch.text, batch.bytes);
    // Refused at once, and a part of a line is nothing that a child could act on.
    if (written === "refused") return this.#refuse(batch, batch.lines > 1 && batch.bytes > ATOMIC_BYTES);
    batch.taken.resolve();
    if (written === "taken") return this.#drained(batch);
    // The pipe is full and keeps the rest for later; what comes meanwhile waits in the next batch.
    written.then(
      () => this.#drained(batch),
      () => this.#broken.resolve(),
    );
  }

  /** Ends all writes: texts that have not been written are rejected with this end. */
  stop(end: WireEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#counted?.[Symbol.dispose]();
    this.#next?.taken.reject(endedError(end));
    this.#refused?.batch.taken.reject(endedError(end, this.#refused.maybeDelivered));
  }

  #drained(batch: Batch): void {
    this.#queuedBytes -= batch.bytes;
    this.#count(this.#queuedBytes);
    this.#isBlocked = false;
    this.flush();
  }

  /** False if there is no memory for so much. */
  #count(bytes: number): boolean {
    const counted = this.#counted;
    if (counted === undefined || (bytes <= UNCOUNTED_BYTES && counted.bytes === 0)) return true;
    return counted.set(bytes > UNCOUNTED_BYTES && this.#end === undefined ? bytes : 0);
  }

  #refuse(batch: Batch, maybeDelivered: boolean): void {
    this.#refused = { batch, maybeDelivered };
    this.#broken.resolve();
  }
}

function endedError(end: WireEnd, maybeDelivered = false): SendError {
  return new SendError(end.reason, { maybeDelivered, end });
}

function undelivered(reason: string): Promise<never> {
  return Promise.reject(new SendError(reason, { maybeDelivered: false }));
}
