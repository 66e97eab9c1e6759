// Preloaded into a gateway: at every line of its stdin it says what a collection of new objects leaves although nobody can reach it. Only
// a full collection, which also makes the engine forget compiled code, comes to that.

import { edenGC, fullGC, heapStats } from "bun:jsc";

/** What there is of each for every call. */
const TYPES = ["Object", "Promise", "Function", "Array"];

process.stdin.on("data", () => {
  edenGC();
  const left = count();
  fullGC();
  process.stderr.write(`leavings ${left - count()}\n`);
});

function count(): number {
  const { objectTypeCounts } = heapStats();
  return TYPES.reduce((sum, type) => sum + (objectTypeCounts[type] ?? 0), 0);
}
