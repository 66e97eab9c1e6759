// What a query asks for: its words that matter, each with the words of the corpus that may stand for it.

import { type Actions, actionsWanted, asksForDeletion } from "./actions.ts";
import type { Corpus } from "./corpus.ts";
import { STOP_WORDS } from "./stop-words.ts";
import { type Variant, variantsOf } from "./variants.ts";
import { cut, partsOf, runs, words } from "./words.ts";

/** One word of the query. */
export interface Concept {
  readonly word: string;
  /** 1, or less for what is rather an argument of the call than a description of the tool. */
  readonly weight: number;
  /** How telling the word is: rare words are. */
  readonly rarity: number;
  readonly variants: readonly Variant[];
}

export interface Query {
  readonly concepts: readonly Concept[];
  readonly actions: Actions;
  /** True if the query may mean a tool that only deletes. */
  readonly mayDelete: boolean;
  /** Servers that the query names as the place, in lower case: `in notion`. */
  readonly places: ReadonlySet<string>;
  /** The total weight of the query's words, also of those that no tool contains. */
  readonly worth: number;
}

const LONGEST_QUERY = 2_000;
const MOST_CONCEPTS = 40;
const MOST_CONCEPTS_AT_ONE_PLACE = 8;
/** A path, a URL, a placeholder, a quotation, a number: what the tool is to be called with. */
const ARGUMENT_WEIGHT = 0.5;
/** A path speaks of a file without saying so. */
const IMPLIED_WEIGHT = 1;
/** How far words that stand in make the word asked for look common. */
const STAND_IN_SHARE = 0.5;

const PLACES = /<[^>]{1,60}>|https?:\/\/\S+|(?:^|\s)(?:[~.]?\/|[A-Za-z]:\\)\S+/g;
const QUOTATIONS = /["“”]([^"“”]{2,120})["“”]|(?<!\w)'([^']{2,120})'(?!\w)/g;
const PATH_LIKE =
  /(?:^|\s)(?:[~.]?\/[\w.-]+\/|[A-Za-z]:\\)|\b[\w-]{1,80}\.(?:md|txt|csv|json|html?|xml|ya?ml|py|ts|js|pdf|docx?|xlsx?|pptx?)\b/;

/** A web address without its scheme. Only common top-level domains count, because file names look similar. */
const DOMAIN =
  /(?:^|\s)(?:[\w-]{1,63}\.){1,4}(?:com|org|net|io|dev|ai|co|edu|gov|info|app|de|uk|eu)(?:[/?#]\S*)?(?=[\s,;!?.]|$)/i;
const DOMAINS = new RegExp(DOMAIN.source, "gi");
const PLACE_NAMES = /\b(?:in|on|from|with|using|via|through)\s+(?:the\s+|my\s+|our\s+)?([\w.-]{1,64})/gi;
/** Groups of words that together mean another word. */
const IDIOMS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:go|going|head|take me|bring me) to\b/gi, "navigate"],
  [/\blook(?:ing)? up\b/gi, "search"],
];

export function readQuery(text: string, corpus: Corpus): Query {
  const given = text.slice(0, LONGEST_QUERY);
  const query = IDIOMS.reduce((all, [idiom, word]) => all.replace(idiom, word), given);
  const asked = askedWords(query, corpus);
  const concepts: Concept[] = [];
  let worth = 0;
  for (const [i, { word, parts, weight }] of asked.entries()) {
    if (concepts.length === MOST_CONCEPTS) break;
    if (concepts.some((concept) => concept.word === word)) continue;
    const near = { previous: asked[i - 1]?.word, next: asked[i + 1]?.word, parts };
    const variants = variantsOf(word, near, corpus.vocabulary);
    const rarity = rarityOf(word, variants, corpus);
    worth += weight * rarity;
    if (variants.length > 0) concepts.push({ word, weight, rarity, variants });
  }
  const said = partsOf(query);
  return {
    concepts,
    actions: actionsWanted(said),
    mayDelete: asksForDeletion(said),
    places: placesIn(query, concepts.length),
    worth,
  };
}

/** In a longer query, the named places belong to different steps, so they are ignored. */
function placesIn(query: string, length: number): Set<string> {
  if (length > MOST_CONCEPTS_AT_ONE_PLACE) return new Set();
  return new Set([...query.matchAll(PLACE_NAMES)].map(([, name = ""]) => name.toLowerCase()));
}

interface AskedWord {
  readonly word: string;
  readonly parts: readonly string[];
  readonly weight: number;
}

function askedWords(query: string, corpus: Corpus): AskedWord[] {
  const asArguments = argumentWords(query);
  const weigh = (word: string) => (asArguments.has(word) || /^\d+$/.test(word) ? ARGUMENT_WEIGHT : 1);
  const all: AskedWord[] = [];
  for (const { whole, parts } of runs(query).map(cut)) {
    if (whole !== undefined && corpus.vocabulary.idOf(whole) !== undefined) {
      all.push({ word: whole, parts, weight: weigh(whole) });
    } else {
      for (const word of parts) all.push({ word, parts: [], weight: weigh(word) });
    }
  }
  const telling = all.filter(({ word }) => !STOP_WORDS.has(word));
  const asked = telling.length > 0 ? telling : all;
  if (PATH_LIKE.test(query)) imply("file", asked);
  if (/https?:\/\//.test(query) || DOMAIN.test(query)) imply("url", asked);
  return asked;
}

function imply(word: string, asked: AskedWord[]): void {
  if (asked.some((each) => each.word === word)) return;
  asked.push({ word, parts: [], weight: IMPLIED_WEIGHT });
}

/** Words that the query has only in places and quotations. */
function argumentWords(query: string): Set<string> {
  const inside = [...query.matchAll(PLACES), ...query.matchAll(DOMAINS), ...query.matchAll(QUOTATIONS)].map(
    ([match]) => match,
  );
  const found = new Set(inside.flatMap(words));
  if (found.size === 0) return found;
  for (const word of words(query.replace(PLACES, " ").replace(DOMAINS, " ").replace(QUOTATIONS, " ")))
    found.delete(word);
  return found;
}

function rarityOf(word: string, variants: readonly Variant[], corpus: Corpus): number {
  const own = corpus.vocabulary.idOf(word);
  const occurrences = variants.reduce(
    (sum, { id, likeness: worth }) =>
      sum + (id === own ? 1 : STAND_IN_SHARE * worth) * corpus.tools.count(id),
    0,
  );
  return rarity(occurrences, corpus.toolCount);
}

/** Inverse document frequency, never below zero. */
export function rarity(occurrences: number, total: number): number {
  const n = Math.min(occurrences, total);
  return Math.log(1 + (total - n + 0.5) / (n + 0.5));
}
