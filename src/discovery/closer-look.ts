// What adding up words does not see: how much of a tool's name is asked for, words that stand together, the verb.

import { onlyDeletes } from "./actions.ts";
import type { Corpus, Entry } from "./corpus.ts";
import { type Query, rarity } from "./query.ts";

/** Each value is a share that is added to a score, except for factors, which say so. */
export interface Closer {
  readonly name: number;
  readonly phrase: number;
  readonly action: number;
  /** A factor: less than 1 for deprecated or deleting tools, which must not come first; more for tools of a named server. */
  readonly standing: number;
}

const NAME_SHARE = 0.7;
const PHRASE_SHARE = { name: 0.5, description: 1.2 };
/** With a word between. */
const GAP_SHARE = 0.6;
const ACTION_SHARE = 0.1;
const STANDING = { deprecated: 0.5, deletesUnasked: 0.5, namedServer: 1.5 };

interface Match {
  readonly concept: number;
  readonly likeness: number;
}

export class CloserLook {
  readonly #corpus: Corpus;
  readonly #query: Query;
  /** By word number. */
  readonly #matches = new Map<number, Match[]>();
  /** Of each word of the query and the next, their part in all that is asked. */
  readonly #pairShares: readonly number[];

  constructor(corpus: Corpus, query: Query) {
    this.#corpus = corpus;
    this.#query = query;
    const worths = query.concepts.map(({ weight, rarity: rare }) => weight * rare);
    const whole = worths.reduce((sum, worth) => sum + worth, 0) || 1;
    this.#pairShares = worths.slice(1).map((worth, i) => (worth + (worths[i] ?? 0)) / 2 / whole);
    for (const [concept, { variants }] of query.concepts.entries()) {
      for (const { id, likeness } of variants) {
        const matches = this.#matches.get(id);
        if (matches === undefined) this.#matches.set(id, [{ concept, likeness }]);
        else matches.push({ concept, likeness });
      }
    }
  }

  at(entry: Entry): Closer {
    const inName = PHRASE_SHARE.name * this.#phrases(entry.nameText, false);
    const inDescription = PHRASE_SHARE.description * this.#phrases(entry.descriptionText, true);
    return {
      name: NAME_SHARE * this.#nameCovered(entry),
      phrase: inName + inDescription,
      action: this.#action(entry),
      standing: this.#standing(entry),
    };
  }

  #nameCovered(entry: Entry): number {
    let whole = 0;
    let covered = 0;
    for (const word of entry.name) {
      const worth = rarity(this.#corpus.tools.count(word), this.#corpus.toolCount);
      let best = 0;
      for (const { concept, likeness } of this.#matches.get(word) ?? NONE) {
        best = Math.max(best, likeness * (this.#query.concepts[concept]?.weight ?? 0));
      }
      whole += worth;
      covered += worth * best;
    }
    return whole === 0 ? 0 : covered / whole;
  }

  /** How much of the query stands in the text as it does in the query: each word before the next. */
  #phrases(text: Int32Array, allowsGap: boolean): number {
    const best = new Map<number, number>();
    const meet = (first: readonly Match[], second: readonly Match[], share: number) => {
      for (const a of first) {
        for (const b of second) {
          if (b.concept !== a.concept + 1) continue;
          const found = share * a.likeness * b.likeness;
          if (found > (best.get(a.concept) ?? 0)) best.set(a.concept, found);
        }
      }
    };
    const matches = (i: number) => this.#matches.get(text[i] ?? -1) ?? NONE;
    for (let i = 0; i < text.length; i++) {
      const here = matches(i);
      if (here.length === 0) continue;
      meet(here, matches(i + 1), 1);
      if (allowsGap) meet(here, matches(i + 2), GAP_SHARE);
    }
    let sum = 0;
    for (const [concept, found] of best) sum += (this.#pairShares[concept] ?? 0) * found;
    return sum;
  }

  #standing(entry: Entry): number {
    const deletes = !this.#query.mayDelete && onlyDeletes(entry.actions);
    const isNamed = this.#query.places.has(entry.server.name.toLowerCase());
    return (
      (entry.isDeprecated ? STANDING.deprecated : 1) *
      (deletes ? STANDING.deletesUnasked : 1) *
      (isNamed ? STANDING.namedServer : 1)
    );
  }

  #action(entry: Entry): number {
    const { actions } = this.#query;
    if (actions === 0 || entry.actions === 0) return 0;
    return (actions & entry.actions) === 0 ? -ACTION_SHARE : ACTION_SHARE;
  }
}

const NONE: readonly Match[] = [];
