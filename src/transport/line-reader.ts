// Cuts a stream of bytes into lines of text, however the bytes are chunked. Knows nothing of JSON or of processes.

import type { Holding, MemoryBudget } from "../memory-budget.ts";

const NEWLINE = 0x0a;
/** What is kept of each end of a line that is too long, in bytes. */
const KEPT_BYTES = 512;

/** Unfinished lines up to this length are not counted in the memory budget. */
const UNCOUNTED_BYTES = 64 * 1024;

/** A line over the cap, or over the memory budget: its two ends are all that was kept of it. */
export interface OversizedLine {
  readonly bytes: number;
  readonly head: string;
  readonly tail: string;
}

export interface LineSink {
  /** A whole line without its newline; a `\r` before it is still there. */
  onLine(line: string): void;
  onOversized(line: OversizedLine): void;
}

/**
 * Bytes become text only as whole lines, so a character split over two chunks is never broken. Only new bytes are
 * scanned; the lines of one chunk are decoded at once, and a line of many chunks is put together once, at its end.
 */
export class LineReader {
  readonly #maxLineBytes: number;
  readonly #sink: LineSink;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Only the ends of the current line are kept. */
  #isCut = false;
  readonly #counted: Holding | undefined;

  /** `memory` counts unfinished lines. */
  constructor(maxLineBytes: number, sink: LineSink, memory?: MemoryBudget) {
    this.#maxLineBytes = Math.max(maxLineBytes, 2 * KEPT_BYTES);
    this.#sink = sink;
    this.#counted = memory?.hold("messages", { giveUp: () => this.#keepEnds() });
  }

  push(chunk: Uint8Array): void {
    let rest = chunk;
    // A line begun in an earlier chunk ends first; a chunk over the cap is measured line by line.
    while (this.#heldBytes > 0 || rest.length > this.#maxLineBytes) {
      const end = rest.indexOf(NEWLINE);
      if (end === -1) return this.#hold(rest);
      this.#hold(rest.subarray(0, end));
      this.#release();
      rest = rest.subarray(end + 1);
    }
    const last = rest.lastIndexOf(NEWLINE);
    if (last !== -1) {
      for (const line of toText(rest, last).split("\n")) this.#sink.onLine(line);
    }
    if (last + 1 < rest.length) this.#hold(rest.subarray(last + 1));
  }

  /** The stream is over; what came after the last newline is a line as well. */
  end(): void {
    if (this.#heldBytes > 0) this.#release();
  }

  #hold(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    if (this.#isCut || this.#heldBytes > this.#maxLineBytes || !this.#count()) this.#keepEnds();
  }

  /** False if there is no memory for the line. */
  #count(): boolean {
    if (this.#counted === undefined || this.#heldBytes <= UNCOUNTED_BYTES) return true;
    this.#counted.progressed();
    return this.#counted.set(this.#heldBytes);
  }

  #keepEnds(): void {
    this.#isCut = true;
    this.#counted?.[Symbol.dispose]();
    const all = Buffer.concat(this.#held);
    // Copies: a view would keep all the bytes alive.
    this.#held = [Buffer.from(all.subarray(0, KEPT_BYTES)), Buffer.from(all.subarray(-KEPT_BYTES))];
  }

  #release(): void {
    const held = this.#held;
    const bytes = this.#heldBytes;
    const isCut = this.#isCut;
    this.#held = [];
    this.#heldBytes = 0;
    this.#isCut = false;
    this.#counted?.[Symbol.dispose]();
    if (isCut) {
      const [head, tail] = held.map((end) => toText(end));
      return this.#sink.onOversized({ bytes, head: head ?? "", tail: tail ?? "" });
    }
    this.#sink.onLine(toText(Buffer.concat(held)));
  }
}

/** A Buffer's own decoder takes a fraction of the time of a TextDecoder. Both put U+FFFD for what is no UTF-8. */
function toText(bytes: Uint8Array, length = bytes.length): string {
  const buffer =
    bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString("utf8", 0, length);
}
