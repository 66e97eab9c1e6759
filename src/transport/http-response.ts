// What a server answers to one request, whichever client brought it.

import { TooLargeError } from "../protocol/event-stream.ts";

/** The head of a response is there; its body is read once, in one of the ways, or let go of. */
export interface HttpResponse {
  readonly status: number;
  readonly statusText: string;
  /** Of several with that name all, joined by commas. */
  header(name: string): string | undefined;
  /** The whole body. Rejects with TooLargeError, and with what the connection broke off with. */
  text(maxLength: number): string | Promise<string>;
  /**
   * Hands out the body as it comes. Resolves at its end, and when it is let go of; rejects with what the connection broke
   * off with, and with what `onBytes` threw, which lets go of it.
   */
  pieces(onBytes: (bytes: Uint8Array) => void): Promise<void>;
  /** Lets go of what has not come yet. */
  cancel(): void;
}

export function isSuccess({ status }: HttpResponse): boolean {
  return status >= 200 && status < 300;
}

/** The whole body, put together from its pieces; rejects as `text` does. */
export async function collectText(response: HttpResponse, maxLength: number): Promise<string> {
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  let length = 0;
  await response.pieces((bytes) => {
    length += bytes.length;
    if (length > maxLength) throw new TooLargeError(maxLength);
    pieces.push(decoder.decode(bytes, { stream: true }));
  });
  pieces.push(decoder.decode());
  return pieces.join("");
}

export function mediaType(response: HttpResponse): string {
  return response.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

export function isEventStream(response: HttpResponse): boolean {
  return mediaType(response) === "text/event-stream";
}
