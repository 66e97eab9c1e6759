// The head of an HTTP/1.1 response as text (RFC 9112, sections 4 and 5). Checked as a whole; a header is looked for when
// somebody wants it, as of most nobody does.

/** What came is no HTTP, or nothing that can be told where it ends. */
export class MalformedResponseError extends Error {
  readonly code = "Malformed_HTTP_Response";

  constructor(what: string) {
    super(what);
    this.name = "MalformedResponseError";
  }
}

const WELL_FORMED = /^HTTP\/1\.[01] [1-9]\d\d(?: [^\r\n]*)?(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n]*)*$/;
const STATUS_AT = "HTTP/1.1 ".length;
const STATUS_END = STATUS_AT + "200".length;

export class ResponseHead {
  readonly status: number;
  readonly #text: string;
  readonly #lowered: string;

  /** Takes all up to the empty line. Throws MalformedResponseError. */
  constructor(received: string) {
    const text = WELL_FORMED.test(received) ? received : straighten(received);
    this.#text = text;
    this.#lowered = text.toLowerCase();
    this.status = Number(text.slice(STATUS_AT, STATUS_END));
  }

  get reason(): string {
    const end = this.#text.indexOf("\r\n");
    return this.#text.slice(STATUS_END, end === -1 ? undefined : end).trim();
  }

  /** Of several with that name all, joined by commas. */
  header(name: string): string | undefined {
    const start = `\r\n${name.toLowerCase()}:`;
    let value: string | undefined;
    for (let at = this.#lowered.indexOf(start); at !== -1; at = this.#lowered.indexOf(start, at + 1)) {
      const end = this.#text.indexOf("\r\n", at + start.length);
      const one = this.#text.slice(at + start.length, end === -1 ? undefined : end).trim();
      value = value === undefined ? one : `${value}, ${one}`;
    }
    return value;
  }

  /** True where the server will take another request after this one, once the end of the response is known. */
  get keepsConnection(): boolean {
    const options = this.header("connection")?.toLowerCase() ?? "";
    return this.#text.startsWith("HTTP/1.1") ? !/\bclose\b/.test(options) : /\bkeep-alive\b/.test(options);
  }
}

/** Lines that end in LF alone, and values that go on in the next line, as some servers still write them. */
function straighten(received: string): string {
  const text = received.replaceAll(/\r?\n/g, "\r\n").replaceAll(/\r\n[ \t]+/g, " ");
  if (WELL_FORMED.test(text)) return text;
  throw new MalformedResponseError("the head of the response is not well formed");
}
