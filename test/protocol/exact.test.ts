// A parsed value is written as the text that it was parsed from, whole or in part, and changed without the rest changing.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  changed,
  changedInside,
  entriesOf,
  exactly,
  itemsOf,
  keepText,
  memberOf,
  objectOf,
  textOf,
  writeJson,
} from "../../src/protocol/exact.ts";
import type { Json } from "../../src/protocol/jsonrpc.ts";
import { jsonText } from "../support/json-texts.ts";

function parsed(text: string): Json {
  return keepText(JSON.parse(text), text);
}

test("a value is written as its text, inside of others too", () => {
  fc.assert(
    fc.property(
      jsonText.filter((text) => /^[{[]/.test(text)),
      (text) => {
        const value = parsed(text);
        expect(writeJson(value)).toBe(text);
        expect(writeJson({ a: [value, 1], b: undefined })).toBe(`{"a":[${text},1]}`);
      },
    ),
  );
});

test("what knows no text is written as JSON.stringify writes it", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(writeJson(value)).toBe(JSON.stringify(value));
    }),
  );
  expect(writeJson({ a: undefined, b: Number.NaN, c: [undefined] })).toBe('{"b":null,"c":[null]}');
});

test("members and items are written as their text", () => {
  const value = parsed('{"a":[1.0,{"x":1e400}, [-0]],"a":{"2":1,"1":12345678901234567890},"n":1.0}');
  expect(writeJson(memberOf(value, "a"))).toBe('{"2":1,"1":12345678901234567890}');
  expect(memberOf(value, "toString")).toBeUndefined();
  expect(objectOf(value, "n")).toBeUndefined();
  const list = memberOf(parsed('{"l":[{"x":1.0}, 2, {"x":-0}]}'), "l");
  expect(Array.isArray(list) && itemsOf(list).map(writeJson)).toEqual(['{"x":1.0}', "2", '{"x":-0}']);
  const entries = entriesOf(parsed('{"a":{"x":1},"b":[1.0],"a":{"x":1.0}}'));
  expect(entries.map(([key, member]) => [key, writeJson(member)])).toEqual([
    ["a", '{"x":1.0}'],
    ["b", "[1.0]"],
  ]);
});

describe("a changed value", () => {
  const value = parsed('{"name":"a", "n":1.0,"_meta":{"progressToken":1,"\u00e9\\u00e9":1e400}}');

  test("has the change in its text and in its members", () => {
    const meta = changed(objectOf(value, "_meta") ?? {}, { progressToken: exactly("7.0") });
    const other = changed(value, { name: "b", _meta: meta, n: undefined });
    expect(textOf(other)).toBe('{"name":"b","_meta":{"progressToken":7.0,"\u00e9\\u00e9":1e400}}');
    expect(other.name).toBe("b");
    expect("n" in other).toBe(false);
    expect(textOf(value)).toBe('{"name":"a", "n":1.0,"_meta":{"progressToken":1,"\u00e9\\u00e9":1e400}}');
  });

  test("without a text has none either", () => {
    expect(textOf(changed({ a: 1 }, { b: 2 }))).toBeUndefined();
    expect(changed({ a: 1 }, { b: 2, a: undefined })).toEqual({ b: 2 });
  });
});

describe("a member of a member is changed", () => {
  const withToken = (text: string) => {
    const value = changedInside(parsed(text), ["_meta", "progressToken"], 7);
    expect(JSON.parse(writeJson(value))).toEqual(value);
    return textOf(value);
  };

  test("in place", () => {
    expect(withToken('{"a":1.0, "_meta" : { "x":1e400, "progressToken" : 1.0 } }')).toBe(
      '{"a":1.0, "_meta" : { "x":1e400, "progressToken" : 7 } }',
    );
  });

  test("or added, where it or its holder is missing", () => {
    expect(withToken('{"a":1.0,"_meta":{"x":1.0}}')).toBe('{"a":1.0,"_meta":{"x":1.0,"progressToken":7}}');
    expect(withToken('{"a":1.0}')).toBe('{"a":1.0,"_meta":{"progressToken":7}}');
    expect(withToken('{"_meta":null}')).toBe('{"_meta":{"progressToken":7}}');
  });

  test("so that it is there once, also if it occurred twice", () => {
    expect(withToken('{"_meta":{"progressToken":17},"a":1,"_meta":{"x":1,"progressToken":2}}')).toBe(
      '{"a":1,"_meta":{"x":1,"progressToken":7}}',
    );
    expect(withToken('{"_meta":{"progressToken":17,"progress\\u0054oken":2}}')).toBe(
      '{"_meta":{"progress\\u0054oken":7}}',
    );
  });
});

test("a key that would be a prototype stays a key", () => {
  const value = changed(parsed('{"__proto__":{"x":1.0},"a":1}'), { a: undefined });
  expect([textOf(value), Object.keys(value)]).toEqual(['{"__proto__":{"x":1.0}}', ["__proto__"]]);
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
});

test("a copy by spread has no text: it may be another value", () => {
  const value = parsed('{"a":1.0}');
  expect(textOf({ ...value })).toBeUndefined();
  expect(textOf(structuredClone(value))).toBeUndefined();
  expect(value).toEqual({ a: 1 });
  expect(Reflect.ownKeys(value)).toEqual(["a"]);
});
