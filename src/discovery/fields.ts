// The texts of one tool that it is found by, and what a word counts in each. Must not know queries or other tools.

import { isObject } from "../protocol/jsonrpc.ts";
import { type ToolDoc, textOf } from "./tool.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { partsOf } from "./words.ts";

export const FIELD_NAMES = [
  "name",
  "title",
  "description",
  "parameters",
  "parameter texts",
  "choices",
] as const;
export type Field = (typeof FIELD_NAMES)[number];

interface Scale {
  readonly weight: number;
  /** How much a long text dilutes its words: 0 not at all, 1 in proportion. */
  readonly dilution: number;
  /** The number of words at which a text counts as neither long nor short. */
  readonly typical: number;
}

const SCALES: Readonly<Record<Field, Scale>> = {
  name: { weight: 3, dilution: 0.2, typical: 3 },
  title: { weight: 2, dilution: 0.5, typical: 3 },
  description: { weight: 1, dilution: 0.4, typical: 25 },
  parameters: { weight: 1, dilution: 0.6, typical: 5 },
  "parameter texts": { weight: 0.5, dilution: 0.6, typical: 40 },
  choices: { weight: 0.2, dilution: 0.5, typical: 5 },
};

/** The first sentence says what the tool is for; what follows "not for", "do not", "instead of" is what it is not. */
const SENTENCE_WEIGHT = { first: 1.25, later: 1, negated: 0.2 };
const NEGATION =
  /\b(?:do not|don't|does not|doesn't|cannot|can't|not for|never|rather than|instead of|unlike)\b/i;

/** Bounds for what a hostile or careless server sends. */
const LONGEST = { name: 200, description: 1_000, parameterText: 160 };
const MOST_PARAMETERS = 200;
const DEEPEST = 3;

/** The words of one text, by number and in order, and what each counts. */
export interface FieldText {
  readonly words: readonly number[];
  readonly scale: number;
  /** By position, times the scale; 1 where there is none. */
  readonly emphasis?: readonly number[];
}

export type ToolFields = Readonly<Record<Field, FieldText>>;

/** Takes the words of a tool up into the vocabulary. Stop words count in the name alone. */
export function fieldsOf(tool: ToolDoc, vocabulary: Vocabulary): ToolFields {
  const telling = (text: string) => vocabulary.addText(text).filter((word) => !vocabulary.isStopWord(word));
  const schema = schemaTexts(tool.inputSchema);
  const title = textOf(tool.title, LONGEST.name) || textOf(tool.annotations?.title, LONGEST.name);
  return {
    name: even("name", vocabulary.addText(textOf(tool.name, LONGEST.name))),
    title: even("title", telling(title)),
    description: description(textOf(tool.description, LONGEST.description), vocabulary),
    parameters: even("parameters", schema.names.flatMap(telling)),
    "parameter texts": even("parameter texts", schema.descriptions.flatMap(telling)),
    choices: even("choices", schema.choices.flatMap(telling)),
  };
}

/** What the word at a position counts. */
export function weightAt({ scale, emphasis }: FieldText, position: number): number {
  return scale * (emphasis?.[position] ?? 1);
}

/** The parts of a tool's name: how much of them a query covers tells a general tool from a special one. */
export function nameParts(tool: ToolDoc): string[] {
  return partsOf(textOf(tool.name, LONGEST.name));
}

function even(field: Field, all: readonly number[]): FieldText {
  return { words: all, scale: scaleOf(field, all.length) };
}

function scaleOf(field: Field, length: number): number {
  const { weight, dilution, typical } = SCALES[field];
  return weight / (1 - dilution + (dilution * length) / typical);
}

/** With its stop words, which hold apart what does not stand together. */
function description(text: string, vocabulary: Vocabulary): FieldText {
  const all: number[] = [];
  const emphasis: number[] = [];
  const add = (part: string, weight: number) => {
    for (const word of vocabulary.addText(part)) {
      all.push(word);
      emphasis.push(vocabulary.isStopWord(word) ? 0 : weight);
    }
  };
  const sentences = text.split(/(?<=[.!?。])\s+|\n+/).filter((sentence) => sentence.trim() !== "");
  for (const [i, sentence] of sentences.entries()) {
    const negated = sentence.search(NEGATION);
    const end = negated === -1 ? sentence.length : negated;
    add(sentence.slice(0, end), i === 0 ? SENTENCE_WEIGHT.first : SENTENCE_WEIGHT.later);
    add(sentence.slice(end), SENTENCE_WEIGHT.negated);
  }
  return { words: all, scale: scaleOf("description", all.length), emphasis };
}

interface SchemaTexts {
  readonly names: string[];
  readonly descriptions: string[];
  readonly choices: string[];
}

function schemaTexts(schema: unknown): SchemaTexts {
  const texts: SchemaTexts = { names: [], descriptions: [], choices: [] };
  collect(schema, texts, 0);
  return texts;
}

function collect(schema: unknown, texts: SchemaTexts, depth: number): void {
  if (!isObject(schema) || depth >= DEEPEST || !isObject(schema.properties)) return;
  for (const [name, property] of Object.entries(schema.properties)) {
    if (texts.names.length >= MOST_PARAMETERS) return;
    texts.names.push(name.slice(0, LONGEST.name));
    if (!isObject(property)) continue;
    const items = isObject(property.items) ? property.items : undefined;
    texts.descriptions.push(textOf(property.description, LONGEST.parameterText));
    texts.choices.push(...choicesOf(property.enum), ...choicesOf(items?.enum));
    collect(property, texts, depth + 1);
    collect(items, texts, depth + 1);
  }
}

function choicesOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value
    .slice(0, 50)
    .flatMap((choice: unknown) => (typeof choice === "string" ? [choice.slice(0, 60)] : []));
}
