// One line per tool: how every kind of schema is written, and what is left out where there is no room.

import { describe, expect, test } from "bun:test";
import { deprecationOf } from "../../src/discovery/deprecation.ts";
import { SearchIndex, type ToolDoc } from "../../src/discovery/search.ts";
import {
  aboutTool,
  answerLine,
  argumentProblems,
  askedIn,
  isCut,
  signature,
} from "../../src/discovery/signature.ts";

function written(inputSchema: Record<string, unknown>, rest: Partial<ToolDoc> = {}): string {
  return signature("s", { name: "t", inputSchema, ...rest });
}

/** The type of one required argument. */
function typeOf(schema: unknown, defs: Record<string, unknown> = {}): string {
  const text = written({ properties: { a: schema }, required: ["a"], ...defs });
  expect(text).toStartWith("s.t(a: ");
  expect(text).toEndWith(")");
  return text.slice("s.t(a: ".length, -1);
}

describe("a type", () => {
  const cases: [schema: unknown, type: string][] = [
    [{ type: "string" }, "string"],
    [{ type: "integer" }, "int"],
    [{ type: "number" }, "number"],
    [{ type: "boolean" }, "boolean"],
    [{ type: "null" }, "null"],
    [{ type: "object" }, "object"],
    [{ type: "array" }, "any[]"],
    [{ type: "array", items: { type: "string" } }, "string[]"],
    [{ type: "array", items: { type: "array", items: { type: "integer" } } }, "int[][]"],
    [{ type: "array", items: { enum: ["a", "b"] } }, '("a"|"b")[]'],
    [{ type: "array", prefixItems: [{ type: "string" }, { type: "number" }] }, "[string, number]"],
    [{ items: { type: "string" } }, "string[]"],
    [{ enum: ["a", "b"] }, '"a"|"b"'],
    [{ type: "string", enum: ["a", 1, null, true] }, '"a"|1|null|true'],
    [{ const: "only" }, '"only"'],
    [{ type: ["string", "null"] }, "string|null"],
    [{ anyOf: [{ type: "string" }, { type: "integer" }, { type: "string" }] }, "string|int"],
    [{ oneOf: [{ const: "x" }, { const: "y" }] }, '"x"|"y"'],
    [{ type: "object", properties: { b: { type: "string" } } }, "{b?: string}"],
    [{ properties: { b: { type: "integer" } }, required: ["b"] }, "{b: int}"],
    [{ type: "object", additionalProperties: { type: "number" } }, "{[key]: number}"],
    [{ allOf: [{ properties: { b: {} }, required: ["b"] }, { properties: { c: {} } }] }, "{b: any, c?: any}"],
    [{}, "any"],
    [true, "any"],
    [false, "never"],
    [null, "any"],
    ["nonsense", "any"],
    [{ type: 7, enum: "no list", properties: [] }, "object"],
    [{ $ref: "https://example.com/schema.json" }, "…"],
    [{ $ref: "#/$defs/nowhere" }, "…"],
  ];
  for (const [schema, type] of cases) test(JSON.stringify(schema), () => expect(typeOf(schema)).toBe(type));

  test("follows references within the schema", () => {
    const point = { type: "object", properties: { x: { type: "number" } }, required: ["x"] };
    expect(typeOf({ $ref: "#/$defs/Point" }, { $defs: { Point: point } })).toBe("{x: number}");
    expect(typeOf({ $ref: "#/definitions/a~1b" }, { definitions: { "a/b": { type: "string" } } })).toBe(
      "string",
    );
    const chain = { A: { $ref: "#/$defs/B" }, B: { type: "boolean" } };
    expect(typeOf({ $ref: "#/$defs/A" }, { $defs: chain })).toBe("boolean");
  });

  test("names what contains itself, and stops there", () => {
    const node = { type: "object", properties: { next: { $ref: "#/$defs/Node" } } };
    expect(typeOf({ $ref: "#/$defs/Node" }, { $defs: { Node: node } })).toBe("{next?: Node…}");
    const loop = { A: { $ref: "#/$defs/B" }, B: { $ref: "#/$defs/A" } };
    expect(typeOf({ $ref: "#/$defs/A" }, { $defs: loop })).toBe("…");
  });

  test("gives a few of many choices, and says that there are more", () => {
    const many = Array.from({ length: 40 }, (_, i) => `choice ${i}`);
    expect(typeOf({ enum: many })).toBe('"choice 0"|"choice 1"|"choice 2"|"choice 3"|…');
  });

  test("does not go deeper than helps", () => {
    const nested = (depth: number): object =>
      depth === 0
        ? { type: "string" }
        : { type: "object", properties: { in: nested(depth - 1) }, required: ["in"] };
    expect(typeOf(nested(6))).toBe("{in: {in: {in: {…}}}}");
  });

  test("stays small where a small schema unfolds into a vast one", () => {
    const defs = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => {
        const next = { $ref: `#/$defs/L${i + 1}` };
        return [`L${i}`, { anyOf: Array.from({ length: 12 }, () => ({ items: next })) }];
      }),
    );
    const text = typeOf({ $ref: "#/$defs/L0" }, { $defs: { ...defs, L30: { type: "string" } } });
    expect(text.length).toBeLessThan(700);
  });
});

describe("arguments", () => {
  test("have the required ones first, the others with a question mark and their default", () => {
    const text = written({
      properties: {
        limit: { type: "integer", default: 10 },
        path: { type: "string" },
        kind: { enum: ["a", "b"], default: "a" },
        deep: { type: "boolean", default: false },
        maybe: { anyOf: [{ type: "string" }, { type: "null" }], default: null },
        tags: { type: "array", items: { type: "string" }, default: [] },
      },
      required: ["path"],
    });
    expect(text).toBe(
      's.t(path: string, limit?: int = 10, kind?: "a"|"b" = "a", deep?: boolean = false, maybe?: string, tags?: string[] = [])',
    );
  });

  test("are none where the tool takes none, and a mark where nobody can know", () => {
    expect(signature("s", { name: "t" })).toBe("s.t()");
    expect(written({ type: "object", properties: {} })).toBe("s.t()");
    expect(signature(undefined, { name: "t" })).toBe("t()");
    const odd: unknown = { name: "t", inputSchema: "string" };
    expect(signature("s", odd as ToolDoc)).toBe("s.t(…)");
  });

  test("of alternatives at the top are all there, as optional ones", () => {
    const text = written({
      type: "object",
      properties: { id: { type: "integer" } },
      required: ["id"],
      anyOf: [{ properties: { url: { type: "string" } }, required: ["url"] }, { properties: { path: {} } }],
    });
    expect(text).toBe("s.t(id: int, url?: string, path?: any)");
  });

  test("with other characters in their names are quoted, and nothing breaks the line", () => {
    const text = written({ properties: { "a b": {}, "c\nd": {}, "resource-group": {}, $top: {} } });
    expect(text).toBe('s.t("a b"?: any, "c d"?: any, resource-group?: any, $top?: any)');
    expect(signature("my\nserver", { name: "t\r\nx" })).toBe("my server.t x()");
  });

  test("that there is no room for give way to those that the description speaks of", () => {
    const names = [
      "tenant",
      "auth-method",
      "retry-delay",
      "retry-mode",
      "retry-max",
      "timeout",
      "trace",
      "proxy",
    ];
    const properties = Object.fromEntries(
      [...names, "label-filter"].map((name) => [name, { type: "string" }]),
    );
    const text = written({ properties }, { description: "Lists keys, by a label or a filter of labels" });
    expect(text).toContain("label-filter?: string");
    expect(text).toEndWith(", … 6 more)");
    expect(text).not.toContain("proxy");
    expect(text.length).toBeLessThan(120);
  });

  test("that must be given are all there, in less detail if they are many", () => {
    const item = {
      type: "object",
      properties: Object.fromEntries(
        Array.from({ length: 12 }, (_, i) => [`property_number_${i}`, { enum: ["one", "two", "three"] }]),
      ),
    };
    const text = written({
      properties: { first: { type: "array", items: item }, second: item, third: { type: "string" } },
      required: ["first", "second", "third"],
    });
    expect(text).toBe("s.t(first: {…}[], second: {…}, third: string)");
  });

  test("never make a line without end", () => {
    const properties = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`a_rather_long_name_${i}`, { type: "string" }]),
    );
    expect(written({ properties, required: Object.keys(properties) }).length).toBeLessThan(700);
    expect(signature("s".repeat(999), { name: "t".repeat(999) }).length).toBeLessThan(200);
  });
});

describe("a whole answer line", () => {
  test("has the signature, then the first sentence", () => {
    const read: ToolDoc = {
      name: "read",
      description: "Reads a file. Only text files.",
      inputSchema: { properties: { path: { type: "string" } }, required: ["path"] },
    };
    expect(answerLine({ server: "files", tool: read })).toBe("files.read(path: string) — Reads a file");
  });

  test("has the signature alone where nothing is described", () => {
    expect(answerLine({ server: "files", tool: { name: "read", description: " \n" } })).toBe("files.read()");
  });
});

describe("what decides about a call is shown before what does not:", () => {
  // The parameters of git_branch of a well-known server, in its order.
  const branch = {
    name: "git_branch",
    description: "List, create, delete, rename, or show branches.",
    inputSchema: {
      type: "object",
      properties: {
        path: { type: "string", default: "." },
        all: { type: "boolean", default: false },
        limit: { type: "integer", default: 100 },
        pattern: { type: "string", description: "A pattern that the names have to fit" },
        verbose: { type: "boolean", default: false },
        mode: {
          type: "string",
          enum: ["list", "create", "delete", "rename", "show-current"],
          default: "list",
        },
        branchName: { type: "string" },
        newBranchName: { type: "string" },
        force: { type: "boolean" },
        merged: { type: "string" },
        noMerged: { type: "string" },
      },
    },
  };

  test("a choice, and what the query speaks of; how much is left out is said", () => {
    const line = answerLine({ server: "git", tool: branch }, askedIn("create a branch"));
    expect(line).toContain('mode?: "list"|"create"|"delete"|"rename"|"show-current" = "list"');
    expect(line).toContain("branchName?: string");
    expect(line).toMatch(/… \d+ more\)/);
    expect(isCut(line)).toBe(true);
    const shown = (line.match(/\?:/g) ?? []).length;
    expect(line).toContain(`… ${11 - shown} more)`);
  });

  test("what fits is shown in its order, and nothing is said to be left out", () => {
    const few = { ...branch, inputSchema: { properties: { path: {}, mode: { enum: ["a"] } } } };
    expect(answerLine({ server: "git", tool: few })).toStartWith('git.git_branch(path?: any, mode?: "a")');
  });

  test("a default wins over required, at any depth", () => {
    const inputSchema = {
      required: ["a", "b", "c"],
      properties: {
        a: { type: "string" },
        b: { type: "string", default: "x" },
        c: { $ref: "#/$defs/C" },
      },
      $defs: {
        C: {
          type: "object",
          default: {},
          required: ["d"],
          properties: { d: { type: "boolean", default: true } },
        },
      },
    };
    expect(signature("s", { name: "t", inputSchema })).toBe(
      's.t(a: string, b?: string = "x", c?: {d?: boolean = true} = {})',
    );
    expect(argumentProblems({ name: "t", inputSchema }, {})).toEqual(['missing required "a"']);
  });
});

describe("that a tool is deprecated is", () => {
  test.each([
    [
      "Read a file as text. DEPRECATED: Use read_text_file instead.",
      "DEPRECATED (Use read_text_file instead): Read a file as text",
    ],
    ["DEPRECATED: use read_text_file. Reads a file.", "DEPRECATED: use read_text_file"],
    ["[Deprecated] Reads a file.", "[Deprecated] Reads a file"],
    ["Reads a file. This tool is deprecated and will be removed.", "DEPRECATED: Reads a file"],
    [
      "Reads a file.\n\n**Deprecated** since 2.0, use `read` instead.",
      "DEPRECATED (since 2.0, use `read` instead): Reads a file",
    ],
  ])("shown: %s", (description, about) => {
    expect(aboutTool({ name: "t", description })).toBe(about);
  });

  test.each([
    ["Check if packages are deprecated", "npm_deprecated_check"],
    ["Lists deprecated APIs and what to use instead.", "list"],
    ["Marks a release as deprecated.", "mark"],
  ])("not taken from what it is about: %s", (description, name) => {
    expect(deprecationOf({ name: `${name}s`, description })).toBeUndefined();
  });

  test("seen by search: what is not deprecated comes first", () => {
    const index = new SearchIndex();
    index.update({
      name: "files",
      tools: [
        {
          name: "read_file",
          description:
            "Read the complete contents of a file as text. DEPRECATED: Use read_text_file instead.",
        },
        {
          name: "read_text_file",
          description: "Read the complete contents of a file from the file system as text.",
        },
      ],
    });
    expect(index.search("read a file", 2).map(({ tool }) => tool.name)).toEqual([
      "read_text_file",
      "read_file",
    ]);
  });
});
