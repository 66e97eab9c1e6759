// Which words stand for which, whatever the catalogue: the tables of synonyms.ts, looked up by stem.

import { KINDRED, SYNONYMS } from "./synonyms.ts";
import { singular, stem } from "./words.ts";

/** How much of a match a word is worth that stands in for the one asked for. */
const LIKENESS = { synonym: 0.5, kindred: 0.25, sibling: 0.15 };

type Related = ReadonlyMap<string, number>;

let table: Map<string, Map<string, number>> | undefined;

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

function build(): Map<string, Map<string, number>> {
  const built = new Map<string, Map<string, number>>();
  const relate = (a: string, b: string, weight: number) => {
    if (a === b) return;
    const known = built.get(a) ?? new Map<string, number>();
    known.set(b, Math.max(known.get(b) ?? 0, weight));
    built.set(a, known);
  };
  for (const group of groups(SYNONYMS)) {
    for (const a of group) for (const b of group) relate(a, b, LIKENESS.synonym);
  }
  for (const [head, ...others] of groups(KINDRED)) {
    for (const a of others) {
      if (head === undefined) continue;
      relate(head, a, LIKENESS.kindred);
      relate(a, head, LIKENESS.kindred);
      for (const b of others) relate(a, b, LIKENESS.sibling);
    }
  }
  return built;
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
