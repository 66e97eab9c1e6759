// The first sentence of a description, as plain text on one line.

import { textOf } from "./tool.ts";
import { LOST } from "./type-text.ts";

const LONGEST_READ = 2_000;
const LONGEST_SENTENCE = 150;
/** Shorter lines are wrapped titles; after a longer one that is complete, a capital begins something new. */
const SHORTEST_LINE = 20;
const UNFINISHED =
  /(?:[,(&/-]|\b(?:a|an|the|and|or|of|to|in|on|at|by|for|from|with|as|is|are|be|that|which|using|via))$/i;

/** A full stop after these ends nothing; single letters are initials. */
const ABBREVIATION =
  /(?:^|[\s("'[])(?:e\.g|i\.e|cf|vs|approx|ca|no|fig|dr|mr|mrs|ms|st|inc|ltd|\p{L}(?:\.\p{L})*)$/iu;
const SENTENCE_END = /[.!?]["')\]]*(?=\s|$)|[。！？]/gu;

function firstParagraph(description: unknown): string {
  const lines: string[] = [];
  let heading = "";
  for (const raw of textOf(description, LONGEST_READ).split(/\r\n?|\n/)) {
    const line = raw.trim();
    const kind = kindOf(line);
    if (kind === "heading" && heading === "") heading = line;
    const isText = kind === "text" || kind === "item";
    if (lines.length > 0 && (kind !== "text" || startsAnew(line, lines.at(-1)))) break;
    if (isText) lines.push(line);
    if (kind === "item") break;
  }
  return plain(lines.length > 0 ? lines.join(" ") : heading);
}

function kindOf(line: string): "text" | "heading" | "item" | "markup" {
  if (line === "" || /^(?:`{3}.*|[-=*_]{3,}|<[^>]*>)$/.test(line)) return "markup";
  if (/^#{1,6}\s/.test(line)) return "heading";
  return /^(?:[-*+•]|\d+[.)])\s/.test(line) ? "item" : "text";
}

/** A line that does not carry on what the one before it says. */
function startsAnew(line: string, before: string | undefined): boolean {
  if (before === undefined || !/^[\p{Lu}\p{Lo}]/u.test(line)) return false;
  return before.length >= SHORTEST_LINE && !UNFINISHED.test(before);
}

export function firstSentenceOf(description: unknown): string {
  const text = firstParagraph(description);
  const end = endOfSentence(text);
  const sentence = text.slice(0, end).replace(/[\s.:;,。：；，]+$/, "");
  if (sentence.length <= LONGEST_SENTENCE) return sentence;
  const cut = sentence.slice(0, LONGEST_SENTENCE);
  const space = cut.lastIndexOf(" ");
  return `${cut.slice(0, space > LONGEST_SENTENCE / 2 ? space : LONGEST_SENTENCE).replace(/[\s.:;,。：；，]+$/, "")}${LOST}`;
}

function endOfSentence(text: string): number {
  for (const match of text.matchAll(SENTENCE_END)) {
    const before = text.slice(0, match.index);
    if (match[0] === "." && ABBREVIATION.test(before)) continue;
    return match.index + match[0].length;
  }
  return text.length;
}

/** Without the marks of markdown. */
function plain(text: string): string {
  return text
    .replace(/^(?:#{1,6}|>|[-*+•]|\d+[.)])\s+/, "")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\*\*|__/g, "")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
}
