// Cuts a stream of bytes into lines of text, however the bytes are chunked. Knows nothing of JSON or of processes.

const NEWLINE = 0x0a;
/** What is kept of each end of a line that is too long, in bytes. */
const KEPT_BYTES = 512;

/** A line over the cap: its two ends are all that was kept of it. */
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

  constructor(maxLineBytes: number, sink: LineSink) {
    this.#maxLineBytes = Math.max(maxLineBytes, 2 * KEPT_BYTES);
    this.#sink = sink;
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
    if (this.#heldBytes > this.#maxLineBytes) this.#keepEnds();
  }

  #keepEnds(): void {
    const all = Buffer.concat(this.#held);
    // Copies: a view would keep all the bytes alive.
    this.#held = [Buffer.from(all.subarray(0, KEPT_BYTES)), Buffer.from(all.subarray(-KEPT_BYTES))];
  }

  #release(): void {
    const held = this.#held;
    const bytes = this.#heldBytes;
    this.#held = [];
    this.#heldBytes = 0;
    if (bytes > this.#maxLineBytes) {
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
