// Whatever JSON a server sends and whatever is asked: answers in bounds, nothing thrown, nothing left behind.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { SearchIndex, type ServerDoc, type ToolDoc } from "../../src/discovery/search.ts";
import { answerLine, argumentProblems, signature } from "../../src/discovery/signature.ts";
import { ALL, indexOf } from "./catalogues.ts";

const TIMEOUT_MS = 30_000;

/** Keys that mean something in a schema, so that the values get past the first look. */
const key = fc.oneof(
  fc.constantFrom(
    "type",
    "properties",
    "items",
    "enum",
    "const",
    "required",
    "anyOf",
    "oneOf",
    "allOf",
    "$ref",
  ),
  fc.constantFrom(
    "$defs",
    "additionalProperties",
    "prefixItems",
    "default",
    "description",
    "title",
    "__proto__",
    "a",
  ),
  fc.string({ unit: "grapheme", maxLength: 8 }),
);
const word = fc.oneof(
  fc.constantFrom(
    "string",
    "object",
    "array",
    "#/$defs/a",
    "#",
    "#/properties/a",
    "#/%",
    "a",
    "#/$defs/a/items",
  ),
  fc.constantFrom(
    "read file",
    "getUserIDs",
    "搜索 网页",
    "ＦＵＬＬ",
    "PDFs",
    "the of",
    "🙂 e\u0301",
    "\ud800",
    "\u0000",
  ),
  fc.string({ unit: "binary", maxLength: 40 }),
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    word,
    fc.constantFrom(null, true, false, 0, 1.5, -1e300),
    fc.array(tie("json"), { maxLength: 5 }),
    fc.dictionary(key, tie("json"), { maxKeys: 6 }),
  ),
}));

/** What passes for a tool, its fields of any shape. */
const tool = fc
  .record(
    { name: word, title: json, description: json, inputSchema: json, outputSchema: json, annotations: json },
    { requiredKeys: ["name"] },
  )
  .map((value: unknown) => value as ToolDoc);
const server = fc.record({ name: word, tools: fc.array(tool, { maxLength: 6 }) });
const query = fc.oneof(
  word,
  fc.array(word, { maxLength: 30 }).map((words) => words.join(" ")),
);

test(
  "a signature is one line of bounded length",
  () => {
    fc.assert(
      fc.property(tool, word, (some, name) => {
        for (const text of [signature(name, some), answerLine({ server: name, tool: some })]) {
          expect(text).not.toMatch(/[\r\n]/);
          expect(text.length).toBeLessThan(1_100);
        }
      }),
      { numRuns: 500 },
    );
  },
  TIMEOUT_MS,
);

test(
  "arguments are judged without a throw, the same each time",
  () => {
    fc.assert(
      fc.property(tool, fc.dictionary(key, json), (some, args) => {
        const problems = argumentProblems(some, args);
        expect(problems.length).toBeLessThanOrEqual(5);
        expect(argumentProblems(some, args)).toEqual(problems);
      }),
      { numRuns: 500 },
    );
  },
  TIMEOUT_MS,
);

test(
  "search gives hits in order, of tools that are there, no matter what was there before",
  () => {
    fc.assert(
      fc.property(fc.array(server, { maxLength: 5 }), query, fc.nat(8), (servers, asked, limit) => {
        const index = indexOf(ALL);
        for (const some of servers) index.update(some);
        const hits = index.search(asked, limit);
        expect(hits.length).toBeLessThanOrEqual(limit);
        const scores = hits.map(({ score }) => score);
        expect(scores).toEqual(scores.toSorted((a, b) => b - a));
        expect(scores.every(Number.isFinite)).toBe(true);
        const current = new Map<string, ServerDoc>([...ALL, ...servers].map((some) => [some.name, some]));
        for (const hit of hits) expect(current.get(hit.server)?.tools).toContain(hit.tool);
        const afresh = indexOf([...current.values()].reverse());
        expect(afresh.search(asked, limit)).toEqual(hits);
        expect(index.explain(asked, limit).map(({ score }) => score)).toEqual(scores);
        expect(index.nearest(undefined, asked, limit).length).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 150 },
    );
  },
  TIMEOUT_MS,
);

test(
  "what was indexed and removed leaves nothing",
  () => {
    fc.assert(
      fc.property(fc.array(server, { maxLength: 4 }), query, (servers, asked) => {
        const index = new SearchIndex();
        for (const some of servers) index.update(some);
        for (const some of servers) index.remove(some.name);
        expect(index.search(asked, 10)).toEqual([]);
        for (const some of ALL) index.update(some);
        expect(index.search("read file", 10)).toEqual(indexOf(ALL).search("read file", 10));
      }),
      { numRuns: 100 },
    );
  },
  TIMEOUT_MS,
);
