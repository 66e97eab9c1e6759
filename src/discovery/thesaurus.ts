// Which words stand for which, whatever the catalogue: the tables of synonyms.ts, looked up by stem.

import { ASKED_AS, FOREIGN, KINDRED, SYNONYMS } from "./synonyms.ts";
import { singular, stem } from "./words.ts";

/** How much of a match a word is worth that stands in for the one asked for. */
const LIKENESS = { translation: 0.9, synonym: 0.5, kindred: 0.25, sibling: 0.15 };

type Related = ReadonlyMap<string, number>;

let table: Table | undefined;

/** Stems that may stand for this one, or for a pair written `a_b`; a pair among them is written so too. */
export function related(key: string): Related {
  table ??= build();
  return table.get(key) ?? NONE;
}

const NONE: Related = new Map();

/** `pull_request` to the stems of both, joined the same way. */
export function pairKey(first: string, second: string): string {
  return `${stem(first)}_${stem(second)}`;
}

type Table = Map<string, Map<string, number>>;

function build(): Table {
  const built: Table = new Map();
  for (const group of groups(SYNONYMS)) {
    for (const a of group) for (const b of group) relate(built, a, b, LIKENESS.synonym);
  }
  for (const [head, ...others] of groups(KINDRED)) relateKindred(built, head ?? "", others);
  for (const [asked, ...meant] of groups(ASKED_AS)) {
    for (const word of meant) relate(built, asked ?? word, word, LIKENESS.kindred);
  }
  // One-way: an English query does not mean the foreign word.
  for (const [english, ...others] of groups(FOREIGN)) {
    for (const word of others) relate(built, word, english ?? word, LIKENESS.translation);
  }
  return built;
}

function relateKindred(built: Table, head: string, others: readonly string[]): void {
  for (const a of others) {
    relate(built, head, a, LIKENESS.kindred);
    relate(built, a, head, LIKENESS.kindred);
    for (const b of others) relate(built, a, b, LIKENESS.sibling);
  }
}

function relate(built: Table, a: string, b: string, weight: number): void {
  if (a === b) return;
  const known = built.get(a) ?? new Map<string, number>();
  known.set(b, Math.max(known.get(b) ?? 0, weight));
  built.set(a, known);
}

function groups(text: string): string[][] {
  return text
    .split(/[;\n]/)
    .map((group) => group.trim().split(/\s+/))
    .filter((group) => group.length > 1)
    .map((group) =>
      group.map((entry) =>
        entry
          .split("_")
          .map((word) => stem(singular(word)))
          .join("_"),
      ),
    );
}
