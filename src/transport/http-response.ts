// What a server answers to one request, whichever client brought it.

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

export function mediaType(response: HttpResponse): string {
  return response.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

export function isEventStream(response: HttpResponse): boolean {
  return mediaType(response) === "text/event-stream";
}
