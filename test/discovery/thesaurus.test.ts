// The tables of synonyms as the program reads them.

import { expect, test } from "bun:test";
import { pairKey, related } from "../../src/discovery/thesaurus.ts";
import { stem } from "../../src/discovery/words.ts";

test("a synonym counts more than a neighbour, and a neighbour's neighbour least", () => {
  const delete_ = related("delet");
  expect(delete_.get(stem("remove"))).toBe(0.5);
  expect(delete_.get(stem("clear"))).toBe(0.25);
  expect(related(stem("clear")).get(stem("purge"))).toBe(0.15);
});

test("pairs of words have an entry of their own", () => {
  expect(related(pairKey("pull", "request")).get("pr")).toBe(0.5);
  expect([...related("pr").keys()]).toContain(pairKey("pull", "request"));
});

test("relations go both ways, and no word is its own synonym", () => {
  for (const word of ["folder", "email", "chart", "repo", "price"].map(stem)) {
    expect(related(word).size).toBeGreaterThan(0);
    expect(related(word).has(word)).toBe(false);
    for (const [other, weight] of related(word)) expect(related(other).get(word)).toBe(weight);
  }
});

test("an unknown word has none", () => {
  expect(related("xyzzy").size).toBe(0);
});
