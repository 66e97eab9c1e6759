// Why a tool was found where it was: the score of a hit taken apart again, for people who tune or doubt it.

import type { Corpus } from "./corpus.ts";
import { FIELD_NAMES, type Field, fieldsOf, type ToolFields, weightAt } from "./fields.ts";
import type { Concept, Query } from "./query.ts";
import { pointsOf, type Ranked, rank } from "./ranking.ts";
import type { ToolDoc } from "./tool.ts";
import type { How } from "./variants.ts";

export interface Explained {
  readonly server: string;
  readonly tool: ToolDoc;
  /** (words + server) × (1 + name) × (1 + phrase + action) × standing */
  readonly score: number;
  readonly parts: Readonly<Record<"words" | "server" | "name" | "phrase" | "action" | "standing", number>>;
  readonly words: readonly ExplainedWord[];
}

/** One word of the query. */
export interface ExplainedWord {
  readonly word: string;
  /** Below 1 where the word is rather an argument. */
  readonly weight: number;
  readonly rarity: number;
  readonly points: number;
  readonly matches: readonly ExplainedMatch[];
}

/** One word of the tool that was taken for it. */
export interface ExplainedMatch {
  readonly word: string;
  readonly how: How;
  readonly likeness: number;
  /** What it counts in each text, likeness included. */
  readonly fields: Readonly<Partial<Record<Field, number>>>;
}

export function explain(corpus: Corpus, query: Query, limit: number): Explained[] {
  return rank(corpus, query, limit).map((ranked) => explained(corpus, query, ranked));
}

function explained(corpus: Corpus, query: Query, ranked: Ranked): Explained {
  const { entry, score, words, server, name, phrase, action, standing } = ranked;
  // Its words are all known already.
  const fields = fieldsOf(entry.tool, corpus.vocabulary);
  return {
    server: entry.server.name,
    tool: entry.tool,
    score,
    parts: { words, server, name, phrase, action, standing },
    words: query.concepts.map((concept) => explainedWord(corpus, concept, fields)),
  };
}

function explainedWord(corpus: Corpus, concept: Concept, fields: ToolFields): ExplainedWord {
  const { word, weight, rarity, variants } = concept;
  const matches = variants.flatMap(({ id, how, likeness }) => {
    const counts = countsByField(id, likeness, fields);
    return Object.keys(counts).length === 0
      ? []
      : [{ word: corpus.vocabulary.wordOf(id), how, likeness, fields: counts }];
  });
  const count = matches.flatMap((match) => Object.values(match.fields)).reduce((sum, each) => sum + each, 0);
  return { word, weight, rarity, points: pointsOf(concept, count), matches };
}

function countsByField(word: number, likeness: number, fields: ToolFields): Partial<Record<Field, number>> {
  const counts: Partial<Record<Field, number>> = {};
  for (const field of FIELD_NAMES) {
    const text = fields[field];
    const count = text.words.reduce((sum, each, i) => (each === word ? sum + weightAt(text, i) : sum), 0);
    if (count > 0) counts[field] = likeness * count;
  }
  return counts;
}
