// Lines on their way to the one client of a pipe, which takes them as fast as it reads. What waits is counted and bounded,
// and a client that has gone is an answer and not an exception.

import type { Holding, MemoryBudget } from "../memory-budget.ts";

/** So much is handed to the pipe at a time. In UTF-16 code units. */
const PIECE_LENGTH = 512 * 1024;
/** From then on nothing more is asked of the client. */
const FULL_BYTES = 1024 * 1024;

/** The part of a writable stream that is needed; `process.stdout` is one. */
export interface Pipe {
  /** `done` is called when the text was taken, or with the reason why it was not. */
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
  /** End the waits for the client to read. */
  readonly #wakes: (() => void)[] = [];

  /** `onGone` is called once if the client has closed its end, or does not read and too much waits for it. */
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

  /** Resolves when the client has read so much that it may ask for more; undefined if that is so now. */
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

/** Never between the two halves of one character. */
function endOfPiece(text: string): number {
  const isHigh = text.length > PIECE_LENGTH && (text.charCodeAt(PIECE_LENGTH - 1) & 0xfc00) === 0xd800;
  return Math.min(text.length, isHigh ? PIECE_LENGTH - 1 : PIECE_LENGTH);
}
