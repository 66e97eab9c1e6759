// Where a response ends, and what is no response: all the framings of HTTP/1.1, however the bytes are cut.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MalformedResponseError, type ResponseHead } from "../../src/transport/response-head.ts";
import { ResponseParser } from "../../src/transport/response-parser.ts";

interface Parsed {
  readonly status: number;
  readonly body: string;
  /** Undefined while it has not ended. */
  readonly isReusable: boolean | undefined;
}

/** Reads one response from these pieces, after which the server closes, or does not. */
function parse(
  pieces: readonly (string | Buffer)[],
  closes = false,
): Parsed & { head: ResponseHead | undefined } {
  const seen: { head?: ResponseHead; isReusable?: boolean } = {};
  const body: Buffer[] = [];
  const parser = new ResponseParser({
    onHead: (head) => {
      seen.head = head;
    },
    onBody: (bytes) => void body.push(bytes),
    onEnd: (isReusable) => {
      seen.isReusable = isReusable;
    },
  });
  parser.begin();
  for (const piece of pieces) parser.push(Buffer.from(piece));
  if (closes) parser.end();
  const { head, isReusable } = seen;
  return { status: head?.status ?? 0, body: Buffer.concat(body).toString(), isReusable, head };
}

const OK = "HTTP/1.1 200 OK\r\n";

describe("a body", () => {
  test.each<[string, string, Partial<Parsed>]>([
    ["of a length", `${OK}Content-Length: 5\r\n\r\nhello`, { body: "hello", isReusable: true }],
    [
      "of a length said twice",
      `${OK}Content-Length: 5, 5\r\ncontent-length:5\r\n\r\nhello`,
      { body: "hello" },
    ],
    ["of no bytes", `${OK}Content-Length: 0\r\n\r\n`, { body: "", isReusable: true }],
    [
      "that has not come whole",
      `${OK}Content-Length: 6\r\n\r\nhello`,
      { body: "hello", isReusable: undefined },
    ],
    [
      "in chunks",
      `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      { body: "hello", isReusable: true },
    ],
    [
      "in chunks with extensions, large digits and a trailer",
      `${OK}transfer-encoding: Chunked\r\n\r\n0A;x="y"\r\n0123456789\r\n1 \r\n!\r\n000\r\nX-Sum: 1\r\n\r\n`,
      { body: "0123456789!", isReusable: true },
    ],
    [
      "whose last chunk is missing",
      `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
      { isReusable: undefined },
    ],
    [
      "whose trailer has no end",
      `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n`,
      { isReusable: undefined },
    ],
    [
      "in chunks, and of a length too: chunks count, and the connection is not used again",
      `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      { body: "hello", isReusable: false },
    ],
    [
      "of a 204, which has none",
      "HTTP/1.1 204 No Content\r\n\r\n",
      { status: 204, body: "", isReusable: true },
    ],
    [
      "of a 304, whatever it says: what may come all the same is no answer to the next request",
      "HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n",
      { status: 304, body: "", isReusable: false },
    ],
    [
      "of a 204 that announces chunks",
      "HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n",
      { status: 204, body: "", isReusable: false },
    ],
    [
      "whose transfer coding is none",
      `${OK}Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nhi`,
      { body: "hi", isReusable: true },
    ],
    [
      "after others of 1xx",
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nLink: a\r\n\r\n${OK}Content-Length: 1\r\n\r\n.`,
      { status: 200, body: "." },
    ],
    [
      "on a connection that ends",
      `${OK}Connection: x, Close\r\nContent-Length: 1\r\n\r\n.`,
      { body: ".", isReusable: false },
    ],
    ["of HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n.", { body: ".", isReusable: false }],
    [
      "of HTTP/1.0 that is kept",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n.",
      { isReusable: true },
    ],
    [
      "under lines that end in LF",
      "HTTP/1.1 200\nContent-Length: 4\n\n\r\n\r\n",
      { body: "\r\n\r\n", isReusable: true },
    ],
  ])("%s", (_name, text, expected) => {
    expect(parse([text])).toMatchObject(expected);
    expect(parse(Buffer.from(text).toString("latin1").split(""))).toMatchObject(expected);
  });

  test("without a length ends with the connection", () => {
    expect(parse([`${OK}\r\nhello`])).toMatchObject({ body: "hello", isReusable: undefined });
    expect(parse([`${OK}\r\nhello`], true)).toMatchObject({ body: "hello", isReusable: false });
    expect(parse([`${OK}Content-Length: 6\r\n\r\nhello`], true)).toMatchObject({ isReusable: undefined });
  });
});

describe("what is no response", () => {
  test.each([
    ["another protocol", "SSH-2.0-OpenSSH_9.9\r\n"],
    ["another version", "HTTP/2 200\r\n\r\n"],
    ["no status", "HTTP/1.1 OK\r\n\r\n"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
    ["a change of protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"],
    ["a header without a name", `${OK}: x\r\n\r\n`],
    ["a space before the colon", `${OK}Content-Length : 5\r\n\r\nhello`],
    ["a line without a colon", `${OK}nonsense\r\n\r\n`],
    ["a bare CR in a header", `${OK}X: a\rContent-Length: 0\r\n\r\n`],
    ["two lengths", `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`],
    ["a length that is none", `${OK}Content-Length: -1\r\n\r\n`],
    ["a length in hexadecimal", `${OK}Content-Length: 0x5\r\n\r\n`],
    ["an empty length", `${OK}Content-Length:\r\n\r\n`],
    ["a transfer coding nobody asked for", `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
    ["a chunk without a size", `${OK}Transfer-Encoding: chunked\r\n\r\n\r\nhello`],
    ["a chunk of no number", `${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
    ["a chunk too large to count", `${OK}Transfer-Encoding: chunked\r\n\r\nffffffffffffff\r\n`],
    ["a chunk longer than it says", `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n`],
    ["a head without an end", `${OK}X: ${"x".repeat(70_000)}`],
    ["a head of lines without an end", `${OK}${"X: y\r\n".repeat(12_000)}`],
    ["a status line without an end", `HTTP/1.1 200 ${"x".repeat(70_000)}`],
    ["interim responses without an end", "HTTP/1.1 100 Continue\r\n\r\n".repeat(101)],
    ["early hints without an end", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".repeat(101)],
    ["a line between chunks without an end", `${OK}Transfer-Encoding: chunked\r\n\r\n1;${"x".repeat(5_000)}`],
    ["a second response that nobody asked for", `${OK}Content-Length: 1\r\n\r\n.${OK}`],
  ])("%s", (_name, text) => {
    expect(() => parse([text])).toThrow(MalformedResponseError);
    expect(() => parse(text.split(""))).toThrow(MalformedResponseError);
  });
});

describe("headers", () => {
  const { head } = parse([
    `${OK}A: 1\r\nX-Long:  a\tb \r\na:2\r\nEmpty:\r\nFolded: one\r\n  two\r\nVia-A: no\r\nContent-Length: 0\r\n\r\n`,
  ]);

  test.each([
    ["a", "1, 2"],
    ["A", "1, 2"],
    ["x-long", "a\tb"],
    ["empty", ""],
    ["folded", "one two"],
    ["via-a", "no"],
    ["missing", undefined],
  ])("%p is %p", (name, value) => {
    expect(head?.header(name)).toBe(value);
  });

  test("the reason is what stands after the status", () => {
    expect(head?.reason).toBe("OK");
    expect(parse(["HTTP/1.1 404 Not Found\r\n\r\n"]).head?.reason).toBe("Not Found");
    expect(parse(["HTTP/1.1 404\r\n\r\n"]).head?.reason).toBe("");
  });
});

test("any body in any chunks, cut anywhere, comes out as it was", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
  const cuts = fc.array(fc.nat(400), { maxLength: 8 });
  fc.assert(
    fc.property(
      fc.array(bytes, { maxLength: 5 }),
      cuts,
      fc.constantFrom("sized", "chunked", "close"),
      (parts, at, framing) => {
        const whole = Buffer.concat(parts);
        const chunks = parts.flatMap((part) => [
          Buffer.from(`${part.length.toString(16)}\r\n`),
          part,
          Buffer.from("\r\n"),
        ]);
        const wire = {
          sized: [Buffer.from(`${OK}Content-Length: ${whole.length}\r\n\r\n`), whole],
          chunked: [
            Buffer.from(`${OK}Transfer-Encoding: chunked\r\n\r\n`),
            ...chunks,
            Buffer.from("0\r\n\r\n"),
          ],
          close: [Buffer.from(`${OK}\r\n`), whole],
        }[framing];
        const all = Buffer.concat(wire ?? []);
        const ends = [...new Set([...at.filter((end) => end < all.length), all.length])].sort(
          (a, b) => a - b,
        );
        const pieces = ends.map((end, index) => all.subarray(ends[index - 1] ?? 0, end));
        const read = parse(pieces, framing === "close");
        expect(read.body).toBe(whole.toString());
        expect(read.isReusable).toBe(framing !== "close");
      },
    ),
    { numRuns: 500 },
  );
});
