// How long the index takes to build, to take a changed server and to answer, and what memory it holds.

import { heapStats } from "bun:jsc";
import { SearchIndex, type ServerDoc } from "../../../src/discovery/search.ts";
import { type Latencies, median, summarize } from "../statistics.ts";

export interface Speed {
  readonly servers: number;
  readonly tools: number;
  readonly buildMs: number;
  readonly searchMs: Latencies;
  readonly updateMs: number;
  /** Live after a collection; the catalogue itself not counted. */
  readonly memoryMb: number;
}

const BUILDS = 3;
const WARM_UP = 200;

export function measureSpeed(servers: readonly ServerDoc[], queries: readonly string[]): Speed {
  const buildsMs = Array.from({ length: BUILDS }, () => timed(() => build(servers)));
  const before = liveBytes();
  const index = build(servers);
  const memoryMb = (liveBytes() - before) / 1e6;
  for (const query of queries.slice(0, WARM_UP)) index.search(query, 5);
  const searchesMs = queries.map((query) => timed(() => index.search(query, 5)));
  const updatesMs = servers.slice(0, 50).map((server) => timed(() => index.update(server)));
  return {
    servers: servers.length,
    tools: servers.reduce((sum, { tools }) => sum + tools.length, 0),
    buildMs: median(buildsMs),
    searchMs: summarize(searchesMs),
    updateMs: median(updatesMs),
    memoryMb,
  };
}

function build(servers: readonly ServerDoc[]): SearchIndex {
  const index = new SearchIndex();
  for (const server of servers) index.update(server);
  return index;
}

function timed(work: () => unknown): number {
  const startedMs = performance.now();
  work();
  return performance.now() - startedMs;
}

function liveBytes(): number {
  Bun.gc(true);
  const { heapSize, extraMemorySize } = heapStats();
  return heapSize + extraMemorySize;
}
