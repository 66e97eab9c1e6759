// Reads HTTP/1.1 responses off a socket, one after the other: a head, then a body of known length or in chunks.
// Only as much of HTTP as the programs under measurement speak.

export interface Reply {
  readonly status: number;
  /** Status line and headers, as they came. */
  readonly head: string;
  readonly text: string;
  /** When the last byte was there, before anything was done with it. */
  readonly arrivedMs: number;
}

const CHUNKED = /\r\ntransfer-encoding: *chunked/i;
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const NO_BYTES: Buffer = Buffer.alloc(0);

export class ResponseReader {
  /** Bytes of a head that is not whole yet. */
  #begun = NO_BYTES;
  #head = "";
  #body: ChunkedBody | SizedBody | undefined;

  /** Takes what the socket brought; gives the reply when it is whole. */
  push(data: Buffer): Reply | undefined {
    if (this.#body !== undefined) return this.#continue(this.#body, data);
    const bytes = this.#begun.length === 0 ? data : Buffer.concat([this.#begun, data]);
    const end = bytes.indexOf("\r\n\r\n");
    if (end === -1) {
      this.#begun = Buffer.from(bytes);
      return undefined;
    }
    this.#begun = NO_BYTES;
    this.#head = bytes.toString("latin1", 0, end);
    const rest = bytes.subarray(end + 4);
    if (CHUNKED.test(this.#head)) return this.#continue(new ChunkedBody(), rest);
    const length = Number(LENGTH.exec(this.#head)?.[1] ?? 0);
    if (rest.length === length) return this.#reply(rest, performance.now());
    return this.#continue(new SizedBody(length), rest);
  }

  #continue(body: ChunkedBody | SizedBody, data: Buffer): Reply | undefined {
    this.#body = body.push(data) ? undefined : body;
    return this.#body === undefined ? this.#reply(body.bytes(), performance.now()) : undefined;
  }

  #reply(body: Buffer, arrivedMs: number): Reply {
    const head = this.#head;
    return { status: Number(head.slice(9, 12)), head, text: body.toString(), arrivedMs };
  }
}

class SizedBody {
  readonly #bytes: Buffer;
  #length = 0;

  constructor(length: number) {
    this.#bytes = Buffer.allocUnsafe(length);
  }

  /** True when the body is whole. */
  push(data: Buffer): boolean {
    if (this.#length + data.length > this.#bytes.length)
      throw new Error("more bytes than Content-Length said");
    this.#length += data.copy(this.#bytes, this.#length);
    return this.#length === this.#bytes.length;
  }

  bytes(): Buffer {
    return this.#bytes;
  }
}

class ChunkedBody {
  readonly #pieces: Buffer[] = [];
  /** What is still to come of the chunk that has begun. */
  #left = 0;
  /** The piece of a line between chunks. */
  #line = "";
  #isLast = false;

  /** True when the body is whole. */
  push(data: Buffer): boolean {
    for (let at = 0; at < data.length; ) {
      if (this.#left > 0) {
        const piece = data.subarray(at, at + this.#left);
        this.#pieces.push(Buffer.from(piece));
        this.#left -= piece.length;
        at += piece.length;
        continue;
      }
      const end = data.indexOf(0x0a, at);
      this.#line += data.toString("latin1", at, end === -1 ? data.length : end);
      if (end === -1) return false;
      at = end + 1;
      if (this.#endLine()) return true;
    }
    return false;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  /** A line is the size of the next chunk, or the end of the one before. */
  #endLine(): boolean {
    const line = this.#line.trim();
    this.#line = "";
    if (line === "") return this.#isLast;
    this.#left = Number.parseInt(line, 16);
    this.#isLast = this.#left === 0;
    return false;
  }
}
