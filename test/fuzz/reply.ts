// HTTP/1.1 replies as strictly as the standard has it: whoever answers malformed input must not answer malformed itself.

export interface Reply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** False where the body is still to come, or never came. */
  readonly isWhole: boolean;
  /** How many bytes it took. */
  readonly length: number;
}

const HEADER_LINE = /^[!#$%&'*+.^_`|~\w-]+:[\t\x20-\x7e\x80-\xff]*$/;
const MAX_HEAD = 64 * 1024;

/** Undefined where the head is not whole yet. Throws where it is no HTTP. */
export function readReply(bytes: Buffer, isHead: boolean, isClosed: boolean): Reply | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) {
    if (bytes.length > MAX_HEAD) throw new Error("a head without an end");
    return undefined;
  }
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})( |$)/.exec(statusLine)?.[1]);
  if (!(status >= 100 && status < 600)) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
  const start = end + 4;
  if (status < 200) {
    const next = readReply(bytes.subarray(start), isHead, isClosed);
    return next === undefined ? undefined : { ...next, length: start + next.length };
  }
  const headers = readHeaders(lines);
  if (isHead || status === 204 || status === 304) {
    return { status, headers, body: Buffer.alloc(0), isWhole: true, length: start };
  }
  return { status, headers, ...readBody(bytes, start, headers, isClosed) };
}

function readHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    if (!HEADER_LINE.test(line)) throw new Error(`not a header: ${JSON.stringify(line)}`);
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (headers.has(name) && name !== "set-cookie") throw new Error(`twice in a head: ${name}`);
    headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}

function readBody(bytes: Buffer, start: number, headers: ReadonlyMap<string, string>, isClosed: boolean) {
  const rest = bytes.subarray(start);
  if (headers.get("transfer-encoding") === "chunked") {
    if (headers.has("content-length")) throw new Error("chunked, and with a length");
    const { body, used, isWhole } = readChunks(rest);
    return { body, isWhole, length: start + used };
  }
  const declared = headers.get("content-length");
  if (declared === undefined) return { body: rest, isWhole: isClosed, length: bytes.length };
  if (!/^\d+$/.test(declared)) throw new Error(`not a length: ${declared}`);
  const body = rest.subarray(0, Number(declared));
  return { body, isWhole: body.length === Number(declared), length: start + body.length };
}

function readChunks(bytes: Buffer): { body: Buffer; used: number; isWhole: boolean } {
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf("\r\n", at);
    if (end === -1) return { body: Buffer.concat(pieces), used: bytes.length, isWhole: false };
    const line = bytes.toString("latin1", at, end);
    // Bun hangs up like this, even in the middle of a reply, on a client whose request turns out to be no HTTP.
    if (line === "HTTP/1.1 400 Bad Request") {
      return { body: Buffer.concat(pieces), used: bytes.length, isWhole: false };
    }
    if (!/^[\da-f]+$/i.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    const chunk = bytes.subarray(end + 2, end + 2 + size);
    const after = end + 2 + size;
    pieces.push(chunk);
    if (bytes.length < after + 2) return { body: Buffer.concat(pieces), used: bytes.length, isWhole: false };
    if (bytes.toString("latin1", after, after + 2) !== "\r\n") throw new Error("a chunk without its end");
    if (size === 0) return { body: Buffer.concat(pieces), used: after + 2, isWhole: true };
    at = after + 2;
  }
}
