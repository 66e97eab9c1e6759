// Fills the arguments of a signature with what is known, by their names and types. Knows nothing else of a tool.

import { choicesOf, type Parameter, readParameters } from "./agent-signature.ts";

/** What a task knows, by the words that an argument for it may be called: `{ "path|file": "notes.txt" }`. */
export interface Facts {
  readonly [words: string]: Fact;
}

export type Fact = string | number | boolean | readonly Fact[] | Facts;

/** Undefined where something that is required is not known, or something that is known has no place. */
export function fillArguments(
  parameters: readonly Parameter[],
  facts: Facts,
): Record<string, unknown> | undefined {
  const unused = new Map(Object.entries(facts));
  const filled: Record<string, unknown> = {};
  // What must be given chooses first.
  for (const { name, type, isRequired } of parameters.toSorted(
    (a, b) => Number(b.isRequired) - Number(a.isRequired),
  )) {
    const [words, value] = findFact(name, type, unused);
    if (words !== undefined) {
      filled[name] = value;
      unused.delete(words);
    } else if (isRequired) {
      return undefined;
    }
  }
  return unused.size === 0 ? filled : undefined;
}

function findFact(
  name: string,
  type: string,
  facts: ReadonlyMap<string, Fact>,
): [words: string, value: unknown] | [undefined] {
  for (const [words, fact] of facts) {
    if (!new RegExp(words, "i").test(name)) continue;
    for (const choice of choicesOf(type)) {
      const value = shape(choice, fact);
      if (value !== undefined) return [words, value];
    }
  }
  return [undefined];
}

/** The fact as the type wants it; undefined where it cannot be that. */
function shape(type: string, fact: Fact): unknown {
  if (type.endsWith("[]")) return shapeList(type.slice(0, -2).replace(/^\((.*)\)$/, "$1"), fact);
  if (type.startsWith("{")) {
    return isFacts(fact) ? fillArguments(readParameters(type.slice(1, -1)), fact) : undefined;
  }
  const isFitting = type.startsWith('"')
    ? JSON.stringify(fact) === type
    : typeof fact === PRIMITIVES.get(type);
  return isFitting ? fact : undefined;
}

function shapeList(item: string, fact: Fact): unknown[] | undefined {
  const items = (Array.isArray(fact) ? fact : [fact]).map((each: Fact) => shape(item, each));
  return items.includes(undefined) ? undefined : items;
}

const PRIMITIVES: ReadonlyMap<string, string> = new Map([
  ["string", "string"],
  ["number", "number"],
  ["int", "number"],
  ["bool", "boolean"],
  ["boolean", "boolean"],
]);

function isFacts(fact: Fact): fact is Facts {
  return typeof fact === "object" && !Array.isArray(fact);
}
