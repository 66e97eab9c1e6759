// What the corpus keeps of servers that come and go: nothing of those that are gone.

import { expect, test } from "bun:test";
import { Corpus } from "../../src/discovery/corpus.ts";
import { ALL, FILES, tool } from "./catalogues.ts";

test("counts its tools and servers", () => {
  const corpus = new Corpus();
  for (const server of ALL) corpus.add(server);
  expect([corpus.serverCount, corpus.toolCount]).toEqual([4, 13]);
  corpus.add({ name: "files", tools: [tool("one", "The only one")] });
  expect([corpus.serverCount, corpus.toolCount]).toEqual([4, 9]);
  corpus.remove("files");
  expect([corpus.serverCount, corpus.toolCount]).toEqual([3, 8]);
});

test("takes no more room for a server that changes a thousand times", () => {
  const corpus = new Corpus();
  for (let i = 0; i < 1_000; i++) {
    corpus.add({
      ...FILES,
      tools: [tool(`tool_${i}`, `Does something with word${"abcdefghij"[i % 10]}${i}`)],
    });
  }
  expect(corpus.slotCount).toBe(1);
  expect(corpus.serverSlotCount).toBe(1);
  expect(corpus.vocabulary.add("the next word")).toBeLessThan(30);
});

test("forgets a word with the last text that has it", () => {
  const corpus = new Corpus();
  corpus.add({ name: "a", tools: [tool("shared", "Only here: zebra")] });
  corpus.add({ name: "b", tools: [tool("shared", "Another")] });
  corpus.remove("a");
  expect(corpus.vocabulary.idOf("zebra")).toBeUndefined();
  const shared = corpus.vocabulary.idOf("shared");
  expect(shared).toBeDefined();
  expect(corpus.tools.count(shared ?? -1)).toBe(1);
});

test("never gives the number of a stop word to another word, which would then stand in its place", () => {
  const corpus = new Corpus();
  corpus.add({ name: "text", tools: [tool("read", "Read the contents")] });
  corpus.add({ name: "name", tools: [tool("the", "")] });
  const the = corpus.vocabulary.idOf("the");
  corpus.remove("name");
  corpus.add({ name: "new", tools: [tool("zebra", "")] });
  expect(corpus.vocabulary.idOf("the")).toBe(the);
  expect(corpus.vocabulary.idOf("zebra")).not.toBe(the);
});
