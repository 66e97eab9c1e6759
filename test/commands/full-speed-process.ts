// Says which of the named globals the engine knows by their values, before and after a gateway goes to full speed. A
// process of its own, as whatever else runs here uses globals, too.

import { runAtFullSpeed } from "../../src/commands/full-speed.ts";

const NAMES = process.argv.slice(2);
/** Numbers for each node and each edge of a snapshot. */
const NODE_SIZE = 4;
const EDGE_SIZE = 4;

function used(): string[] {
  const { nodes, nodeClassNames, edges, edgeTypes, edgeNames } = Bun.generateHeapSnapshot();
  const globals = new Set<number>();
  for (let at = 0; at < nodes.length; at += NODE_SIZE) {
    if (nodeClassNames[nodes[at + 2] ?? -1] === "GlobalObject") globals.add(nodes[at] ?? -1);
  }
  const found = new Set<string>();
  for (let at = 0; at < edges.length; at += EDGE_SIZE) {
    const isProperty = edgeTypes[edges[at + 2] ?? -1] === "Property";
    if (isProperty && globals.has(edges[at] ?? -1)) found.add(edgeNames[edges[at + 3] ?? -1] ?? "");
  }
  return NAMES.filter((name) => found.has(name));
}

const before = used();
runAtFullSpeed();
console.log(JSON.stringify({ before, after: used() }));
