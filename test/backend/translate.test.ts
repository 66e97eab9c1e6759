// Between the eras only what differs is changed, and that in the text.

import { expect, test } from "bun:test";
import { toLegacyAnswer, toLegacyParams, toModernParams } from "../../src/backend/translate.ts";
import { keepText, writeJson } from "../../src/protocol/exact.ts";
import type { Json } from "../../src/protocol/jsonrpc.ts";
import { caller } from "./rig.ts";

function parsed(text: string): Json {
  return keepText(JSON.parse(text), text);
}

test("a result keeps its text, less what a legacy client does not know", () => {
  const result = parsed(
    '{"2":1.0, "1":1e400,"resultType":"complete","ttlMs":0,"cacheScope":"private",' +
      '"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"a","version":"1"},"n":-0}}',
  );
  expect(writeJson(toLegacyAnswer("resources/read", { result }).result)).toBe(
    '{"2":1.0, "1":1e400,"_meta":{"n":-0}}',
  );
});

test.each(["12345678901234567890", "[1.0]", '"\\u00e9"', "null"])(
  "structured content %s is wrapped as it is written",
  (value) => {
    const result = parsed(`{"content":[],"structuredContent":${value},"resultType":"complete"}`);
    const { result: legacy } = toLegacyAnswer("tools/call", { result });
    expect(writeJson(legacy)).toBe(`{"content":[],"structuredContent":{"result":${value}}}`);
    expect(legacy.structuredContent).toEqual({ result: JSON.parse(value) });
  },
);

test("a schema of results that is of no object is wrapped as it is written", () => {
  const result = parsed('{"tools":[{"name":"a","outputSchema":{"type":"integer","maximum":1e400},"n":1.0}]}');
  expect(writeJson(toLegacyAnswer("tools/list", { result }).result)).toBe(
    '{"tools":[{"name":"a","outputSchema":{"type":"object","properties":{"result":{"type":"integer","maximum":1e400}},' +
      '"required":["result"]},"n":1.0}]}',
  );
});

test("params lose the envelope of the modern era, and get it, and nothing else changes", () => {
  const own = '{"name":"a","arguments":{"n":1.0},"_meta":{"n":-0}}';
  const modern = toModernParams(parsed(own), caller(), "2026-07-28");
  expect(writeJson(modern)).toStartWith(
    '{"name":"a","arguments":{"n":1.0},"_meta":{"n":-0,"io.modelcontextprotocol/',
  );
  const answered = { inputResponses: {}, requestState: "s" };
  const retried = keepText({ ...modern, ...answered }, writeJson({ ...modern, ...answered }));
  expect(writeJson(toLegacyParams(modern))).toBe(own);
  expect(toLegacyParams(retried)).toEqual(JSON.parse(own));
});
