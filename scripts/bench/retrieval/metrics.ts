// What a ranking is worth, query by query and kind by kind. Ranks beyond the tenth count as not found.

import type { Query } from "./data-set.ts";

export interface Found {
  readonly server: string;
  readonly tool: string;
}

export const FIGURES = ["recall@1", "recall@5", "recall@10", "MRR", "nDCG@10"] as const;
export type Figure = (typeof FIGURES)[number];
export type Scores = Readonly<Record<Figure, number>>;

const DEPTH = 10;

export function scoresOf(query: Query, found: readonly Found[]): Scores {
  const ranks = new Map<string, number>();
  for (const [i, hit] of found.slice(0, DEPTH).entries())
    if (!ranks.has(key(hit))) ranks.set(key(hit), i + 1);
  const rankOf = (right: Found) => ranks.get(key(right)) ?? Number.POSITIVE_INFINITY;
  return {
    "recall@1": recall(query, rankOf, 1),
    "recall@5": recall(query, rankOf, 5),
    "recall@10": recall(query, rankOf, DEPTH),
    // Of the first right answer, whichever it is.
    MRR: 1 / Math.min(...query.gold.map(rankOf)),
    "nDCG@10": gainOf(query, rankOf),
  };
}

type RankOf = (right: Found) => number;

/** In mode `any` found or not; in `all` the share of needs served; in `graded` the share of right answers. */
function recall({ mode, gold }: Query, rankOf: RankOf, most: number): number {
  const isFound = (right: Found) => rankOf(right) <= most;
  if (mode === "any") return gold.some(isFound) ? 1 : 0;
  if (mode === "graded") return gold.filter(isFound).length / gold.length;
  const slots = Map.groupBy(gold, ({ slot }) => slot);
  return [...slots.values()].filter((alternatives) => alternatives.some(isFound)).length / slots.size;
}

/** Discounted gain over the best possible; alternatives for one need gain once, by the first of them. */
function gainOf({ mode, gold }: Query, rankOf: RankOf): number {
  const needs =
    mode === "graded" ? gold.map((right) => [right]) : [...Map.groupBy(gold, ({ slot }) => slot).values()];
  const gains = needs.map((alternatives) => 2 ** (alternatives[0]?.rel ?? 1) - 1);
  const ideal = [...gains].sort((a, b) => b - a).slice(0, DEPTH);
  const gained = needs.map((alternatives, i) =>
    discounted(gains[i] ?? 0, Math.min(...alternatives.map(rankOf))),
  );
  return sum(gained) / sum(ideal.map((gain, i) => discounted(gain, i + 1)));
}

function discounted(gain: number, rank: number): number {
  return gain / Math.log2(rank + 1);
}

export class KindScores {
  readonly #byKind = new Map<string, Scores[]>();

  add(kind: string, scores: Scores): void {
    const all = this.#byKind.get(kind) ?? [];
    all.push(scores);
    this.#byKind.set(kind, all);
  }

  get kinds(): string[] {
    return [...this.#byKind.keys()].sort();
  }

  of(kind: string): Scores {
    return meanScores(this.#byKind.get(kind) ?? []);
  }

  /** Every kind counts the same, however many its queries are. */
  mean(): Scores {
    return meanScores(this.kinds.map((kind) => this.of(kind)));
  }
}

function meanScores(all: readonly Scores[]): Scores {
  const mean = (figure: Figure) => sum(all.map((scores) => scores[figure])) / all.length;
  return {
    "recall@1": mean("recall@1"),
    "recall@5": mean("recall@5"),
    "recall@10": mean("recall@10"),
    MRR: mean("MRR"),
    "nDCG@10": mean("nDCG@10"),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function key({ server, tool }: Found): string {
  return JSON.stringify([server, tool]);
}
