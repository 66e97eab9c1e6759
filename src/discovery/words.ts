// Text as words: cut at punctuation and case, accents folded, plurals undone. Must not know tools or queries.

import { stemmer } from "stemmer";

/** Longer runs are keys, hashes and data, not words. */
const LONGEST_WORD = 40;

/** Scripts written without spaces, and Hangul, whose particles stick to the word: read as pairs of letters. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const UNSPACED_RUNS = new RegExp(`${UNSPACED.source}+|(?:(?!${UNSPACED.source}).)+`, "gu");

/** Words that end in s and are no plurals, where cutting it makes another word. */
const SINGULARS = new Set(["news", "series", "species", "always", "canvas", "alias", "atlas", "kubernetes"]);

/** The words of a run of letters and digits. */
export interface Cut {
  /** `MySQL` whole, where somebody may write its parts as one. */
  readonly whole: string | undefined;
  readonly parts: readonly string[];
}

/** Letters and digits that stand together; other characters part them. */
export function runs(text: string): readonly string[] {
  if (/^\p{ASCII}*$/u.test(text)) return text.match(/[A-Za-z0-9]+/g) ?? [];
  const marks = /[\u0300-\u036f]/g;
  const folded = text.normalize("NFKC").normalize("NFD").replace(marks, "").normalize("NFC");
  return folded.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
}

export function cut(run: string): Cut {
  const isUnspaced = UNSPACED.test(run);
  const raw = isUnspaced ? (run.match(UNSPACED_RUNS) ?? []).flatMap(pairsOrWords) : cutAtCase(run);
  const parts = raw.map(singular);
  const isCompound = parts.length > 1 && parts.length < 4 && run.length <= LONGEST_WORD && !isUnspaced;
  return { whole: isCompound ? singular(run.toLowerCase()) : undefined, parts };
}

/** Every word to find a run by: `MySQL` is found as mysql, as my and as sql. */
export function wordsOfRun(run: string): readonly string[] {
  const { whole, parts } = cut(run);
  return whole === undefined ? parts : [whole, ...parts];
}

export function words(text: string): string[] {
  return runs(text).flatMap(wordsOfRun);
}

/** Every word, compounds in their parts only. */
export function partsOf(text: string): string[] {
  return runs(text).flatMap((run) => cut(run).parts);
}

/** What the forms of a word share: deploy, deployed, deployment. */
export function stem(word: string): string {
  if (!/^[a-z]{3,}$/.test(word)) return word;
  // Porter's rules make "deploi" of deploy and "deploy" of deployment.
  return stemmer(word).replace(/(?<=[aeou])i$/, "y");
}

export function singular(word: string): string {
  if (word.length < 4 || !word.endsWith("s") || !/^[a-z]+$/.test(word) || SINGULARS.has(word)) return word;
  if (word.endsWith("ies") && word.length > 4) return `${word.slice(0, -3)}y`;
  if (/(?:ss|sh|ch|x|z)es$/.test(word)) return word.slice(0, -2);
  return /(?:ss|us|is)$/.test(word) ? word : word.slice(0, -1);
}

function cutAtCase(run: string): string[] {
  // PDFs and IDs are PDF and ID, not "PD" and "Fs".
  const isAbbreviation = /^\p{Lu}+s?$/u.test(run);
  const spaced = run
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2");
  const parts = isAbbreviation ? [run.replace(/(?<=.)s$/, "")] : spaced.split(" ");
  return parts.map((part) => part.toLowerCase()).filter((part) => part.length <= LONGEST_WORD);
}

function pairsOrWords(run: string): string[] {
  if (!UNSPACED.test(run)) return cutAtCase(run);
  const letters = [...run];
  if (letters.length === 1) return letters;
  return letters.slice(1).map((letter, i) => `${letters[i]}${letter}`);
}
