// Which values are messages: the envelope decides, and what is inside passes as it is.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isId, isNotification, isRequest, isResponse, toMessage } from "../../src/protocol/jsonrpc.ts";

const V = { jsonrpc: "2.0" } as const;

describe("is a message, untouched", () => {
  test.each<[string, object]>([
    ["a request", { ...V, id: 1, method: "ping" }],
    [
      "a request with params that no schema knows",
      { ...V, id: "x", method: "m", params: { a: [null, { b: 1 }] } },
    ],
    ["a notification", { ...V, method: "n" }],
    ["a result", { ...V, id: 0, result: {} }],
    ["an error", { ...V, id: -1, error: { code: -32601, message: "no", data: [1] } }],
    ["an error without an id", { ...V, error: { code: -32700, message: "unreadable" } }],
    ["an error whose id is null", { ...V, id: null, error: { code: -32700, message: "unreadable" } }],
    ["keys beside those of the envelope", { ...V, id: 1, method: "m", extra: true }],
  ])("%s", (_name, value) => {
    expect(toMessage(value)).toBe(value as never);
  });
});

describe("is no message", () => {
  test.each<[string, unknown]>([
    ["null", null],
    ["text", "ping"],
    ["an array", [{ ...V, id: 1, method: "m" }]],
    ["nothing", {}],
    ["another version", { jsonrpc: "1.0", id: 1, method: "m" }],
    ["a version that is a number", { jsonrpc: 2, id: 1, method: "m" }],
    ["an id that is null", { ...V, id: null, method: "m" }],
    ["an id that is a fraction", { ...V, id: 1.5, method: "m" }],
    ["an id that is an object", { ...V, id: {}, method: "m" }],
    ["params that are an array", { ...V, id: 1, method: "m", params: [] }],
    ["params that are null", { ...V, id: 1, method: "m", params: null }],
    ["a method that is a number", { ...V, id: 1, method: 5 }],
    ["a method that is null", { ...V, method: null }],
    ["a result without an id", { ...V, result: {} }],
    ["an id alone", { ...V, id: 1 }],
    ["an error without code and id", { ...V, error: {} }],
  ])("%s", (_name, value) => {
    expect(toMessage(value)).toBeUndefined();
  });
});

test("an answer that names a method as well is an error for the one who waits", () => {
  const error = { code: -32603, message: "The answer names a method as well." };
  expect(toMessage({ ...V, id: 1, method: null, result: {} })).toEqual({ ...V, id: 1, error });
});

describe("is an error for the one who waits for this answer", () => {
  test.each<[string, object]>([
    ["a result that is no object", { result: 5 }],
    ["a result that is null", { result: null }],
    ["a result and an error at once", { result: {}, error: { code: 1, message: "" } }],
    ["an error that is text", { error: "it went wrong" }],
    ["an error without a message", { error: { code: 1 } }],
    ["an error whose code is text", { error: { code: "1", message: "" } }],
  ])("%s", (_name, value) => {
    const error = { code: -32603, message: expect.stringMatching(/^The answer has neither a result/) };
    expect(toMessage({ ...V, id: 1, ...value })).toEqual({ ...V, id: 1, error });
  });
});

test("each message is of exactly one kind", () => {
  const values = fc.record(
    {
      jsonrpc: fc.constant("2.0"),
      id: fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.jsonValue()),
      method: fc.oneof(fc.string(), fc.jsonValue()),
      params: fc.jsonValue(),
      result: fc.jsonValue(),
      error: fc.oneof(fc.record({ code: fc.integer(), message: fc.string() }), fc.jsonValue()),
    },
    { requiredKeys: ["jsonrpc"] },
  );
  fc.assert(
    fc.property(values, (value) => {
      const message = toMessage(value);
      if (message === undefined) return;
      expect([isRequest, isNotification, isResponse].filter((is) => is(message))).toHaveLength(1);
      if (!("error" in message)) expect(message).toBe(value as never);
    }),
    { numRuns: 2_000 },
  );
});

describe("nesting", () => {
  const nested = (levels: number, isArray: boolean) => {
    let value: unknown = 1;
    for (let level = 0; level < levels; level++) value = isArray ? [value] : { a: value };
    return value;
  };

  test.each([true, false])("passes up to a thousand levels (arrays: %p)", (isArray) => {
    expect(toMessage({ ...V, id: 1, method: "m", params: { x: nested(900, isArray) } })).toBeDefined();
    expect(toMessage({ ...V, id: 1, method: "m", params: { x: nested(1_000, isArray) } })).toBeUndefined();
    expect(toMessage({ ...V, method: "m", params: { x: nested(500_000, isArray) } })).toBeUndefined();
  });

  test("turns an answer that is too deep into an error for the one who waits", () => {
    const error = { code: -32603, message: "The answer nests deeper than 1000 levels." };
    expect(toMessage({ ...V, id: 5, result: { x: nested(100_000, true) } })).toEqual({ ...V, id: 5, error });
    const deepError = { code: 1, message: "", data: nested(100_000, false) };
    expect(toMessage({ ...V, id: "a", error: deepError })).toEqual({ ...V, id: "a", error });
    expect(toMessage({ ...V, error: deepError })).toBeUndefined();
  });
});

test("ids are strings and integers", () => {
  expect([0, -3, "", "a", 2 ** 53].every(isId)).toBe(true);
  expect([null, undefined, 1.5, Number.NaN, {}, [], true].some(isId)).toBe(false);
});
