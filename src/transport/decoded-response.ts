// A response whose body came compressed, though nobody asked for that: some servers compress whatever they are told.

import { TooLargeError } from "../protocol/event-stream.ts";
import type { HttpResponse } from "./http-response.ts";

const FORMATS: ReadonlyMap<string, Bun.CompressionFormat> = new Map([
  ["br", "brotli"],
  ["deflate", "deflate"],
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["zstd", "zstd"],
]);

export class DecodedResponse implements HttpResponse {
  readonly #response: HttpResponse;
  readonly #format: Bun.CompressionFormat;

  private constructor(response: HttpResponse, format: Bun.CompressionFormat) {
    this.#response = response;
    this.#format = format;
  }

  /** Undefined where nobody can read that coding. */
  static of(response: HttpResponse, coding: string): HttpResponse | undefined {
    const name = coding.toLowerCase();
    if (name === "identity") return response;
    const format = FORMATS.get(name);
    return format === undefined ? undefined : new DecodedResponse(response, format);
  }

  get status(): number {
    return this.#response.status;
  }

  get statusText(): string {
    return this.#response.statusText;
  }

  header(name: string): string | undefined {
    return this.#response.header(name);
  }

  async text(maxLength: number): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    let length = 0;
    await this.pieces((bytes) => {
      length += bytes.length;
      if (length > maxLength) throw new TooLargeError(maxLength);
      text += decoder.decode(bytes, { stream: true });
    });
    return text + decoder.decode();
  }

  async pieces(onBytes: (bytes: Uint8Array) => void): Promise<void> {
    const { readable, writable } = new DecompressionStream(this.#format);
    const writer = writable.getWriter();
    const ignore = () => undefined; // What goes wrong shows at the other end.
    const feed = (bytes: Uint8Array) => void writer.write(new Uint8Array(bytes)).catch(ignore);
    this.#response.pieces(feed).then(
      () => writer.close().catch(ignore),
      (error) => writer.abort(error).catch(ignore),
    );
    try {
      for await (const bytes of readable) onBytes(bytes);
    } catch (error) {
      this.cancel();
      throw error;
    }
  }

  cancel(): void {
    this.#response.cancel();
  }
}
