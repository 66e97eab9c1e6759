// What a client or a server sends is computed with: however large it is, the work has a bound. Reads of a schema are
// counted, so that the machine's speed does not matter.

import { describe, expect, test } from "bun:test";
import { SearchIndex } from "../../src/discovery/search.ts";
import { answerLine, argumentProblems, signature } from "../../src/discovery/signature.ts";
import type { Json } from "../../src/protocol/jsonrpc.ts";

const N = 20_000;
/** Reading the largest of these schemas some times over, and not its product with itself. */
const MOST_READS = 60 * N;

/** The value, and how many members of it have been read. */
function counted<T extends object>(value: T): { readonly value: T; reads(): number } {
  let reads = 0;
  const wrap = <V>(inner: V): V => {
    if (typeof inner !== "object" || inner === null) return inner;
    return new Proxy(inner, {
      get: (target, key) => {
        reads += 1;
        return wrap(Reflect.get(target, key));
      },
    });
  };
  return { value: wrap(value), reads: () => reads };
}

function many(count: number, of: (i: number) => unknown): Json {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, of(i)]));
}

const LARGE = { type: "object", properties: many(N, () => ({ type: "string" })) };
const NAMES = Object.keys(LARGE.properties);
const REFERENCES = many(400, () => ({ $ref: "#/$defs/Large" }));

const SCHEMAS: Record<string, Json> = {
  "many optional parameters": LARGE,
  "many required parameters": { ...LARGE, required: NAMES },
  "many references to one large object": { $defs: { Large: LARGE }, properties: REFERENCES },
  "many parts that are one large object": {
    $defs: { Large: LARGE, All: { allOf: Array.from({ length: N }, () => ({ $ref: "#/$defs/Large" })) } },
    properties: many(400, () => ({ $ref: "#/$defs/All" })),
  },
  "many alternatives of many parts": {
    $defs: {
      Any: { anyOf: Array.from({ length: N }, () => ({ $ref: "#/$defs/All" })) },
      All: { allOf: Array.from({ length: N }, () => ({ properties: { a: {} } })) },
    },
    properties: many(50, () => ({ $ref: "#/$defs/Any" })),
  },
  "a long enumeration": { properties: many(200, () => ({ enum: NAMES })) },
  "many types": { properties: many(200, () => ({ type: NAMES })) },
  "a circle that fans out": {
    $defs: { A: { type: "object", properties: many(50, () => ({ $ref: "#/$defs/A" })) } },
    properties: many(50, () => ({ $ref: "#/$defs/A" })),
  },
  "long references": { properties: many(400, () => ({ $ref: `#${"/properties/p0".repeat(N)}` })) },
  "large defaults": { properties: many(200, () => ({ default: LARGE })) },
};

describe.each(Object.entries(SCHEMAS))("a schema with %s", (_what, schema) => {
  test("is written in a bounded number of steps and characters", () => {
    const { value, reads } = counted(schema);
    expect(signature("s", { name: "t", inputSchema: value }).length).toBeLessThan(800);
    expect(reads()).toBeLessThan(MOST_READS);
  });

  test("is compared with arguments in a bounded number of steps", () => {
    const { value, reads } = counted({ ...schema, additionalProperties: false });
    const args = {
      ...many(2_000, () => [[[]]]),
      ...Object.fromEntries(NAMES.map((name) => [`${name}x`, 1])),
    };
    expect(argumentProblems({ name: "t", inputSchema: value }, args).length).toBeLessThanOrEqual(5);
    expect(reads()).toBeLessThan(MOST_READS);
  });
});

describe("texts of megabytes", () => {
  const long = "long name ".repeat(500_000);
  const index = new SearchIndex();
  const tools = Array.from({ length: 500 }, (_, i) => ({
    name: `tool_${i}_${"x".repeat(500)}`,
    description: long,
  }));
  index.update({ name: "server", tools: [...tools, { name: "read_file", description: "Read a file." }] });

  test.each(["a", "read ", "<", "'a", "漢字", "a\u0301", "/x/", "https://"])(
    "a query of %p is answered",
    (piece) => {
      expect(index.search(piece.repeat(2_000_000), 5).length).toBeLessThanOrEqual(5);
      expect(
        index.search(`read a file ${piece.repeat(2_000_000)}`, 600).map(({ tool }) => tool.name),
      ).toContain("read_file");
    },
  );

  test("a name is compared as far as names go", () => {
    expect(index.nearest("server", `read_fil${"e".repeat(3)}`, 1)[0]?.tool.name).toBe("read_file");
    expect(index.nearest(long, long, 3).length).toBeLessThanOrEqual(3);
  });

  test("names, types, values and descriptions are cut", () => {
    const inputSchema = {
      properties: { [long]: { type: long, default: long }, b: { const: long }, c: { enum: [long] } },
    };
    const line = answerLine({ server: long, tool: { name: long, description: long, inputSchema } });
    expect(line.length).toBeLessThan(1_200);
  });
});
