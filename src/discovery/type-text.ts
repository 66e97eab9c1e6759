// A schema as a short type: `string`, `"a"|"b"`, `{path: string, depth?: int}[]`. `…` stands where something is left out.

import { isObject, type Json } from "../protocol/jsonrpc.ts";
import { alternatives, flattened, nameOfRef, neededOf, propertiesOf, resolved, typesOf } from "./schema.ts";

export const LOST = "…";

/** How much may be written out. */
export interface Detail {
  /** Objects within objects. */
  readonly depth: number;
  readonly choices: number;
  readonly properties: number;
}

const SHORT_NAMES: Readonly<Record<string, string>> = { integer: "int" };
const MOST_STEPS = 500;
/** So many properties of an object cost a step: one schema can refer to the same large object many times. */
const PROPERTIES_PER_STEP = 20;
/** So many values of an enumeration, alternatives or items of a tuple are looked at. */
const MOST_CHOICES = 100;
const DEEPEST = 20;
const LONGEST_LITERAL = 40;
const LONGEST_NAME = 60;
const FEWEST = 4;

export class TypeText {
  readonly #root: Json;
  readonly #detail: Detail;
  /** Schemas that are being written: one of them within itself is a circle. */
  readonly #open = new Set<Json>();
  /** A small schema can unfold into a vast one. */
  #stepsLeft = MOST_STEPS;

  constructor(root: Json, detail: Detail) {
    this.#root = root;
    this.#detail = detail;
  }

  of(schema: unknown, depth = 0): string {
    if (schema === false) return "never";
    if (!isObject(schema)) return "any";
    const target = resolved(schema, this.#root);
    if (target === undefined) return LOST;
    this.#stepsLeft -= 1;
    if (this.#stepsLeft < 0 || this.#open.size > DEEPEST) return LOST;
    if (this.#open.has(target)) return `${oneLine(nameOfRef(schema))}${LOST}`;
    this.#open.add(target);
    try {
      return this.#write(target, depth);
    } finally {
      this.#open.delete(target);
    }
  }

  #write(schema: Json, depth: number): string {
    if (schema.const !== undefined) return literal(schema.const);
    if (Array.isArray(schema.enum)) return this.#union(schema.enum.slice(0, MOST_CHOICES).map(literal));
    const choices = alternatives(schema).slice(0, MOST_CHOICES);
    if (choices.length > 0 && propertiesOf(schema).length === 0) {
      return this.#union(choices.map((choice) => this.of(choice, depth)));
    }
    const types = typesOf(schema);
    if (types.length > 1) return this.#union(types.map((type) => this.#ofType(type, schema, depth)));
    return this.#ofType(types[0] ?? impliedType(schema), schema, depth);
  }

  #ofType(type: string, schema: Json, depth: number): string {
    if (type === "array") return this.#array(schema, depth);
    if (type === "object") return this.#object(flattened(schema, this.#root), depth);
    return SHORT_NAMES[type] ?? oneLine(type);
  }

  #array(schema: Json, depth: number): string {
    const tuple = Array.isArray(schema.prefixItems) ? schema.prefixItems : schema.items;
    if (Array.isArray(tuple))
      return `[${bounded(
        tuple.slice(0, MOST_CHOICES).map((item) => this.of(item, depth)),
        this.#detail.choices,
        ", ",
      )}]`;
    const item = this.of(schema.items, depth);
    return item.includes("|") && !/^[{[(]/.test(item) ? `(${item})[]` : `${item}[]`;
  }

  #object(schema: Json, depth: number): string {
    const properties = propertiesOf(schema);
    if (properties.length === 0) return this.#record(schema, depth);
    const required = neededOf(schema, this.#root);
    this.#stepsLeft -= (properties.length + required.size) / PROPERTIES_PER_STEP;
    if (depth >= this.#detail.depth) return `{${LOST}}`;
    // One more than is written, so that the text can show that there are more.
    const texts = properties
      .slice(0, this.#detail.properties + 1)
      .map(([name, property]) => this.property(name, property, required.has(name), depth + 1));
    return `{${bounded(texts, this.#detail.properties, ", ")}}`;
  }

  /** `name: type`, `name?: type = default` */
  property(name: string, schema: unknown, isRequired: boolean, depth: number): string {
    const written = this.of(schema, depth);
    if (isRequired) return `${key(name)}: ${written}`;
    // What may be left out may be null as well: saying so helps nobody.
    const type = written.replace(/\|null$/, "").replace(/^null\|/, "");
    return `${key(name)}?: ${type}${defaultText(resolved(schema, this.#root)?.default)}`;
  }

  #record(schema: Json, depth: number): string {
    if (!isObject(schema.additionalProperties)) return "object";
    return `{[key]: ${this.of(schema.additionalProperties, depth + 1)}}`;
  }

  #union(texts: readonly string[]): string {
    return bounded([...new Set(texts)], this.#detail.choices, "|");
  }
}

/** On one line whatever comes, and not without end. */
export function oneLine(text: string, longest = LONGEST_NAME): string {
  const read = text.slice(0, 4 * longest);
  const flat = read.replace(/[\s\p{Cc}]+/gu, " ").trim();
  return flat.length > longest || read.length < text.length ? `${flat.slice(0, longest)}${LOST}` : flat;
}

/** All of them, or, if they are too many, a few for an example. */
function bounded(texts: readonly string[], most: number, separator: string): string {
  if (texts.length <= most) return texts.join(separator);
  return [...texts.slice(0, Math.min(most, FEWEST)), LOST].join(separator);
}

function key(name: string): string {
  return /^[\p{L}\p{N}_$.-]+$/u.test(name.slice(0, LONGEST_NAME))
    ? oneLine(name)
    : JSON.stringify(oneLine(name));
}

function literal(value: unknown): string {
  return oneLine(JSON.stringify(beginningOf(value, 3)) ?? "any", LONGEST_LITERAL);
}

/** The part of a value that a literal can show, so that a large value is not written as a whole. */
function beginningOf(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.slice(0, 2 * LONGEST_LITERAL);
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return Array.isArray(value) ? [] : {};
  if (Array.isArray(value)) {
    return value.slice(0, LONGEST_LITERAL).map((item) => beginningOf(item, depth - 1));
  }
  if (!isObject(value)) return {};
  const names = Object.keys(value).slice(0, LONGEST_LITERAL);
  return Object.fromEntries(
    names.map((name) => [name.slice(0, 2 * LONGEST_LITERAL), beginningOf(value[name], depth - 1)]),
  );
}

function defaultText(value: unknown): string {
  if (value === undefined || value === null || value === "") return "";
  return ` = ${literal(value)}`;
}

function impliedType(schema: Json): string {
  if (schema.properties !== undefined || schema.allOf !== undefined) return "object";
  if (isObject(schema.additionalProperties)) return "object";
  return schema.items === undefined ? "any" : "array";
}
