// How well each tool answers a query: by its own words and its server's first; the best get a closer look.

import { CloserLook } from "./closer-look.ts";
import type { Corpus, Entry } from "./corpus.ts";
import type { Postings } from "./postings.ts";
import { type Concept, type Query, rarity } from "./query.ts";
import { Tally } from "./tally.ts";
import { Top } from "./top.ts";

/** A tool, and what its score is made of: (words + server) × (1 + name) × (1 + phrase + action) × standing. */
export interface Ranked {
  readonly entry: Entry;
  readonly score: number;
  readonly words: number;
  readonly server: number;
  readonly name: number;
  readonly phrase: number;
  readonly action: number;
  readonly standing: number;
}

/** A word that occurs again adds ever less: the k1 of BM25. */
const SATURATION = { tools: 1, servers: 1.2 };
/** The server that fits best adds to each of its tools this share of the best tool's score; the others less. */
const SERVER_SHARE = 0.4;
/** So near the best server, a tool is found even where its own texts say nothing of the query. */
const SURE_SERVER = 0.5;
/** A tool below this share of the query's weight does not fit well. */
const LEAST_FIT = 0.4;
const MOST_WORDS_JUDGED = 6;
/** So many of the best get the closer look. */
const FINALISTS = 60;

export function rank(corpus: Corpus, query: Query, limit: number): Ranked[] {
  if (query.concepts.length === 0 || !(limit >= 1)) return [];
  const words = toolEvidence(corpus, query.concepts);
  const { totals, least } = withServers(corpus, query.concepts, words, Math.max(FINALISTS, limit));
  const look = new CloserLook(corpus, query);
  const ranked: Ranked[] = [];
  for (let slot = 0; slot < totals.length; slot++) {
    const total = totals[slot] ?? 0;
    const entry = corpus.entry(slot);
    if (total === 0 || total < least || entry === undefined) continue;
    const own = words.scores[slot] ?? 0;
    const { name, phrase, action, standing } = look.at(entry);
    const score = total * (1 + name) * (1 + phrase + action) * standing;
    ranked.push({ entry, score, words: own, server: total - own, name, phrase, action, standing });
  }
  return ranked.sort(byScore).slice(0, limit);
}

/**
 * True if the tool's own words cover a fair share of the query, or if the query names a server. For a long query,
 * every hit fits, because no tool contains most of its words.
 */
export function fits(query: Query, ranked: readonly Ranked[]): boolean {
  if (query.concepts.length > MOST_WORDS_JUDGED) return ranked.length > 0;
  return ranked.some(
    ({ entry, words }) =>
      words >= LEAST_FIT * query.worth ||
      query.concepts.some(({ word }) => word === entry.server.name.toLowerCase()),
  );
}

/** What one word of the query adds to a tool in which it counts `count`. */
export function pointsOf({ weight, rarity: rare }: Concept, count: number): number {
  return weight * rare * saturated(count, SATURATION.tools);
}

function saturated(count: number, at: number): number {
  return (count * (at + 1)) / (count + at);
}

interface Evidence {
  /** By document. */
  readonly scores: Float64Array;
  readonly best: number;
}

function toolEvidence(corpus: Corpus, concepts: readonly Concept[]): Evidence {
  return evidence(concepts, corpus.tools, corpus.slotCount, pointsOf);
}

function serverEvidence(corpus: Corpus, concepts: readonly Concept[]): Evidence {
  const rarities = new Map(
    concepts.map((concept) => {
      const having = concept.variants.reduce(
        (sum, { id, likeness }) => sum + likeness * corpus.servers.count(id),
        0,
      );
      return [concept, rarity(having, corpus.serverCount)];
    }),
  );
  return evidence(
    concepts,
    corpus.servers,
    corpus.serverSlotCount,
    (concept, count) => concept.weight * (rarities.get(concept) ?? 0) * saturated(count, SATURATION.servers),
  );
}

function evidence(
  concepts: readonly Concept[],
  postings: Postings,
  documents: number,
  points: (concept: Concept, count: number) => number,
): Evidence {
  const scores = new Float64Array(documents);
  const counts = new Tally(documents);
  let best = 0;
  for (const concept of concepts) {
    countMatches(concept, postings, counts);
    counts.drain((document, count) => {
      const score = (scores[document] ?? 0) + points(concept, count);
      scores[document] = score;
      best = Math.max(best, score);
    });
  }
  return { scores, best };
}

/** Each tool's own score with what its server adds, and the least that is among the `most` highest. */
function withServers(
  corpus: Corpus,
  concepts: readonly Concept[],
  words: Evidence,
  most: number,
): { readonly totals: Float64Array; readonly least: number } {
  // With one server alone there is nothing to prefer.
  const servers = corpus.serverCount > 1 ? serverEvidence(corpus, concepts) : undefined;
  const share = SERVER_SHARE * (words.best || 1);
  const totals = new Float64Array(corpus.slotCount);
  const top = new Top(Math.min(most, corpus.slotCount));
  for (let slot = 0; slot < totals.length; slot++) {
    const entry = corpus.entry(slot);
    if (entry === undefined) continue;
    const own = words.scores[slot] ?? 0;
    const fit = servers === undefined ? 0 : (servers.scores[entry.server.slot] ?? 0) / (servers.best || 1);
    if (own === 0 && fit < SURE_SERVER) continue;
    const total = own + share * fit;
    totals[slot] = total;
    top.offer(total);
  }
  return { totals, least: top.least };
}

/** How often each document has the word or what may stand for it. */
function countMatches({ variants }: Concept, postings: Postings, counts: Tally): void {
  for (const { id, likeness } of variants) {
    const list = postings.of(id);
    for (let i = 0; i < list.length; i += 2) counts.add(list[i] ?? 0, likeness * (list[i + 1] ?? 0));
  }
}

/** Equal scores stand in the order of their names: the answer must not depend on which server came first. */
function byScore(a: Ranked, b: Ranked): number {
  return (
    b.score - a.score ||
    compare(a.entry.server.name, b.entry.server.name) ||
    compare(a.entry.tool.name, b.entry.tool.name)
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
