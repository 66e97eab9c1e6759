// A response whose body came compressed, though nobody asked for that: some servers compress whatever they are told.

import { collectText, type HttpResponse } from "./http-response.ts";

const FORMATS: ReadonlyMap<string, Bun.CompressionFormat> = new Map([
  ["br", "brotli"],
  ["deflate", "deflate"],
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["zstd", "zstd"],
]);

/**
 * The response as its server meant it. A coding that nobody knows is left as it is: some servers put the charset there, and
 * what is really unreadable shows as that.
 */
export function decoded(response: HttpResponse, coding: string): HttpResponse {
  const names = coding.toLowerCase().split(/[ \t]*,[ \t]*/);
  const [name = "", ...others] = names.filter((one) => one !== "" && one !== "identity");
  const format = FORMATS.get(name);
  return format === undefined || others.length > 0 ? response : new DecodedResponse(response, format);
}

class DecodedResponse implements HttpResponse {
  readonly #response: HttpResponse;
  readonly #format: Bun.CompressionFormat;
  #isCancelled = false;

  constructor(response: HttpResponse, format: Bun.CompressionFormat) {
    this.#response = response;
    this.#format = format;
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

  text(maxLength: number): Promise<string> {
    return collectText(this, maxLength);
  }

  async pieces(onBytes: (bytes: Uint8Array) => void): Promise<void> {
    const { readable, writable } = new DecompressionStream(this.#format);
    const writer = writable.getWriter();
    const ignore = () => undefined; // What goes wrong shows at the other end.
    let length = 0;
    let isWhole = false;
    const feed = (bytes: Uint8Array) => {
      length += bytes.length;
      writer.write(new Uint8Array(bytes)).catch(ignore);
    };
    this.#response.pieces(feed).then(
      () => {
        isWhole = true;
        writer.close().catch(ignore);
      },
      (error) => writer.abort(error).catch(ignore),
    );
    try {
      for await (const bytes of readable) onBytes(bytes);
    } catch (error) {
      // No body is no compressed body either, whatever the headers say.
      if (this.#isCancelled || (isWhole && length === 0)) return;
      this.cancel();
      throw error;
    }
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#response.cancel();
  }
}
