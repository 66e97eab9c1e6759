// HTTP/1.1 responses out of the bytes of one connection (RFC 9112, sections 4 to 7), strictly: where a body ends is never
// guessed, as a cut answer would pass for a whole one. Pure: it does no I/O and knows no JSON.

import { MalformedResponseError, ResponseHead } from "./response-head.ts";

export interface ResponseSink {
  onHead(head: ResponseHead): void;
  /** A view of what was pushed. */
  onBody(bytes: Buffer): void;
  /** `isReusable` where the server will take another request on this connection. */
  onEnd(isReusable: boolean): void;
}

const MAX_HEAD_BYTES = 64 * 1024;
const MAX_LINE_BYTES = 4 * 1024;
/** How many responses with a status of 1xx have come before the final one. */
const MAX_INTERIM = 100;
const NEWLINE = 0x0a;

const PROTOCOL = "HTTP/1.";
const HEAD_END = /\r?\n\r?\n/;
/** All but the last byte of the longest end of a head. */
const HEAD_END_REST = 3;
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,13})[ \t]*(?:;.*)?$/;
/** RFC 9110, section 6.4.1: they have no body, whatever their headers say. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

type State = "head" | "sized" | "chunk size" | "chunk" | "chunk end" | "trailers" | "until close" | "over";

/** Takes one response after the other: `begin` before each. A parser that has thrown is of no use any more. */
export class ResponseParser {
  readonly #sink: ResponseSink;
  #state: State = "over";
  /** The start of a head or of a line whose end has not come. */
  #held: Buffer | undefined;
  /** Bytes of the body, or of the chunk, that have still to come. */
  #left = 0;
  #isReusable = false;
  #interim = 0;
  /** Bytes of the current head that have been searched for its end. */
  #searched = 0;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  begin(): void {
    this.#state = "head";
    this.#interim = 0;
    this.#searched = 0;
  }

  /** Throws MalformedResponseError, also where more comes than was asked for. */
  push(chunk: Buffer): void {
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = undefined;
    let at = 0;
    while (at < bytes.length) {
      const next = this.#step(bytes, at);
      if (next === undefined) {
        this.#held = bytes.subarray(at);
        return;
      }
      at = next;
    }
  }

  /** The server has closed its end. False where that came before the end of a response. */
  end(): boolean {
    if (this.#state === "until close") this.#end();
    return this.#state === "over";
  }

  /** Where it goes on; undefined where more bytes have to come first. */
  #step(bytes: Buffer, at: number): number | undefined {
    switch (this.#state) {
      case "head":
        return this.#readHead(bytes, at);
      case "sized":
      case "chunk":
      case "until close":
        return this.#readBody(bytes, at);
      case "over":
        throw new MalformedResponseError("more came than was asked for");
      default:
        return this.#readLine(bytes, at);
    }
  }

  #readHead(bytes: Buffer, at: number): number | undefined {
    // Only the new bytes are searched: a head may come in very small pieces.
    const from = at + Math.max(0, this.#searched - HEAD_END_REST);
    const text = bytes.toString("latin1", from, at + MAX_HEAD_BYTES);
    if (from === at && !text.startsWith(PROTOCOL) && !PROTOCOL.startsWith(text)) {
      throw new MalformedResponseError("what came does not begin as a response does");
    }
    const end = HEAD_END.exec(text);
    if (end !== null) {
      const head = from === at ? text.slice(0, end.index) : bytes.toString("latin1", at, from + end.index);
      this.#searched = 0;
      this.#takeHead(new ResponseHead(head));
      return from + end.index + end[0].length;
    }
    this.#searched = from - at + text.length;
    if (this.#searched === MAX_HEAD_BYTES)
      throw new MalformedResponseError("the head of a response has no end");
    // What does not begin as a response does must be found also if its beginning comes in pieces.
    if (this.#searched < PROTOCOL.length) this.#searched = 0;
    return undefined;
  }

  #takeHead(head: ResponseHead): void {
    // 100 and 103 come before the response itself; another protocol we never ask for.
    if (head.status === 101) throw new MalformedResponseError("the server changed the protocol");
    if (head.status < 200) {
      this.#interim += 1;
      if (this.#interim > MAX_INTERIM)
        throw new MalformedResponseError("there are only interim responses (1xx) and no final one");
      return;
    }
    this.#isReusable = head.keepsConnection;
    this.#frame(head);
    this.#sink.onHead(head);
    if (this.#state === "sized" && this.#left === 0) this.#end();
  }

  /** How the end of the body will be known: RFC 9112, section 6.3. */
  #frame(head: ResponseHead): void {
    const coding = transferCoding(head);
    const length = head.header("content-length");
    this.#left = 0;
    if (BODILESS.has(head.status)) {
      this.#state = "sized";
      // Some servers send one all the same.
      if (coding !== undefined || (length !== undefined && length !== "0")) this.#isReusable = false;
    } else if (coding !== undefined) {
      if (coding !== "chunked") {
        throw new MalformedResponseError(`the transfer coding ${JSON.stringify(coding)} was not asked for`);
      }
      this.#state = "chunk size";
      if (length !== undefined) this.#isReusable = false;
    } else if (length !== undefined) {
      this.#state = "sized";
      this.#left = readLength(length);
    } else {
      this.#state = "until close";
    }
  }

  #readBody(bytes: Buffer, at: number): number {
    const end = this.#state === "until close" ? bytes.length : Math.min(bytes.length, at + this.#left);
    this.#sink.onBody(bytes.subarray(at, end));
    if (this.#state === "until close") return end;
    this.#left -= end - at;
    if (this.#left > 0) return end;
    if (this.#state === "chunk") this.#state = "chunk end";
    else this.#end();
    return end;
  }

  /** What stands between the chunks. */
  #readLine(bytes: Buffer, at: number): number | undefined {
    const end = bytes.indexOf(NEWLINE, at);
    if ((end === -1 ? bytes.length : end) - at > MAX_LINE_BYTES) {
      throw new MalformedResponseError("a line between chunks has no end");
    }
    if (end === -1) return undefined;
    const line = bytes.toString("latin1", at, bytes[end - 1] === 0x0d && end > at ? end - 1 : end);
    if (this.#state === "chunk size") this.#beginChunk(line);
    else if (this.#state === "trailers") {
      if (line === "") this.#end();
    } else {
      if (line !== "") throw new MalformedResponseError("a chunk is longer than it says");
      this.#state = "chunk size";
    }
    return end + 1;
  }

  #beginChunk(line: string): void {
    const size = CHUNK_SIZE.exec(line)?.[1];
    if (size === undefined) throw new MalformedResponseError("a chunk does not say how long it is");
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? "trailers" : "chunk";
  }

  #end(): void {
    const isReusable = this.#isReusable && this.#state !== "until close";
    this.#state = "over";
    this.#sink.onEnd(isReusable);
  }
}

/** `identity` is how old servers say that there is none. */
function transferCoding(head: ResponseHead): string | undefined {
  const coding = head.header("transfer-encoding")?.toLowerCase();
  return coding === "identity" ? undefined : coding;
}

const LENGTH = /^\d{1,15}$/;

/** Said twice, it must be the same. */
function readLength(text: string): number {
  if (LENGTH.test(text)) return Number(text);
  const [first = "", ...others] = text.split(",").map((one) => one.trim());
  const isOne = LENGTH.test(first) && others.every((other) => other === first);
  if (!isOne) throw new MalformedResponseError(`content-length is ${JSON.stringify(text)}`);
  return Number(first);
}
