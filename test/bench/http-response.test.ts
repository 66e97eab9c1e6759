import { expect, test } from "bun:test";
import { type Reply, ResponseReader } from "../../scripts/bench/http-response.ts";

const SIZED = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}';
const CHUNKED =
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\ndata: \r\nA;ext=1\r\n{"é":"\r\n\r\r\n3\r\n"}\n\r\n0\r\n\r\n';
const EMPTY = "HTTP/1.1 202 Accepted\r\nDate: now\r\n\r\n";

/** All replies in a stream that comes in pieces of this size, which never cross a reply's end. */
function readAll(replies: readonly string[], pieceBytes: number): Reply[] {
  const reader = new ResponseReader();
  const read: Reply[] = [];
  for (const text of replies) {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const reply = reader.push(bytes.subarray(at, at + pieceBytes));
      if (reply !== undefined) read.push(reply);
    }
  }
  return read;
}

test.each([1, 2, 3, 7, 64, 1_000])("reads every form of body in pieces of %p bytes", (pieceBytes) => {
  const replies = readAll([SIZED, CHUNKED, EMPTY, SIZED], pieceBytes);
  expect(replies.map(({ status, text }) => [status, text])).toEqual([
    [200, '{"a":1}'],
    [200, 'data: {"é":"\r\n\r"}\n'],
    [202, ""],
    [200, '{"a":1}'],
  ]);
});

test("more bytes than were promised are no reply", () => {
  const reader = new ResponseReader();
  reader.push(Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n1"));
  expect(() => reader.push(Buffer.from("23"))).toThrow("more bytes");
});
