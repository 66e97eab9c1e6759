// Runs a ranker over whole sets: what it finds of each kind, and what its answers cost a model.

import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { SearchIndex } from "../../../src/discovery/search.ts";
import { answerLine, askedIn } from "../../../src/discovery/signature.ts";
import type { DataSet, Query } from "./data-set.ts";
import { KindScores, scoresOf } from "./metrics.ts";
import type { Ranker } from "./rankers.ts";

const DEPTH = 10;

export function evaluate(sets: readonly DataSet[], ranker: Ranker): KindScores {
  const scores = new KindScores();
  for (const { servers, queries } of sets) {
    const search = ranker(servers);
    for (const query of queries) scores.add(query.kind, scoresOf(query, search(query.query, DEPTH)));
  }
  return scores;
}

export interface Cost {
  readonly kind: string;
  /** Of an answer of five lines: signature and first sentence. */
  readonly tokens: number;
}

export function answerCosts(sets: readonly DataSet[], hits = 5): Cost[] {
  return sets.flatMap(({ servers, queries }) => {
    const index = new SearchIndex();
    for (const server of servers) index.update(server);
    const costOf = ({ kind, query }: Query) => ({
      kind,
      tokens: countTokens(
        index
          .search(query, hits)
          .map((hit) => answerLine(hit, askedIn(query)))
          .join("\n"),
      ),
    });
    return queries.map(costOf);
  });
}
