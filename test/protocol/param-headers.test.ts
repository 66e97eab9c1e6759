// A header says what the body says, to the last digit.

import { expect, test } from "bun:test";
import { keepText } from "../../src/protocol/exact.ts";
import type { Json } from "../../src/protocol/jsonrpc.ts";
import { findMirrorMismatch, mirrorHeaders } from "../../src/protocol/param-headers.ts";

const PATHS = [
  { path: ["id"], name: "Id", type: "integer" },
  { path: ["deep", "id"], name: "Deep", type: "integer" },
];

function params(text: string): Json {
  return keepText(JSON.parse(text), text);
}

test("a number beyond 2^53 has all its digits in its header", () => {
  const sent = params('{"name":"t","arguments":{"id":1234567890123456789,"deep":{"id":9007199254740993}}}');
  const headers = mirrorHeaders("tools/call", sent, PATHS);
  expect(headers).toMatchObject({
    "Mcp-Param-Id": "1234567890123456789",
    "Mcp-Param-Deep": "9007199254740993",
  });
  expect(findMirrorMismatch(new Headers(headers), "tools/call", sent, PATHS)).toBeUndefined();
});

test("a header that differs from the body is found", () => {
  const sent = params('{"name":"t","arguments":{"id":7,"deep":{"id":"7"}}}');
  const headers = { ...mirrorHeaders("tools/call", sent, PATHS), "Mcp-Param-Id": "8" };
  expect(findMirrorMismatch(new Headers(headers), "tools/call", sent, PATHS)).toContain("does not match");
});
