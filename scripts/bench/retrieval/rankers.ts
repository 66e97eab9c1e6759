// Search as it ships, and the two that it is held against: substrings, as the gateway's first version had, and BM25.

import { SearchIndex, type ServerDoc, type ToolDoc } from "../../../src/discovery/search.ts";
import { isObject } from "../../../src/protocol/jsonrpc.ts";
import type { Found } from "./metrics.ts";

export type Search = (query: string, limit: number) => readonly Found[];
export type Ranker = (servers: readonly ServerDoc[]) => Search;

export const RANKERS: Readonly<Record<"substring" | "BM25" | "mcp-gateway", Ranker>> = {
  substring,
  BM25: bm25,
  "mcp-gateway": shipped,
};

function shipped(servers: readonly ServerDoc[]): Search {
  const index = new SearchIndex();
  for (const server of servers) index.update(server);
  return (query, limit) =>
    index.search(query, limit).map(({ server, tool }) => ({ server, tool: tool.name }));
}

interface Document extends Found {
  readonly text: string;
}

function documentsOf(
  servers: readonly ServerDoc[],
  textOf: (server: ServerDoc, tool: ToolDoc) => string,
): Document[] {
  return servers.flatMap((server) =>
    server.tools.map((tool) => ({ server: server.name, tool: tool.name, text: textOf(server, tool) })),
  );
}

function substring(servers: readonly ServerDoc[]): Search {
  const documents = documentsOf(servers, (_, tool) =>
    `${tool.name}\n${tool.description ?? ""}`.toLowerCase(),
  );
  return (query, limit) => documents.filter(({ text }) => text.includes(query.toLowerCase())).slice(0, limit);
}

/** Plain BM25 over server, name, description and parameter names, names split, nothing stemmed. */
function bm25(servers: readonly ServerDoc[]): Search {
  const saturation = 1.2;
  const dilution = 0.75;
  const documents = documentsOf(servers, (server, tool) => {
    const properties = tool.inputSchema?.properties;
    const parameters = isObject(properties) ? Object.keys(properties).join(" ") : "";
    return `${server.name} ${tool.name} ${tool.description ?? ""} ${parameters}`;
  });
  const counts = documents.map(({ text }) => countWords(text));
  const lengths = counts.map((words) => [...words.values()].reduce((sum, count) => sum + count, 0));
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
  const having = new Map<string, number>();
  for (const words of counts) for (const word of words.keys()) having.set(word, (having.get(word) ?? 0) + 1);
  const worthOf = (word: string, i: number) => {
    const count = counts[i]?.get(word) ?? 0;
    const n = having.get(word) ?? 0;
    const norm = saturation * (1 - dilution + (dilution * (lengths[i] ?? 0)) / meanLength);
    return (Math.log(1 + (counts.length - n + 0.5) / (n + 0.5)) * count * (saturation + 1)) / (count + norm);
  };
  return (query, limit) => {
    const words = [...countWords(query)];
    const scoreOf = (i: number) => words.reduce((sum, [word, count]) => sum + count * worthOf(word, i), 0);
    return documents
      .map((document, i) => ({ document, score: scoreOf(i) }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, limit)
      .map(({ document }) => document);
  };
}

function countWords(text: string): Map<string, number> {
  const split = text.replace(/(\p{Ll}|\d)(\p{Lu})/gu, "$1 $2").toLowerCase();
  const counts = new Map<string, number>();
  for (const word of split.match(/[\p{L}\p{N}]+/gu) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
