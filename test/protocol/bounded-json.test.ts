// What may be parsed is decided by one scan of the text, before it costs anything.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  boundedMessage,
  CLIENT_LIMITS,
  JsonLimitError,
  parseBounded as parseWithin,
} from "../../src/protocol/bounded-json.ts";

const parseBounded = (text: string, values: number) => parseWithin(text, { ...CLIENT_LIMITS, values });
const many = (count: number, item = "0") => `[${`${item},`.repeat(count - 1)}${item}]`;
const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
/** Longer than what is parsed without a look. */
const PAD = " ".repeat(40_000);

describe("a text from outside", () => {
  test("is parsed as by JSON.parse up to the limits", () => {
    for (const text of [
      many(100),
      many(50_000),
      `${PAD}${nested(1_000)}`,
      `{"a":"${"x".repeat(100_000)}"}`,
    ]) {
      expect(parseBounded(text, 100_000)).toEqual(JSON.parse(text));
    }
  });

  test.each([
    ["nests deeper than 1000 levels", `${PAD}${nested(1_001)}`],
    ["nests deeper than 1000 levels", "[".repeat(20_000_000)],
    ["nests deeper than 1000 levels", '{"a":'.repeat(4_000_000)],
    ["holds more than 1000 values", many(30_000)],
    ["holds more than 1000 values", many(20_000, "{}")],
    [
      "holds more than 1000 values",
      JSON.stringify(Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`k${n}`, n]))),
    ],
    ["holds more than 1000 values", '{"a":1,'.repeat(900) + PAD],
  ])("%s", (problem, text) => {
    const isCounted = problem.includes("values");
    expect(() => parseBounded(text, isCounted ? 1_000 : 100_000)).toThrow(
      isCounted && text.startsWith('{"a":1,') ? JsonLimitError : new JsonLimitError(problem),
    );
  });

  test.each([
    ["one string", (escapes: number) => `"${"\\n".repeat(escapes)}"`],
    ["one string with other characters", (escapes: number) => `"日${"\\u65e5ab".repeat(escapes)}"`],
    ["escaped backslashes", (escapes: number) => `"${"\\\\".repeat(escapes)}"`],
    ["many strings", (escapes: number) => many(escapes / 100, `"${"\\t".repeat(100)}"`)],
  ])("may hold as many escapes as the limit says, in %s", (_where, textWith) => {
    const limits = { values: 10_000, escapes: 100_000, bare: 1_000_000 };
    const text = textWith(100_000);
    expect(parseWithin(text, limits)).toEqual(JSON.parse(text));
    expect(() => parseWithin(textWith(100_100), limits)).toThrow("holds more than 100000 escapes in strings");
  });

  test.each([
    ["white space", (bare: number) => `${" ".repeat(bare - 1)}1`],
    ["digits", (bare: number) => "1".repeat(bare)],
    ["what is no JSON", (bare: number) => "x".repeat(bare)],
  ])("may hold as many characters outside of strings as the limit says: %s", (_what, textWith) => {
    const limits = { values: 10, escapes: 10, bare: 100_000 };
    const error = "holds more than 100000 characters outside of strings";
    expect(() => parseWithin(textWith(100_001), limits)).toThrow(error);
    expect(() => parseWithin(textWith(100_000), limits)).not.toThrow(error);
    expect(parseWithin(JSON.stringify(textWith(200_000)), limits)).toBe(textWith(200_000));
  });

  test("counts nothing that stands in strings, however they are escaped", () => {
    const text = JSON.stringify({ a: '[{,\\"'.repeat(20_000), b: "\\", c: "[[[[".repeat(10_000) });
    expect(parseBounded(text, 10)).toEqual(JSON.parse(text));
  });

  test("that is no JSON is refused as by JSON.parse", () => {
    for (const text of [`${PAD}"`, `${PAD}"\\`, `${PAD}[}`, "x".repeat(50_000), `${PAD}]]]]]]`]) {
      expect(() => parseBounded(text, 100)).toThrow(SyntaxError);
    }
  });

  test("of any shape is judged in time that grows with its length alone", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("[", "{", '"', "\\", ",", "]", "}", ":", "1", " "), { maxLength: 50 }),
        (unit) => {
          const text = unit.join("").repeat(Math.ceil(40_000 / Math.max(1, unit.length)));
          try {
            parseBounded(text, 1_000);
          } catch (thrown) {
            expect(thrown instanceof SyntaxError || thrown instanceof JsonLimitError).toBeTrue();
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("a message of a backend", () => {
  test("stays as it is within the limits", () => {
    const text = `{"jsonrpc":"2.0","id":1,"result":${many(100_000)}}`;
    expect(boundedMessage(text)).toBe(text);
  });

  test("over them becomes an error for the one who waits, with the id as it was written", () => {
    const deep = "[".repeat(2_000_000);
    for (const id of ["7", '"a\\u0041"', "12345678901234567890"]) {
      const error = `"error":{"code":-32603,"message":"The answer nests deeper than 1000 levels."}`;
      expect(boundedMessage(`{"jsonrpc":"2.0","id":${id},"result":${nested(50_000)}}`)).toBe(
        `{"jsonrpc":"2.0","id":${id},${error}}`,
      );
    }
    const broken = `{"jsonrpc":"2.0","id":7,"result":${deep}`;
    expect(boundedMessage(broken)).toStartWith('{"jsonrpc":"2.0","id":7,"error"');
    const last = `{"result":{"x":${nested(50_000)}},"jsonrpc":"2.0","id":"z"}`;
    expect(boundedMessage(last)).toStartWith('{"jsonrpc":"2.0","id":"z","error"');
    const hidden = `{"x":1,"result":${nested(50_000)},"id":8,"y":2}`;
    expect(boundedMessage(hidden)).toStartWith('{"jsonrpc":"2.0","id":8,"error"');
  });

  test("over them that answers nothing is none", () => {
    expect(boundedMessage(`{"jsonrpc":"2.0","method":"m","params":{"x":${nested(50_000)}}}`)).toBe("null");
    expect(boundedMessage(`{"jsonrpc":"2.0","id":1,"method":"m","params":{"x":${nested(50_000)}}}`)).toBe(
      "null",
    );
    expect(boundedMessage(nested(50_000))).toBe("[null]");
    expect(boundedMessage("[".repeat(50_000))).toBe("[]");
    const notice = '{"jsonrpc":"2.0","method":"m"}';
    expect(boundedMessage(`[${nested(50_000)},${notice}]`)).toBe(`[null,${notice}]`);
    expect(boundedMessage(many(1_100_000))).toBe("null");
  });
});
