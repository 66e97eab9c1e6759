// The body of a response as it comes over a connection. What comes before anybody reads it waits.

import { TooLargeError } from "../protocol/event-stream.ts";
import type { HttpResponse } from "./http-response.ts";
import type { ResponseHead } from "./response-head.ts";

const BYTE_ORDER_MARK = "\uFEFF";
const NOTHING = Buffer.alloc(0);

interface Reading {
  readonly onBytes: (bytes: Uint8Array) => void;
  readonly over: PromiseWithResolvers<void>;
}

export class ResponseBody implements HttpResponse {
  readonly #head: ResponseHead;
  readonly #letGo: () => void;
  readonly #early: Buffer[] = [];
  #reading: Reading | undefined;
  #isOver = false;
  /** What it broke off with; undefined where it came to its end. */
  #error: unknown;

  /** `letGo` is called where the rest is not wanted any more. */
  constructor(head: ResponseHead, letGo: () => void) {
    this.#head = head;
    this.#letGo = letGo;
  }

  get status(): number {
    return this.#head.status;
  }

  get statusText(): string {
    return this.#head.reason;
  }

  header(name: string): string | undefined {
    return this.#head.header(name);
  }

  /** At once where all of it has come in one piece, as most answers do. */
  text(maxLength: number): string | Promise<string> {
    const [only = NOTHING] = this.#early;
    const isWhole = this.#isOver && this.#error === undefined && this.#early.length <= 1;
    return isWhole && only.length <= maxLength ? toText(only) : this.#collect(maxLength);
  }

  pieces(onBytes: (bytes: Uint8Array) => void): Promise<void> {
    try {
      for (const bytes of this.#early.splice(0)) onBytes(bytes);
    } catch (error) {
      this.cancel();
      return Promise.reject(error);
    }
    if (this.#isOver) return this.#error === undefined ? Promise.resolve() : Promise.reject(this.#error);
    this.#reading = { onBytes, over: Promise.withResolvers() };
    return this.#reading.over.promise;
  }

  cancel(): void {
    this.end();
    this.#letGo();
  }

  take(bytes: Buffer): void {
    if (this.#isOver) return;
    if (this.#reading === undefined) return void this.#early.push(bytes);
    try {
      this.#reading.onBytes(bytes);
    } catch (error) {
      this.fail(error);
      this.#letGo();
    }
  }

  end(): void {
    this.#isOver = true;
    this.#reading?.over.resolve();
  }

  fail(error: unknown): void {
    this.#isOver = true;
    this.#error = error;
    this.#reading?.over.reject(error);
  }

  async #collect(maxLength: number): Promise<string> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    await this.pieces((bytes) => {
      length += bytes.length;
      if (length > maxLength) throw new TooLargeError(maxLength);
      pieces.push(bytes);
    });
    return toText(Buffer.concat(pieces, length));
  }
}

function toText(bytes: Buffer): string {
  const text = bytes.toString();
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}
