// Which values are messages: the envelope decides, and what is inside passes as it is.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { writeJson } from "../../src/protocol/exact.ts";
import {
  errorResponse,
  idIn,
  idValue,
  isId,
  isNotification,
  isRequest,
  isResponse,
  RpcError,
  resultResponse,
  toMessage,
  writeMessage,
} from "../../src/protocol/jsonrpc.ts";

const V = { jsonrpc: "2.0" } as const;

/** As it comes off a wire. */
function read(value: unknown) {
  const text = JSON.stringify(value);
  return toMessage(JSON.parse(text), text);
}

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
    expect(read(value)).toEqual(value as never);
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
    ["params that are an array", { ...V, id: 1, method: "m", params: [1] }],
    ["a method that is a number", { ...V, id: 1, method: 5 }],
    ["a method that is null", { ...V, method: null }],
    ["a result without an id", { ...V, result: {} }],
    ["an id alone", { ...V, id: 1 }],
    ["an error without code and id", { ...V, error: {} }],
  ])("%s", (_name, value) => {
    expect(read(value)).toBeUndefined();
  });
});

test("an answer that names a method as well is an error for the one who waits", () => {
  const error = { code: -32603, message: "The answer names a method as well." };
  expect(read({ ...V, id: 1, method: null, result: {} })).toEqual({ ...V, id: 1, error });
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
    expect(read({ ...V, id: 1, ...value })).toEqual({ ...V, id: 1, error });
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
    fc.property(values, (made) => {
      const value: object = JSON.parse(JSON.stringify(made));
      const message = read(value);
      if (message === undefined) return;
      expect([isRequest, isNotification, isResponse].filter((is) => is(message))).toHaveLength(1);
      if ("error" in message) return;
      const given = new Map<string, unknown>(Object.entries(value));
      if (JSON.stringify(given.get("result")) === "[]") given.set("result", {});
      for (const [key, member] of Object.entries(message)) expect(member).toEqual(given.get(key));
    }),
    { numRuns: 2_000 },
  );
});

describe("nesting", () => {
  const nested = (levels: number, isArray: boolean) =>
    (isArray ? "[" : '{"a":').repeat(levels) + 1 + (isArray ? "]" : "}").repeat(levels);
  const readText = (text: string) => toMessage(JSON.parse(text), text);

  test.each([true, false])("passes up to a thousand levels (arrays: %p)", (isArray) => {
    const request = (levels: number) =>
      `{"jsonrpc":"2.0","id":1,"method":"m","params":{"x":${nested(levels, isArray)}}}`;
    expect(readText(request(998))).toBeDefined();
    expect(readText(request(999))).toBeUndefined();
    expect(readText(request(10_000))).toBeUndefined();
  });

  test("turns an answer that is too deep into an error for the one who waits", () => {
    const error = { code: -32603, message: "The answer nests deeper than 1000 levels." };
    const result = `{"jsonrpc":"2.0","id":5,"result":{"x":${nested(10_000, true)}}}`;
    expect(readText(result)).toEqual({ ...V, id: 5, error });
    const deepError = `"error":{"code":1,"message":"","data":${nested(10_000, false)}}`;
    expect(readText(`{"jsonrpc":"2.0","id":"a",${deepError}}`)).toEqual({ ...V, id: "a", error });
    expect(readText(`{"jsonrpc":"2.0",${deepError}}`)).toBeUndefined();
  });
});

describe("null", () => {
  test("stands for params, an error or a result that there are not", () => {
    expect(read({ ...V, id: 1, method: "m", params: null })).toEqual({ ...V, id: 1, method: "m" });
    expect(read({ ...V, method: "notifications/initialized", params: null, id: null })).toEqual({
      ...V,
      method: "notifications/initialized",
    });
    expect(read({ ...V, id: 1, result: {}, error: null })).toEqual({ ...V, id: 1, result: {} });
    const error = { code: 1, message: "no" };
    expect(read({ ...V, id: 1, result: null, error })).toEqual({ ...V, id: 1, error });
  });
});

describe("an empty list, as PHP writes an empty object,", () => {
  test("stands for no params", () => {
    expect(read({ ...V, id: 1, method: "ping", params: [] })).toEqual({ ...V, id: 1, method: "ping" });
    expect(read({ ...V, method: "n", params: [] })).toEqual({ ...V, method: "n" });
    expect(read({ ...V, id: 1, method: "ping", params: [1] })).toBeUndefined();
  });

  test("stands for an empty result, also where it is written again", () => {
    const message = read({ ...V, id: 1, result: [] });
    expect(message).toEqual({ ...V, id: 1, result: {} });
    expect(message && writeMessage(message)).toBe('{"jsonrpc":"2.0","id":1,"result":{}}');
  });
});

describe("the text", () => {
  const written = (text: string) => {
    const message = toMessage(JSON.parse(text), text);
    if (message === undefined) throw new Error("no message");
    return writeMessage(message);
  };

  test("of params, results and errors is written as it was read, in one line", () => {
    const odd = '{"2":1.0,"1":[1e400,-0],"b":12345678901234567890,"b":"\\u00e9\\/"}';
    expect(written(`{"id":1,"params":${odd},"jsonrpc":"2.0","method":"m"}`)).toBe(
      `{"jsonrpc":"2.0","id":1,"method":"m","params":${odd}}`,
    );
    expect(written(`{"jsonrpc":"2.0","id":"a","result":${odd}}`)).toBe(
      `{"jsonrpc":"2.0","id":"a","result":${odd}}`,
    );
    const error = `{"code":1, "message":"m","data":${odd},"more":1.0}`;
    expect(written(`{"jsonrpc":"2.0","id":1,"error":${error}}`)).toBe(
      `{"jsonrpc":"2.0","id":1,"error":${error}}`,
    );
    expect(written('{"jsonrpc":"2.0","method":"m","params":{\r\n"a":\n1.0}}')).toBe(
      '{"jsonrpc":"2.0","method":"m","params":{ "a": 1.0}}',
    );
  });

  test("of an error outlives the time when it is thrown", () => {
    const text = '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m","data":{"n":1.0}}}';
    const message = toMessage(JSON.parse(text), text);
    if (message === undefined || !("error" in message)) throw new Error("no error");
    const thrown = RpcError.from(message.error);
    expect(writeMessage(errorResponse(1, thrown.toObject()))).toBe(text);
    expect(writeMessage(errorResponse(1, { code: 2, message: "n", data: thrown.data }))).toBe(
      '{"jsonrpc":"2.0","id":1,"error":{"code":2,"message":"n","data":{"n":1.0}}}',
    );
  });

  test("of a member that comes twice is that of the one that was read", () => {
    expect(
      written('{"jsonrpc":"2.0","id":9,"params":{"a":1},"method":"m","params":{"b":1.0},"id":1.0}'),
    ).toBe('{"jsonrpc":"2.0","id":1.0,"method":"m","params":{"b":1.0}}');
  });
});

describe("an id", () => {
  const idOf = (text: string) => {
    const message = toMessage(JSON.parse(text), text);
    return message !== undefined && isRequest(message) ? message.id : undefined;
  };

  test.each([
    "1",
    "-3",
    '"a"',
    "9007199254740993",
    "1234567890123456789012",
    "1.0",
    "1e3",
    "-0",
    '"\\u0000x"',
  ])("%s comes back as it was written", (id) => {
    const text = `{"jsonrpc":"2.0","id":${id},"method":"m","params":{"requestId": ${id} }}`;
    const message = toMessage(JSON.parse(text), text);
    if (message === undefined || !isRequest(message)) throw new Error("no request");
    expect(writeMessage(resultResponse(message.id, {}))).toBe(`{"jsonrpc":"2.0","id":${id},"result":{}}`);
    expect(idIn(message.params, "requestId")).toBe(message.id);
    expect(writeJson({ token: idValue(message.id) })).toBe(`{"token":${id}}`);
  });

  test("beyond 2^53 is never taken for another one", () => {
    const request = (id: string) => `{"jsonrpc":"2.0","id":${id},"method":"m"}`;
    expect(idOf(request("9007199254740993"))).not.toBe(idOf(request("9007199254740992")));
    expect(idOf(request('"\\u00009007199254740993"'))).not.toBe(idOf(request("9007199254740993")));
  });
});

test("ids are strings and integers", () => {
  expect([0, -3, "", "a", 2 ** 53].every(isId)).toBe(true);
  expect([null, undefined, 1.5, Number.NaN, {}, [], true].some(isId)).toBe(false);
});
