// Writes lines to the one client of a pipe, as fast as it reads. Waiting lines are counted and bounded. A client that has
// gone is reported by a callback, not by an exception.

import type { Holding, MemoryBudget } from "../memory-budget.ts";

/** The most that is given to the pipe at a time, in UTF-16 code units. */
const PIECE_LENGTH = 512 * 1024;
/** If so many bytes wait, no further input is read from the client. */
const FULL_BYTES = 1024 * 1024;

/** The part of a writable stream that is used here; `process.stdout` has it. */
export interface Pipe {
  /** `done` is called when the text was written, or with the error. */
  write(text: string, done: (error?: Error | null) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

export class LineWriter {
  readonly #pipe: Pipe;
  readonly #held: Holding;
  readonly #onGone: () => void;
  #queue: string[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #isGone = false;
  /** Called whenever the client has read something or has gone. */
  readonly #wakes: (() => void)[] = [];

  /** `onGone` is called once if the client has closed its end, or if too much waits because it does not read. */
  constructor(pipe: Pipe, memory: MemoryBudget, onGone: () => void) {
    this.#pipe = pipe;
    this.#held = memory.hold("unread", { giveUp: () => this.#leave() });
    this.#onGone = onGone;
    pipe.on("error", () => this.#leave());
  }

  write(line: string): void {
    if (this.#isGone) return;
    this.#queue.push(`${line}\n`);
    this.#waitingBytes += Buffer.byteLength(line) + 1;
    if (!this.#held.set(this.#waitingBytes)) return this.#leave();
    if (!this.#isWriting) this.#writeNext();
  }

  /** Resolves when the client has read enough that more input may be read; undefined if that is already so. */
  whenReady(): Promise<void> | undefined {
    return this.#waitingBytes < FULL_BYTES ? undefined : this.#whenBelow(FULL_BYTES);
  }

  /** Resolves when the client has read everything, or has gone. */
  async whenRead(): Promise<void> {
    await this.#whenBelow(1);
  }

  async #whenBelow(bytes: number): Promise<void> {
    while (this.#waitingBytes >= bytes) {
      await new Promise<void>((resolve) => {
        this.#wakes.push(resolve);
      });
    }
  }

  #writeNext(): void {
    const piece = this.#nextPiece();
    if (piece === "") return;
    this.#isWriting = true;
    this.#pipe.write(piece, (error) => {
      this.#isWriting = false;
      if (error !== undefined && error !== null) return this.#leave();
      if (this.#isGone) return;
      this.#waitingBytes -= Buffer.byteLength(piece);
      this.#held.progressed();
      this.#held.set(this.#waitingBytes);
      this.#wake();
      this.#writeNext();
    });
  }

  #nextPiece(): string {
    const text = this.#queue.join("");
    const end = endOfPiece(text);
    this.#queue = end < text.length ? [text.slice(end)] : [];
    return text.slice(0, end);
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#queue = [];
    this.#waitingBytes = 0;
    this.#held[Symbol.dispose]();
    this.#wake();
    this.#onGone();
  }
}

/** The end of the next piece, never between the two halves of a surrogate pair. */
function endOfPiece(text: string): number {
  const isHigh = text.length > PIECE_LENGTH && (text.charCodeAt(PIECE_LENGTH - 1) & 0xfc00) === 0xd800;
  return Math.min(text.length, isHigh ? PIECE_LENGTH - 1 : PIECE_LENGTH);
}
