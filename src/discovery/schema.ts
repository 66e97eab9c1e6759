// JSON Schema as servers write it, one layer deep: references followed, alternatives and intersections opened.
// Any value may stand where a schema should; what is no schema says nothing.

import { isObject, type Json } from "../protocol/jsonrpc.ts";

const MOST_STEPS = 16;
/** Longer references are not followed. */
const LONGEST_REF = 300;
/** So many parts of an intersection, or of a choice, are looked at. */
const MOST_PARTS = 50;
/** JSON Schema has seven types. */
const MOST_TYPES = 20;

/** The schema itself, or what its `$ref` leads to within `root`; nothing if that is elsewhere or a circle. */
export function resolved(schema: unknown, root: Json): Json | undefined {
  let current = schema;
  for (let step = 0; step < MOST_STEPS; step++) {
    if (!isObject(current)) return undefined;
    if (typeof current.$ref !== "string") return current;
    current = at(current.$ref, root);
  }
  return undefined;
}

/** Node, of `#/$defs/Node`; nothing of a reference to some place in between. */
export function nameOfRef(schema: Json): string {
  const { $ref } = schema;
  return typeof $ref === "string" ? (/^#\/(?:\$defs|definitions)\/([^/]+)$/.exec($ref)?.[1] ?? "") : "";
}

/** What `anyOf` or `oneOf` offers; empty without them. */
export function alternatives(schema: Json): readonly unknown[] {
  if (Array.isArray(schema.anyOf)) return schema.anyOf;
  return Array.isArray(schema.oneOf) ? schema.oneOf : [];
}

export function propertiesOf(schema: Json): [name: string, schema: unknown][] {
  return isObject(schema.properties) ? Object.entries(schema.properties) : [];
}

export function requiredOf(schema: Json): Set<string> {
  const names: unknown[] = Array.isArray(schema.required) ? schema.required : [];
  return new Set(names.filter((name) => typeof name === "string"));
}

/** The required properties without a default. With a default, the argument may be left out. */
export function neededOf(schema: Json, root: Json): Set<string> {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const hasDefault = (name: string) =>
    Object.hasOwn(properties, name) && resolved(properties[name], root)?.default !== undefined;
  return new Set([...requiredOf(schema)].filter((name) => !hasDefault(name)));
}

/** The names of the types allowed: none where the schema does not say. */
export function typesOf(schema: Json): string[] {
  const types: unknown[] = Array.isArray(schema.type) ? schema.type.slice(0, MOST_TYPES) : [schema.type];
  return types.filter((type) => typeof type === "string");
}

/** An object schema with what its `allOf` parts demand, and with what its alternatives offer as optional. */
export function flattened(schema: Json, root: Json): Json {
  const parts = allResolved(Array.isArray(schema.allOf) ? schema.allOf : [], root);
  const choices = allResolved(alternatives(schema), root);
  if (parts.length + choices.length === 0) return schema;
  const properties = Object.fromEntries([...choices, ...parts, schema].flatMap(propertiesOf));
  const required = [...parts, schema].flatMap((part) => [...requiredOf(part)]);
  return { ...Object.assign({}, ...parts), ...schema, properties, required };
}

function allResolved(schemas: readonly unknown[], root: Json): Json[] {
  return schemas
    .slice(0, MOST_PARTS)
    .map((schema) => resolved(schema, root))
    .filter((schema) => schema !== undefined);
}

function at(pointer: string, root: Json): unknown {
  if (pointer === "#") return root;
  if (!pointer.startsWith("#/") || pointer.length > LONGEST_REF) return undefined;
  let current: unknown = root;
  for (const step of pointer.slice(2).split("/")) {
    const key = unescaped(step);
    if (Array.isArray(current)) current = current[Number(key)];
    else if (isObject(current) && Object.hasOwn(current, key)) current = current[key];
    else return undefined;
  }
  return current;
}

function unescaped(step: string): string {
  const plain = step.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}
