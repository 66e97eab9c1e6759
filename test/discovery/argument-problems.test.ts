// What is said of arguments that cannot be right, and that nothing is said of those that may be.

import { describe, expect, test } from "bun:test";
import { argumentProblems } from "../../src/discovery/signature.ts";

function problems(inputSchema: Record<string, unknown>, args: Record<string, unknown>): string[] {
  return argumentProblems({ name: "t", inputSchema }, args);
}

const READ = {
  type: "object",
  properties: {
    path: { type: "string" },
    lines: { type: "integer" },
    mode: { enum: ["text", "binary"] },
    range: { type: "object", properties: { from: { type: "integer" } }, required: ["from"] },
    tags: { type: "array", items: { type: "string" } },
    size: { anyOf: [{ type: "integer" }, { type: "null" }] },
    shape: { $ref: "#/$defs/Shape" },
  },
  required: ["path"],
  additionalProperties: false,
  $defs: { Shape: { type: "string", enum: ["round", "square"] } },
};

describe("a problem is", () => {
  const cases: [args: Record<string, unknown>, problem: string][] = [
    [{}, 'missing required "path"'],
    [{ path: 7 }, '"path" must be string, not number'],
    [{ path: null }, '"path" must be string, not null'],
    [{ path: "x", lines: 1.5 }, '"lines" must be integer, not number'],
    [{ path: "x", mode: "txt" }, '"mode" must be one of "text", "binary"'],
    [{ path: "x", pth: "y" }, 'unknown "pth" (did you mean "path"?)'],
    [
      { path: "x", something: 1 },
      'unknown "something" (there are path, lines, mode, range, tags, size, shape)',
    ],
    [{ path: "x", range: {} }, 'missing required "range.from"'],
    [{ path: "x", range: { from: "1" } }, '"range.from" must be integer, not string'],
    [{ path: "x", tags: ["a", 1] }, '"tags[1]" must be string, not number'],
    [{ path: "x", tags: "a" }, '"tags" must be array, not string'],
    [{ path: "x", size: "big" }, '"size" fits none of its 2 forms'],
    [{ path: "x", shape: "flat" }, '"shape" must be one of "round", "square"'],
  ];
  for (const [args, problem] of cases) {
    test(JSON.stringify(args), () => expect(problems(READ, args)).toEqual([problem]));
  }

  test("told with the others, up to a few", () => {
    expect(problems(READ, { lines: "1", mode: 1, tags: {}, a: 1, b: 1, c: 1, d: 1 }).length).toBe(5);
  });
});

describe("nothing is wrong", () => {
  test("with what fits", () => {
    const args = {
      path: "x",
      lines: 3,
      mode: "text",
      range: { from: 1, to: 2 },
      tags: [],
      size: null,
      shape: "round",
    };
    expect(problems(READ, args)).toEqual([]);
  });

  const lenient: [name: string, schema: Record<string, unknown>][] = [
    ["no schema at all", {}],
    ["an open object", { properties: { a: {} } }],
    ["a pattern for names", { additionalProperties: false, patternProperties: { "^x": {} } }],
    ["names known to a part only", { additionalProperties: false, allOf: [{ properties: { x: {} } }] }],
    ["a type nobody knows", { properties: { x: { type: "text" } } }],
    ["a reference to elsewhere", { properties: { x: { $ref: "https://example.com/x" } } }],
    ["a reference to itself", { properties: { x: { $ref: "#/properties/x" } } }],
    ["choices that are objects", { properties: { x: { enum: [{ a: 1 }] } } }],
    ["a nullable of old", { properties: { x: { type: "string", nullable: true } } }],
    ["lists where none belong", { properties: [], required: "x", enum: 3, type: {}, anyOf: {}, allOf: "no" }],
  ];
  for (const [name, schema] of lenient) {
    test(`where the schema has ${name}`, () => expect(problems(schema, { x: null })).toEqual([]));
  }

  test("where there is no schema", () => {
    expect(argumentProblems({ name: "t" }, { x: 1 })).toEqual([]);
  });
});

test("a schema that unfolds without end is given up on", () => {
  const self = { $ref: "#/$defs/S" };
  const schema = {
    $defs: { S: { anyOf: Array.from({ length: 50 }, () => ({ properties: { x: self } })) } },
    ...self,
  };
  const deep = { x: { x: { x: { x: { x: { x: { x: { x: 1 } } } } } } } };
  const startedMs = performance.now();
  expect(problems(schema, deep)).toEqual([]);
  expect(performance.now() - startedMs).toBeLessThan(20_000);
});

describe("a name that the schema does not know", () => {
  const properties = { branchName: {}, newBranchName: {}, path: {}, all: {} };
  test.each([
    ["branch_name", ['unknown "branch_name" (did you mean "branchName"?)']],
    ["branch", ['unknown "branch" (did you mean "branchName"?)']],
    ["Path", ['unknown "Path" (did you mean "path"?)']],
    ["colour", []],
    ["x", []],
  ])("is named with the nearest of all, also where others are allowed: %s", (name, problems) => {
    expect(argumentProblems({ name: "t", inputSchema: { properties } }, { [name]: 1 })).toEqual(problems);
  });
});
