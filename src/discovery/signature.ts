// A tool in one line that a model can call it by: name, arguments with their types, what it does.

import { isObject, type Json } from "../protocol/jsonrpc.ts";
import { flattened, propertiesOf, requiredOf } from "./schema.ts";
import { problemsOf } from "./schema-check.ts";
import { firstSentenceOf } from "./sentence.ts";
import { type ToolDoc, textOf } from "./tool.ts";
import { type Detail, LOST, oneLine, TypeText } from "./type-text.ts";
import { partsOf } from "./words.ts";

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
/** What may be given gets the room that is left of `arguments`, but so much in any case. */
const ROOM = { arguments: 150, optional: 60 };

/** `server.tool(arg: type, opt?: type = default)`, with `…` where something is left out. */
export function signature(server: string | undefined, tool: ToolDoc): string {
  const name = oneLine(textOf(tool.name), LONGEST.name);
  const qualified = server === undefined ? name : `${oneLine(server, LONGEST.name)}.${name}`;
  const args = argumentTexts(tool).join(", ");
  return `${qualified}(${args.length > LONGEST.all ? `${args.slice(0, LONGEST.all)}${LOST}` : args})`;
}

/** The first sentence in plain text, not longer than a line. */
export function firstSentence(description: string | undefined): string {
  return firstSentenceOf(description);
}

/** One line: the signature, and in a sentence what the tool does. */
export function answerLine(hit: { readonly server: string; readonly tool: ToolDoc }): string {
  const about = firstSentence(hit.tool.description);
  return `${signature(hit.server, hit.tool)}${about === "" ? "" : ` — ${about}`}`;
}

/** What is demonstrably wrong with the arguments of a call; empty if nothing is. */
export function argumentProblems(tool: ToolDoc, args: Json): string[] {
  return problemsOf(args, tool.inputSchema);
}

function argumentTexts(tool: ToolDoc): string[] {
  const { inputSchema } = tool;
  if (!isObject(inputSchema)) return inputSchema === undefined ? [] : [LOST];
  const schema = flattened(inputSchema, inputSchema);
  const isRequired = requiredOf(schema);
  const [needed, free] = [true, false].map((wanted) =>
    propertiesOf(schema)
      .filter(([name]) => isRequired.has(name) === wanted)
      .slice(0, MOST_PARAMETERS),
  );
  const required = requiredTexts(needed ?? [], inputSchema);
  const optional = optionalTexts(
    free ?? [],
    tool,
    Math.max(ROOM.optional, ROOM.arguments - required.join(", ").length),
  );
  return [...required, ...optional];
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

/** In the order of the schema; where the room does not do, first those that the description speaks of. */
function optionalTexts(properties: readonly Property[], tool: ToolDoc, space: number): string[] {
  const types = new TypeText(isObject(tool.inputSchema) ? tool.inputSchema : {}, OPTIONAL_DETAIL);
  const texts = properties.map(([name, schema]) => types.property(name, schema, false, 0));
  if (texts.join(", ").length <= space) return texts;
  const spoken = new Set(partsOf(`${textOf(tool.name)} ${textOf(tool.description)}`));
  const isSpoken = properties.map(([name]) => partsOf(name).every((word) => spoken.has(word)));
  const chosen = new Set<string>();
  let length = 0;
  const choose = (among: boolean, most: number) => {
    for (const [i, text] of texts.entries()) {
      if (isSpoken[i] !== among || length + text.length > most) continue;
      length += text.length + 2;
      chosen.add(text);
    }
  };
  choose(true, space);
  choose(false, ROOM.optional);
  return [...texts.filter((text) => chosen.has(text)), LOST];
}
