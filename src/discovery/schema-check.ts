// What is demonstrably wrong with arguments. Light by intent: where a schema is odd or silent, nothing is wrong.

import { distance } from "fastest-levenshtein";
import { isObject, type Json } from "../protocol/jsonrpc.ts";
import { alternatives, neededOf, propertiesOf, resolved, typesOf } from "./schema.ts";
import { oneLine } from "./type-text.ts";

const DEEPEST = 6;
const MOST_STEPS = 2_000;
const MOST_PROBLEMS = 5;
const MOST_ITEMS = 50;
/** So many properties of an object, or values of an enumeration, cost one step. */
const MEMBERS_PER_STEP = 20;
const MOST_SUGGESTED = 1_000;
const LONGEST_NAME = 64;
/** So many known names are listed if none is similar to the wrong one. */
const MOST_NAMED = 12;

export function problemsOf(args: Json, schema: unknown): string[] {
  if (!isObject(schema)) return [];
  return new Check(schema).of(args, schema, { path: "", depth: 0 }).slice(0, MOST_PROBLEMS);
}

/** Where in the arguments. */
interface Place {
  readonly path: string;
  readonly depth: number;
}

class Check {
  readonly #root: Json;
  /** A small schema can unfold into a vast one. */
  #stepsLeft = MOST_STEPS;

  constructor(root: Json) {
    this.#root = root;
  }

  of(value: unknown, written: unknown, place: Place): string[] {
    const schema = resolved(written, this.#root);
    this.#stepsLeft -= 1;
    if (schema === undefined || place.depth > DEEPEST || this.#stepsLeft < 0) return [];
    if (value === null && schema.nullable === true) return [];
    const own = [...this.#choice(value, schema, place), ...this.#type(value, schema, place)];
    if (own.length > 0) return own;
    const parts: unknown[] = Array.isArray(schema.allOf) ? schema.allOf : [];
    return [
      ...parts.flatMap((part) => this.of(value, part, { ...place, depth: place.depth + 1 })),
      ...this.#alternatives(value, schema, place),
      ...(isObject(value) ? this.#object(value, schema, place) : []),
      ...(Array.isArray(value) ? this.#items(value, schema, place) : []),
    ];
  }

  #choice(value: unknown, schema: Json, { path }: Place): string[] {
    const choices: unknown[] = Array.isArray(schema.enum) ? schema.enum : [];
    const allowed = schema.const === undefined ? choices : [schema.const];
    this.#stepsLeft -= allowed.length / MEMBERS_PER_STEP;
    // Only plain values are compared; two equal objects are not told apart from different ones.
    if (
      allowed.length === 0 ||
      allowed.some(isObject) ||
      allowed.some(Array.isArray) ||
      allowed.includes(value)
    )
      return [];
    const some = allowed.slice(0, 12).map((choice) => oneLine(JSON.stringify(choice) ?? ""));
    return [
      `${named(path)} must be ${some.length > 1 ? "one of " : ""}${some.join(", ")}${allowed.length > 12 ? ", …" : ""}`,
    ];
  }

  #type(value: unknown, schema: Json, { path }: Place): string[] {
    const types = typesOf(schema);
    const isKnown = types.length > 0 && types.every((type) => type in MATCHERS);
    if (!isKnown || types.some((type) => MATCHERS[type]?.(value))) return [];
    return [`${named(path)} must be ${types.join(" or ")}, not ${typeOf(value)}`];
  }

  #alternatives(value: unknown, schema: Json, place: Place): string[] {
    const choices = alternatives(schema);
    const all = choices.map((choice) => this.of(value, choice, { ...place, depth: place.depth + 1 }));
    if (all.length === 0 || all.some((problems) => problems.length === 0)) return [];
    return all.length === 1 ? all.flat() : [`${named(place.path)} fits none of its ${all.length} forms`];
  }

  #object(value: Json, schema: Json, place: Place): string[] {
    const properties = propertiesOf(schema);
    const required = [...neededOf(schema, this.#root)];
    this.#stepsLeft -= (properties.length + required.length) / MEMBERS_PER_STEP;
    const missing = required.filter((name) => !Object.hasOwn(value, name));
    return [
      ...missing.slice(0, MOST_PROBLEMS).map((name) => `missing required ${named(within(place.path, name))}`),
      ...this.#unknown(value, schema, place),
      ...properties.flatMap(([name, property]) =>
        Object.hasOwn(value, name)
          ? this.of(value[name], property, { path: within(place.path, name), depth: place.depth + 1 })
          : [],
      ),
    ];
  }

  /** Names that the schema does not allow. If the top of a schema is open, only names that look like misspelt properties. */
  #unknown(value: Json, schema: Json, { path }: Place): string[] {
    // Parts and alternatives may know the name.
    if (schema.allOf !== undefined || alternatives(schema).length > 0) return [];
    const isClosed = schema.additionalProperties === false && schema.patternProperties === undefined;
    if (!isClosed && path !== "") return [];
    const known = new Set(propertiesOf(schema).map(([name]) => name));
    return Object.keys(value)
      .filter((name) => !known.has(name))
      .slice(0, MOST_PROBLEMS)
      .flatMap((name) => {
        const meant = suggestion(name, known);
        return isClosed || meant.nearest ? [`unknown ${named(within(path, name))}${meant.text}`] : [];
      });
  }

  #items(value: readonly unknown[], schema: Json, { path, depth }: Place): string[] {
    if (!isObject(schema.items) || schema.prefixItems !== undefined) return [];
    return value
      .slice(0, MOST_ITEMS)
      .flatMap((item, i) => this.of(item, schema.items, { path: `${path}[${i}]`, depth: depth + 1 }));
  }
}

const MATCHERS: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
  array: Array.isArray,
  object: isObject,
};

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function named(path: string): string {
  return path === "" ? "the arguments" : JSON.stringify(oneLine(path, 120));
}

function within(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

interface Suggestion {
  readonly nearest: string | undefined;
  readonly text: string;
}

/** The most similar known name, or if none is similar, some of the known names. */
function suggestion(name: string, known: ReadonlySet<string>): Suggestion {
  const wanted = plain(name);
  const names = [...known].slice(0, MOST_SUGGESTED);
  const [best] = names
    .map((other) => ({ other, apart: apart(wanted, plain(other)) }))
    .filter(({ other, apart: letters }) => isNear(letters, wanted, other))
    .sort((a, b) => a.apart - b.apart);
  if (best !== undefined)
    return { nearest: best.other, text: ` (did you mean ${JSON.stringify(oneLine(best.other))}?)` };
  const some = names.slice(0, MOST_NAMED).map((other) => oneLine(other));
  const more = names.length > some.length ? ", …" : "";
  return { nearest: undefined, text: some.length === 0 ? "" : ` (there are ${some.join(", ")}${more})` };
}

/** Some letters may differ, but not half of them. */
function isNear(letters: number, wanted: string, other: string): boolean {
  return letters <= Math.max(2, other.length / 3) && 2 * letters < Math.max(wanted.length, other.length);
}

function plain(text: string): string {
  return text
    .slice(0, LONGEST_NAME)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");
}

/** The distance in letters. A name that is the beginning or the end of the other is near. */
function apart(wanted: string, other: string): number {
  const isPart =
    wanted.length >= 3 &&
    (other.startsWith(wanted) ||
      other.endsWith(wanted) ||
      (other.length >= 3 && (wanted.startsWith(other) || wanted.endsWith(other))));
  return isPart ? 1 : distance(wanted, other);
}
