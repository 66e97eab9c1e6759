// The words of the corpus that may stand for a word asked for: other forms, synonyms, other spellings, compounds.

import { distance } from "fastest-levenshtein";
import { pairKey, related } from "./thesaurus.ts";
import type { Similar, Vocabulary } from "./vocabulary.ts";
import { stem } from "./words.ts";

export type How = "same" | "form" | "synonym" | "spelling" | "compound";

export interface Variant {
  readonly id: number;
  /** 1 for the word itself. */
  readonly likeness: number;
  readonly how: How;
}

/** What stands next to the word, and the parts it has. */
export interface Near {
  readonly previous: string | undefined;
  readonly next: string | undefined;
  readonly parts: readonly string[];
}

const LIKENESS = { form: 0.7, spelling: 0.35, corrected: 0.7, joined: 0.8, part: 0.35, half: 0.5 };
/** A synonym of two words together says more than one of a single word that says half of it. */
const PAIR_BONUS = 1.5;
const HALF_PAIR = 0.7;
const MOST_VARIANTS = 20;
/** Shorter words are not corrected; from the second length on, two letters may be wrong. */
const CORRECTABLE = { once: 5, twice: 7 };

type Found = Map<number, Variant>;

/** The likest first. */
export function variantsOf(word: string, near: Near, vocabulary: Vocabulary): Variant[] {
  const found: Found = new Map();
  addForms(found, word, vocabulary);
  addSynonyms(found, word, near.next, vocabulary);
  addCompounds(found, word, near, vocabulary);
  addSpellings(found, word, vocabulary);
  const byLikeness = (a: Variant, b: Variant) =>
    b.likeness - a.likeness || (vocabulary.wordOf(a.id) < vocabulary.wordOf(b.id) ? -1 : 1);
  return [...found.values()].sort(byLikeness).slice(0, MOST_VARIANTS);
}

function put(found: Found, id: number | undefined, worth: number, how: How): void {
  if (id === undefined || (found.get(id)?.likeness ?? 0) >= worth) return;
  found.set(id, { id, likeness: worth, how });
}

function addForms(found: Found, word: string, vocabulary: Vocabulary): void {
  put(found, vocabulary.idOf(word), 1, "same");
  for (const id of vocabulary.withStem(stem(word))) put(found, id, LIKENESS.form, "form");
}

function addSynonyms(found: Found, word: string, next: string | undefined, vocabulary: Vocabulary): void {
  const add = (key: string, worth: number) => {
    for (const id of vocabulary.withStem(key)) put(found, id, worth, "synonym");
  };
  for (const [key, worth] of related(stem(word))) {
    if (!key.includes("_")) add(key, worth);
    else for (const half of key.split("_")) add(half, worth * HALF_PAIR);
  }
  if (next === undefined) return;
  for (const [key, worth] of related(pairKey(word, next)))
    if (!key.includes("_")) add(key, worth * PAIR_BONUS);
}

/** `function app` and `functionapp`, `cashflow` and `cash flow`. */
function addCompounds(found: Found, word: string, near: Near, vocabulary: Vocabulary): void {
  for (const part of near.parts) put(found, vocabulary.idOf(part), LIKENESS.part, "compound");
  if (near.next !== undefined) put(found, vocabulary.idOf(word + near.next), LIKENESS.joined, "compound");
  if (near.previous !== undefined)
    put(found, vocabulary.idOf(near.previous + word), LIKENESS.joined, "compound");
  if (vocabulary.idOf(word) !== undefined) return;
  for (let i = 3; i + 3 <= word.length; i++) {
    const first = vocabulary.idOf(word.slice(0, i));
    const second = vocabulary.idOf(word.slice(i));
    if (first === undefined || second === undefined) continue;
    put(found, first, LIKENESS.half, "compound");
    put(found, second, LIKENESS.half, "compound");
  }
}

/** Words spelt alike. A word that means nothing here is taken for the nearest one, with all that may stand for it. */
function addSpellings(found: Found, word: string, vocabulary: Vocabulary): void {
  const similar = vocabulary.similar(word);
  const corrected = found.size === 0 ? correction(word, similar, vocabulary) : undefined;
  for (const { id, likeness: alike } of similar) put(found, id, LIKENESS.spelling * alike ** 2, "spelling");
  if (corrected === undefined) return;
  const meant: Found = new Map();
  addForms(meant, corrected, vocabulary);
  addSynonyms(meant, corrected, undefined, vocabulary);
  for (const { id, likeness: worth } of meant.values())
    put(found, id, worth * LIKENESS.corrected, "spelling");
}

function correction(word: string, similar: readonly Similar[], vocabulary: Vocabulary): string | undefined {
  if (word.length < CORRECTABLE.once) return undefined;
  const most = word.length < CORRECTABLE.twice ? 1 : 2;
  const near = similar.map(({ id }) => vocabulary.wordOf(id));
  const distances = near.map((other) => distance(word, other));
  const least = Math.min(...distances);
  return least <= most ? near[distances.indexOf(least)] : undefined;
}
