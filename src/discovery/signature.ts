// A tool in one line that a model can call it by: name, arguments with their types, what it does.

import { isObject, type Json } from "../protocol/jsonrpc.ts";
import { deprecationOf } from "./deprecation.ts";
import { flattened, neededOf, propertiesOf, resolved } from "./schema.ts";
import { problemsOf } from "./schema-check.ts";
import { firstSentenceOf } from "./sentence.ts";
import { STOP_WORDS } from "./stop-words.ts";
import { type ToolDoc, textOf } from "./tool.ts";
import { type Detail, LOST, oneLine, TypeText } from "./type-text.ts";
import { partsOf, stem } from "./words.ts";

/** What must be given is written in the first detail in which it fits, or in the last. */
const DETAILS: readonly [Detail, ...Detail[]] = [
  { depth: 3, choices: 10, properties: 12 },
  { depth: 2, choices: 6, properties: 8 },
  { depth: 1, choices: 4, properties: 6 },
  { depth: 0, choices: 3, properties: 6 },
];
const OPTIONAL_DETAIL: Detail = { depth: 1, choices: 6, properties: 6 };
const LONGEST = { name: 80, required: 300, all: 600 };
/** So many required parameters, and so many others, are looked at. */
const MOST_PARAMETERS = 500;
const LONGEST_ASKED = 2_000;
const CUT = /… \d+ more\)/;
/** Optional parameters get the remaining room of `arguments`, but at least this many characters; important ones get more. */
const ROOM = { arguments: 150, optional: 60, deciding: 130 };

/** The stems of the words of a query. */
export type Asked = ReadonlySet<string>;
const NOTHING_ASKED: Asked = new Set();

/**
 * `server.tool(arg: type, opt?: type = default)`. If there is no room for all parameters, those in the query and those with
 * a choice come first, and `… 3 more` counts the rest.
 */
export function signature(server: string | undefined, tool: ToolDoc, asked: Asked = NOTHING_ASKED): string {
  const name = oneLine(textOf(tool.name), LONGEST.name);
  const qualified = server === undefined ? name : `${oneLine(server, LONGEST.name)}.${name}`;
  const args = argumentTexts(tool, asked).join(", ");
  return `${qualified}(${args.length > LONGEST.all ? `${args.slice(0, LONGEST.all)}${LOST}` : args})`;
}

/** The first sentence in plain text, not longer than a line. */
export function firstSentence(description: string | undefined): string {
  return firstSentenceOf(description);
}

/** One line: the signature, and in a sentence what the tool does. */
export function answerLine(
  hit: { readonly server: string; readonly tool: ToolDoc },
  asked: Asked = NOTHING_ASKED,
): string {
  const about = aboutTool(hit.tool);
  return `${signature(hit.server, hit.tool, asked)}${about === "" ? "" : ` — ${about}`}`;
}

/** The first sentence of its description, after the word that it is deprecated if it is. */
export function aboutTool(tool: ToolDoc): string {
  const about = firstSentence(tool.description);
  const deprecation = deprecationOf(tool);
  if (deprecation === undefined || /deprecated/i.test(about)) return about;
  const { advice } = deprecation;
  return `DEPRECATED${advice === "" ? "" : ` (${advice})`}${about === "" ? "" : `: ${about}`}`;
}

/** The words of a query, to be compared with the names of parameters. */
export function askedIn(text: string): Asked {
  return new Set(
    partsOf(text.slice(0, LONGEST_ASKED))
      .filter((word) => !STOP_WORDS.has(word))
      .map(stem),
  );
}

/** True if a line leaves parameters out. */
export function isCut(line: string): boolean {
  return CUT.test(line);
}

/** What is demonstrably wrong with the arguments of a call; empty if nothing is. */
export function argumentProblems(tool: ToolDoc, args: Json): string[] {
  return problemsOf(args, tool.inputSchema);
}

function argumentTexts(tool: ToolDoc, asked: Asked): string[] {
  const { inputSchema } = tool;
  if (!isObject(inputSchema)) return inputSchema === undefined ? [] : [LOST];
  const schema = flattened(inputSchema, inputSchema);
  const isRequired = neededOf(schema, inputSchema);
  const [needed, free] = [true, false].map((wanted) =>
    propertiesOf(schema)
      .filter(([name]) => isRequired.has(name) === wanted)
      .slice(0, MOST_PARAMETERS),
  );
  const required = requiredTexts(needed ?? [], inputSchema);
  const space = Math.max(ROOM.optional, ROOM.arguments - required.join(", ").length);
  return [...required, ...optionalTexts(free ?? [], tool, { space, asked })];
}

type Property = readonly [name: string, schema: unknown];

function requiredTexts(properties: readonly Property[], root: Json): string[] {
  const write = (detail: Detail) => {
    const types = new TypeText(root, detail);
    return properties.map(([name, schema]) => types.property(name, schema, true, 0));
  };
  for (const detail of DETAILS) {
    const texts = write(detail);
    if (texts.join(", ").length <= LONGEST.required) return texts;
  }
  return write(DETAILS.at(-1) ?? DETAILS[0]);
}

interface Room {
  readonly space: number;
  readonly asked: Asked;
}

/**
 * The chosen parameters in the order of the schema. If there is no room for all, they are chosen in this order: those in the
 * query, those with a choice, those that the description mentions, others.
 */
function optionalTexts(properties: readonly Property[], tool: ToolDoc, { space, asked }: Room): string[] {
  const root = isObject(tool.inputSchema) ? tool.inputSchema : {};
  const types = new TypeText(root, OPTIONAL_DETAIL);
  const texts = properties.map(([name, schema]) => types.property(name, schema, false, 0));
  if (texts.join(", ").length <= space) return texts;
  const spoken = new Set(partsOf(`${textOf(tool.name)} ${textOf(tool.description)}`));
  const ranks = properties.map((property) => rankOf(property, root, { asked, spoken }));
  const chosen = new Set<number>();
  let length = 0;
  for (const [rank, most] of [
    Math.max(space, ROOM.deciding),
    Math.max(space, ROOM.deciding),
    space,
    ROOM.optional,
  ].entries()) {
    for (const [i, text] of texts.entries()) {
      if (ranks[i] !== rank || length + text.length > most) continue;
      length += text.length + 2;
      chosen.add(i);
    }
  }
  const left = texts.length - chosen.size;
  return [...texts.filter((_, i) => chosen.has(i)), ...(left === 0 ? [] : [`${LOST} ${left} more`])];
}

function rankOf(
  [name, written]: Property,
  root: Json,
  { asked, spoken }: { readonly asked: Asked; readonly spoken: ReadonlySet<string> },
): number {
  const words = partsOf(name);
  if (words.some((word) => asked.has(stem(word)))) return 0;
  if (Array.isArray(resolved(written, root)?.enum)) return 1;
  return words.every((word) => spoken.has(word)) ? 2 : 3;
}
