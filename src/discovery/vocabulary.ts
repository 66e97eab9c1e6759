// Every word of the indexed texts, by number, by stem and by three-letter pieces. Must not know where words occur.

import { STOP_WORDS } from "./stop-words.ts";
import { runs, stem, wordsOfRun } from "./words.ts";

export interface Similar {
  readonly id: number;
  /** Above 0, below 1: how much of the two spellings is shared. */
  readonly likeness: number;
}

/** Below this share of common pieces two spellings are two words. */
const LEAST_LIKENESS = 0.5;
/** What a shortened form counts as at least: `repo` of `repository` shares few pieces with it. */
const PREFIX_LIKENESS = 0.6;
const MOST_SIMILAR = 8;
const MOST_RUNS = 10_000;

export class Vocabulary {
  readonly #ids = new Map<string, number>();
  readonly #words: string[] = [];
  readonly #free: number[] = [];
  readonly #byStem = new Map<string, number[]>();
  readonly #byPiece = new Map<string, number[]>();
  /** The numbers of the words of runs met before, so that indexing cuts `description` once and not each time. */
  readonly #byRun = new Map<string, readonly number[]>();
  /** Scratch of one look-up: pieces in common, by number; all zero between look-ups. */
  #shared = new Uint8Array(0);

  idOf(word: string): number | undefined {
    return this.#ids.get(word);
  }

  wordOf(id: number): string {
    return this.#words[id] ?? "";
  }

  isStopWord(id: number): boolean {
    return STOP_WORDS.has(this.wordOf(id));
  }

  withStem(key: string): readonly number[] {
    return this.#byStem.get(key) ?? [];
  }

  /** Takes up every word of a text; gives their numbers in order. */
  addText(text: string): number[] {
    const numbers: number[] = [];
    for (const run of runs(text)) for (const id of this.#addRun(run)) numbers.push(id);
    return numbers;
  }

  add(word: string): number {
    const known = this.#ids.get(word);
    if (known !== undefined) return known;
    const id = this.#free.pop() ?? this.#words.length;
    this.#ids.set(word, id);
    this.#words[id] = word;
    append(this.#byStem, stem(word), id);
    if (!STOP_WORDS.has(word)) for (const piece of pieces(word)) append(this.#byPiece, piece, id);
    return id;
  }

  /** For a word that occurs nowhere any more: its number will be another word's. */
  forget(id: number): void {
    const word = this.wordOf(id);
    this.#byRun.clear();
    this.#ids.delete(word);
    withdraw(this.#byStem, stem(word), id);
    for (const piece of pieces(word)) withdraw(this.#byPiece, piece, id);
    this.#words[id] = "";
    this.#free.push(id);
  }

  /** Words spelt much like this one, the most alike first: typos, short forms, parts of compounds. */
  similar(word: string): Similar[] {
    const own = pieces(word);
    const found: Similar[] = [];
    for (const id of this.#sharing(own)) {
      const common = this.#shared[id] ?? 0;
      this.#shared[id] = 0;
      // One piece in common is too little for either of what follows; most have no more.
      if (common < 2) continue;
      const other = this.wordOf(id);
      if (other === word) continue;
      // Dice: the pieces of a word are as many as its letters.
      const dice = (2 * common) / (own.length + other.length);
      const isPrefix = other.startsWith(word) || word.startsWith(other);
      const likeness = isPrefix ? Math.max(dice, PREFIX_LIKENESS) : dice;
      if (likeness >= LEAST_LIKENESS) found.push({ id, likeness });
    }
    const byLikeness = (a: Similar, b: Similar) =>
      b.likeness - a.likeness || (this.wordOf(a.id) < this.wordOf(b.id) ? -1 : 1);
    return found.sort(byLikeness).slice(0, MOST_SIMILAR);
  }

  #addRun(run: string): readonly number[] {
    const known = this.#byRun.get(run);
    if (known !== undefined) return known;
    const numbers = wordsOfRun(run).map((word) => this.add(word));
    if (this.#byRun.size >= MOST_RUNS) this.#byRun.clear();
    this.#byRun.set(run, numbers);
    return numbers;
  }

  /** The words with any of the pieces; how many they have is left in `#shared`. */
  #sharing(own: readonly string[]): number[] {
    if (this.#shared.length < this.#words.length) this.#shared = new Uint8Array(2 * this.#words.length);
    const ids: number[] = [];
    for (const piece of own) {
      for (const id of this.#byPiece.get(piece) ?? []) {
        const count = this.#shared[id] ?? 0;
        if (count === 0) ids.push(id);
        this.#shared[id] = count + 1;
      }
    }
    return ids;
  }
}

/** Three letters at a time, the ends marked, each once; none for numbers and for what is too short to be misspelt. */
function pieces(word: string): string[] {
  if (word.length < 3 || /\d/.test(word)) return [];
  const marked = `^${word}$`;
  const found = new Set<string>();
  for (let i = 0; i + 3 <= marked.length; i++) found.add(marked.slice(i, i + 3));
  return [...found];
}

function append(lists: Map<string, number[]>, key: string, id: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [id]);
  else list.push(id);
}

function withdraw(lists: Map<string, number[]>, key: string, id: number): void {
  const rest = (lists.get(key) ?? []).filter((other) => other !== id);
  if (rest.length === 0) lists.delete(key);
  else lists.set(key, rest);
}
