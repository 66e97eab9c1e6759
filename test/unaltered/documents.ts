// Documents for the test of what passes unaltered, and how they are found again in the text of a message: between marks
// that no document holds.

import fc from "fast-check";
import { jsonText } from "../support/json-texts.ts";

/** One document in a hundred nests this deep. */
const DEPTH = 300;

export function makeDocuments(count: number, seed: number): string[] {
  const made = fc.sample(jsonText, { numRuns: count, seed }).map((text) => text.replaceAll(/[\r\n]/g, " "));
  return made.map((text, index) => (index % 100 === 0 ? "[".repeat(DEPTH) + text + "]".repeat(DEPTH) : text));
}

/** Many documents as one value that can be found again. */
export function marked(number: number, documents: readonly string[]): string {
  return `{"at":"begin-${number}","docs":[${documents.join(",")}],"end":"end-${number}"}`;
}

/** Every marked value of a text, as it is written there. */
export function findMarked(text: string): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const match of text.matchAll(/\{"at":"begin-(\d+)".*?"end":"end-\1"\}/gs)) {
    const number = Number(match[1]);
    found.set(number, [...(found.get(number) ?? []), match[0]]);
  }
  return found;
}
