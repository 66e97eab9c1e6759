// Ordinary words for ordinary needs, over servers that many people have: what is found first, what must not be, and when
// nothing fits.

import { describe, expect, test } from "bun:test";
import { COMMITTED_SETS, readDataSets } from "../../scripts/bench/retrieval/data-set.ts";
import { SearchIndex, type ServerDoc } from "../../src/discovery/search.ts";
import { tool } from "./catalogues.ts";

const NOTION: ServerDoc = {
  name: "notion",
  tools: [
    tool("API-post-search", "Notion | Search by title", { query: {} }),
    tool("API-retrieve-a-page", "Notion | Retrieve a page", { page_id: {} }),
    tool("API-patch-page", "Notion | Update page properties", { page_id: {} }),
    tool("API-delete-a-block", "Notion | Delete a block", { block_id: {} }),
    tool("API-post-page", "Notion | Create a page", { parent: {} }),
  ],
};
const BRAVE: ServerDoc = {
  name: "brave",
  tools: [
    tool(
      "brave_web_search",
      "Performs a web search, ideal for general queries, news, articles, and online content",
      { query: {} },
    ),
    tool("brave_local_search", "Searches for local businesses and places", { query: {} }),
    tool("brave_news_search", "Searches for news articles, breaking news and current events", { query: {} }),
  ],
};
const TRASH: ServerDoc = {
  name: "trash",
  tools: [tool("delete_file", "Delete a file. This cannot be undone", { path: {} })],
};

function everyday(): SearchIndex {
  const sets = readDataSets(COMMITTED_SETS).flatMap(({ servers }) => servers);
  const known = new Map(sets.map((server) => [server.name, server]));
  const names = ["filesystem", "git", "memory", "fetch", "playwright", "time", "sqlite"];
  const index = new SearchIndex();
  for (const name of names) index.update(known.get(name) as ServerDoc);
  for (const server of [NOTION, BRAVE, TRASH]) index.update(server);
  return index;
}

const INDEX = everyday();

function first(query: string, count = 1): string[] {
  return INDEX.search(query, count).map(({ server, tool: hit }) => `${server}.${hit.name}`);
}

describe("found first:", () => {
  test.each([
    ["latest news", /^brave\.brave_news_search$/],
    ["go to example.com", /^playwright\.playwright_navigate$/],
    ["look up the population of Norway on the web", /^brave\.brave_web_search$/],
    ["recall", /^memory\.(open_nodes|search_nodes|read_graph)$/],
    ["forget something", /^memory\.delete_/],
    ["remember a fact", /^memory\.(add|create)_/],
    ["find my meeting notes page in notion", /^notion\.API-(retrieve-a-page|post-search)$/],
    ["delete a file", /^trash\.delete_file$/],
    ["lösche eine Datei", /^trash\.delete_file$/],
    ["lies eine Datei", /^filesystem\.read_/],
    ["lire un fichier", /^filesystem\.read_/],
    ["leer un archivo", /^filesystem\.read_/],
    ["busca en la web", /^brave\.brave_web_search$/],
    ["suche im Internet", /^brave\.brave_web_search$/],
  ])("%s", (query, expected) => {
    expect(first(query)[0]).toMatch(expected);
  });
});

describe("nothing that only deletes comes first for", () => {
  test.each([
    "remember a fact",
    "file",
    "a file please",
    "what is in this file",
    "observations",
    "relations",
    "entities",
  ])("%s", (query) => {
    expect(first(query)[0]).not.toMatch(/delete/);
  });
});

describe("whether anything fits is said rightly:", () => {
  test.each(["book a flight", "order a pizza", "play some music", "what is the weather", "play chess"])(
    "nothing for %s",
    (query) => {
      expect(INDEX.judgedSearch(query, 5).fits).toBe(false);
    },
  );

  test.each([
    "read a file",
    "commit my changes",
    "take a screenshot",
    "what time is it",
    "run SQL",
    "notion",
    "latest news",
  ])("something for %s", (query) => {
    expect(INDEX.judgedSearch(query, 5).fits).toBe(true);
  });
});
