// How well each tool answers a query: by its own words and its server's first; the best get a closer look.

import { CloserLook } from "./closer-look.ts";
import type { Corpus, Entry } from "./corpus.ts";
import type { Postings } from "./postings.ts";
import { type Concept, type Query, rarity } from "./query.ts";
import { Tally } from "./tally.ts";

/** A tool, and what its score is made of: (words + server) × (1 + name) × (1 + phrase + action). */
export interface Ranked {
  readonly entry: Entry;
  readonly score: number;
  readonly words: number;
  readonly server: number;
  readonly name: number;
  readonly phrase: number;
  readonly action: number;
}

/** A word that occurs again adds ever less: the k1 of BM25. */
const SATURATION = { tools: 1, servers: 1.2 };
/** The server that fits best adds to each of its tools this share of the best tool's score; the others less. */
const SERVER_SHARE = 0.4;
/** So near the best server, a tool is found even where its own texts say nothing of the query. */
const SURE_SERVER = 0.5;
/** So many of the best get the closer look. */
const FINALISTS = 60;

export function rank(corpus: Corpus, query: Query, limit: number): Ranked[] {
  if (query.concepts.length === 0 || limit < 1) return [];
  const words = toolEvidence(corpus, query.concepts);
  const totals = withServers(corpus, query.concepts, words);
  const look = new CloserLook(corpus, query);
  const ranked: Ranked[] = [];
  for (const slot of highestSlots(totals, Math.max(FINALISTS, limit))) {
    const entry = corpus.entry(slot);
    if (entry === undefined) continue;
    const total = totals[slot] ?? 0;
    const own = words[slot] ?? 0;
    const { name, phrase, action } = look.at(entry);
    const score = total * (1 + name) * (1 + phrase + action);
    ranked.push({ entry, score, words: own, server: total - own, name, phrase, action });
  }
  return ranked.sort(byScore).slice(0, limit);
}

/** What one word of the query adds to a tool in which it counts `count`. */
export function pointsOf({ weight, rarity: rare }: Concept, count: number): number {
  return weight * rare * saturated(count, SATURATION.tools);
}

function saturated(count: number, at: number): number {
  return (count * (at + 1)) / (count + at);
}

function toolEvidence(corpus: Corpus, concepts: readonly Concept[]): Float64Array {
  const scores = new Float64Array(corpus.slotCount);
  const counts = new Tally(corpus.slotCount);
  for (const concept of concepts) {
    countMatches(concept, corpus.tools, counts);
    counts.drain((slot, count) => {
      scores[slot] = (scores[slot] ?? 0) + pointsOf(concept, count);
    });
  }
  return scores;
}

/** Each tool's own score, and what its server adds. With one server alone there is nothing to prefer. */
function withServers(corpus: Corpus, concepts: readonly Concept[], own: Float64Array): Float64Array {
  if (corpus.serverCount < 2) return own;
  const fits = serverEvidence(corpus, concepts);
  const bestFit = highest(fits) || 1;
  const most = SERVER_SHARE * (highest(own) || 1);
  const totals = new Float64Array(own.length);
  for (let slot = 0; slot < own.length; slot++) {
    const entry = corpus.entry(slot);
    if (entry === undefined) continue;
    const words = own[slot] ?? 0;
    const fit = (fits[entry.server.slot] ?? 0) / bestFit;
    if (words > 0 || fit >= SURE_SERVER) totals[slot] = words + most * fit;
  }
  return totals;
}

function serverEvidence(corpus: Corpus, concepts: readonly Concept[]): Float64Array {
  const scores = new Float64Array(corpus.serverSlotCount);
  const counts = new Tally(corpus.serverSlotCount);
  for (const concept of concepts) {
    const having = concept.variants.reduce(
      (sum, { id, likeness }) => sum + likeness * corpus.servers.count(id),
      0,
    );
    const worth = concept.weight * rarity(having, corpus.serverCount);
    countMatches(concept, corpus.servers, counts);
    counts.drain((slot, count) => {
      scores[slot] = (scores[slot] ?? 0) + worth * saturated(count, SATURATION.servers);
    });
  }
  return scores;
}

/** How often each document has the word or what may stand for it. */
function countMatches({ variants }: Concept, postings: Postings, counts: Tally): void {
  for (const { id, likeness } of variants) {
    const list = postings.of(id);
    for (let i = 0; i < list.length; i += 2) counts.add(list[i] ?? 0, likeness * (list[i + 1] ?? 0));
  }
}

function highest(scores: Float64Array): number {
  let best = 0;
  for (const score of scores) best = Math.max(best, score);
  return best;
}

/** The documents of the `most` highest scores, and what ties with the last of them. */
function highestSlots(scores: Float64Array, most: number): number[] {
  const sorted = scores.filter((score) => score > 0).sort();
  const threshold = sorted[Math.max(0, sorted.length - most)] ?? 0;
  const slots: number[] = [];
  for (let slot = 0; slot < scores.length; slot++) {
    const score = scores[slot] ?? 0;
    if (score > 0 && score >= threshold) slots.push(slot);
  }
  return slots;
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
