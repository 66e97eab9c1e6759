// The sets of servers, queries and right answers that search is measured on, as they lie in a folder.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { ServerDoc } from "../../../src/discovery/search.ts";

const Gold = Type.Object({
  server: Type.String(),
  tool: Type.String(),
  /** In mode `all`: the need that this tool serves, beside others. */
  slot: Type.Optional(Type.Number()),
  /** In mode `graded`: 2 is better than 1. */
  rel: Type.Optional(Type.Number()),
});

const QueryShape = Type.Object({
  id: Type.String(),
  query: Type.String(),
  kind: Type.String(),
  mode: Type.Union([Type.Literal("any"), Type.Literal("all"), Type.Literal("graded")]),
  gold: Type.Array(Gold),
});

const Catalogue = Type.Object({
  servers: Type.Array(
    Type.Object({
      name: Type.String(),
      description: Type.Optional(Type.String()),
      tools: Type.Array(
        Type.Object({
          name: Type.String(),
          description: Type.Optional(Type.String()),
          inputSchema: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
        }),
      ),
    }),
  ),
});

export type Query = Static<typeof QueryShape>;

export interface DataSet {
  readonly name: string;
  readonly servers: readonly ServerDoc[];
  readonly queries: readonly Query[];
}

export const COMMITTED_SETS: string = join(import.meta.dir, "../../../test/data/discovery");

/** Every folder with a catalogue and queries, by name. */
export function readDataSets(folder: string = COMMITTED_SETS): DataSet[] {
  return readdirSync(folder)
    .sort()
    .filter((name) => existsSync(join(folder, name, "queries.json")))
    .map((name) => ({
      name,
      servers: Value.Parse(Catalogue, readJson(join(folder, name, "catalogue.json"))).servers,
      queries: Value.Parse(Type.Array(QueryShape), readJson(join(folder, name, "queries.json"))),
    }));
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}
