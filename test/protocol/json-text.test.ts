import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  itemTexts,
  membersOf,
  memberText,
  nestsDeeper,
  onOneLine,
  withMembers,
} from "../../src/protocol/json-text.ts";
import { jsonText } from "../support/json-texts.ts";

const object = jsonText.filter((text) => text.startsWith("{"));

function parsed(text: string): Record<string, unknown> {
  return JSON.parse(text);
}

describe("members", () => {
  test("are found where the parser finds them", () => {
    fc.assert(
      fc.property(object, (text) => {
        const value = parsed(text);
        const members = membersOf(text);
        expect(new Set(members.map(({ key }) => key))).toEqual(new Set(Object.keys(value)));
        for (const name of Object.keys(value)) {
          expect(JSON.parse(memberText(text, name) ?? "")).toEqual(value[name]);
        }
      }),
    );
  });

  test("keep their text", () => {
    const text = ' { "a" : 1.0 , "b":[ 1e400,"\\u00e9\\"]" ] ,"a":12345678901234567890} ';
    expect(memberText(text, "a")).toBe("12345678901234567890");
    expect(memberText(text, "b")).toBe('[ 1e400,"\\u00e9\\"]" ]');
    expect(memberText(text, "c")).toBeUndefined();
    expect(memberText('{"\\u0061":-0}', "a")).toBe("-0");
  });

  test("of an array are its items", () => {
    expect(itemTexts('[ 1.0 , {"a":[]},"x,]" , [[ ]] ]')).toEqual(["1.0", '{"a":[]}', '"x,]"', "[[ ]]"]);
    expect(itemTexts(" [ ] ")).toEqual([]);
  });
});

describe("withMembers", () => {
  test("changes what it is told to change, and no other character", () => {
    const text = '{"2":1.0, "1":2, "a":{"z":1,"z":2} }';
    expect(withMembers(text, [["1", "[]"]])).toBe('{"2":1.0, "1":[], "a":{"z":1,"z":2} }');
    expect(withMembers(text, [["2", undefined]])).toBe('{"1":2, "a":{"z":1,"z":2} }');
    expect(withMembers(text, [["a", undefined]])).toBe('{"2":1.0, "1":2 }');
    expect(withMembers(text, [["b", "7"]])).toBe('{"2":1.0, "1":2, "a":{"z":1,"z":2},"b":7 }');
    expect(withMembers("{ }", [["b", "7"]])).toBe('{"b":7 }');
  });

  test("leaves one member of a key that occurred twice", () => {
    const text = '{"name":"denied","x":1,"n\\u0061me":"allowed"}';
    expect(withMembers(text, [["name", '"own"']])).toBe('{"x":1,"n\\u0061me":"own"}');
    expect(withMembers(text, [["name", undefined]])).toBe('{"x":1}');
  });

  test("does to any object what is done to its value", () => {
    const change = fc.constantFrom<[string, string | undefined]>(
      ["a", "1"],
      ["a", undefined],
      ["1", '"x"'],
      ["new", "[]"],
      ["", undefined],
    );
    fc.assert(
      fc.property(object, fc.array(change, { maxLength: 4 }), (text, changes) => {
        const wanted = new Map(Object.entries(parsed(text)));
        for (const [name, value] of new Map(changes)) {
          if (value === undefined) wanted.delete(name);
          else wanted.set(name, JSON.parse(value));
        }
        const found = Object.entries(parsed(withMembers(text, [...new Map(changes)])));
        expect(new Map(found)).toEqual(wanted);
      }),
    );
  });
});

test("a text without line breaks means the same", () => {
  fc.assert(
    fc.property(jsonText, (text) => {
      expect(onOneLine(text)).not.toMatch(/[\r\n]/);
      expect(JSON.parse(onOneLine(text))).toEqual(JSON.parse(text));
    }),
  );
});

describe("a hostile text", () => {
  test("that is no JSON ends the scan", () => {
    for (const text of [
      "",
      "{",
      '{"a',
      '{"a"',
      '{"a":',
      '{"a":[',
      '{"a":"\\',
      "[",
      "[1,",
      '["',
      "[[[",
      "]",
      "}",
      "\\",
    ]) {
      membersOf(text);
      itemTexts(text);
      withMembers(text, [["a", "1"]]);
      nestsDeeper(text, 1);
    }
  });

  test("of any depth is read without recursion", () => {
    const deep = `{"a":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)},"b":1.0}`;
    expect(memberText(deep, "b")).toBe("1.0");
    expect(memberText(deep, "a")).toHaveLength(2_000_000);
    expect(nestsDeeper(deep, 1_000)).toBe(true);
    expect(nestsDeeper("[".repeat(3_000_000), 1_000)).toBe(true);
  });

  test("nests as deep as it says", () => {
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    expect(nestsDeeper(nested(1_000), 1_000)).toBe(false);
    expect(nestsDeeper(nested(1_001), 1_000)).toBe(true);
    expect(nestsDeeper(`"${"[".repeat(5_000)}"`, 1_000)).toBe(false);
  });

  test("of quotes and backslashes has the strings that it has", () => {
    for (const count of [1, 2, 3, 31, 32, 33, 10_001]) {
      const text = JSON.stringify({ a: "\\".repeat(count), b: '"\\'.repeat(count), c: 1 });
      expect(memberText(text, "c")).toBe("1");
    }
  });
});
