// Repairs one item of a backend's list for a merged list: clients refuse a whole list because of one item that the
// specification does not allow. Wrong members are repaired or removed; a correct item stays the same object. Must not know
// names of routes.

import type { Era } from "../protocol/call.ts";
import { changed, memberOf } from "../protocol/exact.ts";
import { isObject, type Json } from "../protocol/jsonrpc.ts";

/** The same value if it is correct, another one if it can be repaired, undefined if it must be left out. */
type Mend = (value: unknown) => unknown;

const text: Mend = (value) => (typeof value === "string" ? value : undefined);
const flag: Mend = (value) => (typeof value === "boolean" ? value : undefined);
const record: Mend = (value) => (isObject(value) ? value : undefined);

function amongst(...allowed: readonly unknown[]): Mend {
  return (value) => (allowed.includes(value) ? value : undefined);
}

function within(least: number, most: number): Mend {
  return (value) => (typeof value === "number" && value >= least && value <= most ? value : undefined);
}

function listOf(mend: Mend): Mend {
  return (value) => {
    if (!Array.isArray(value)) return;
    const mended = value.map((item: unknown) => mend(item));
    return mended.every((item, i) => item === value[i]) ? value : mended.filter((item) => item !== undefined);
  };
}

type Members = Readonly<Record<string, Mend>>;

/** An object whose members may be missing, except those that are `needed`. */
function shape(members: Members, needed: readonly string[] = []): Mend {
  return (value) => {
    if (!isObject(value) || needed.some((key) => members[key]?.(value[key]) === undefined)) return;
    return withMended(value, members);
  };
}

function withMended(value: Json, members: Members): Json {
  const changes: Json = {};
  for (const [key, mend] of Object.entries(members)) {
    if (value[key] === undefined || mend(value[key]) === value[key]) continue;
    // Repeat the repair on the member that knows its text, so that the rest of it stays as it was written.
    changes[key] = mend(memberOf(value, key));
  }
  return Object.keys(changes).length === 0 ? value : changed(value, changes);
}

const properties: Mend = (value) => {
  if (!isObject(value)) return;
  const changes: Json = {};
  for (const [name, schema] of Object.entries(value)) {
    // JSON Schema allows true and false, the SDKs do not.
    if (!isObject(schema)) changes[name] = schema === false ? { not: {} } : {};
  }
  return Object.keys(changes).length === 0 ? value : changed(value, changes);
};

const SCHEMA: Members = { properties, required: listOf(text) };

/** The schema of arguments: it must exist and describe an object. */
const argumentSchema: Mend = (value) => {
  const schema = withMended(isObject(value) ? value : {}, SCHEMA);
  return schema.type === "object" ? schema : changed(schema, { type: "object" });
};

/** The schema of results: only the modern era allows results that are no objects. */
function resultSchema(era: Era): Mend {
  return (value) => {
    if (!isObject(value)) return;
    if (value.type === "object") return withMended(value, SCHEMA);
    return era === "modern" ? value : undefined;
  };
}

const icons = listOf(
  shape({ src: text, mimeType: text, sizes: listOf(text), theme: amongst("light", "dark") }, ["src"]),
);
const COMMON: Members = { title: text, description: text, icons, _meta: record };
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;
const RESOURCE: Members = {
  ...COMMON,
  name: text,
  mimeType: text,
  size: within(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
  annotations: shape({
    audience: listOf(amongst("user", "assistant")),
    priority: within(0, 1),
    lastModified: (value) => (typeof value === "string" && RFC_3339.test(value) ? value : undefined),
  }),
};
const TOOL: Members = {
  ...COMMON,
  annotations: shape({
    title: text,
    readOnlyHint: flag,
    destructiveHint: flag,
    idempotentHint: flag,
    openWorldHint: flag,
  }),
  execution: shape({ taskSupport: amongst("required", "optional", "forbidden") }),
};
const PROMPT: Members = {
  ...COMMON,
  arguments: listOf(shape({ name: text, title: text, description: text, required: flag }, ["name"])),
};

/** The item of a list with this key, fit to be shown to a client of this era; undefined if it cannot be repaired. */
export function shareable(key: string, item: unknown, era: Era): Json | undefined {
  if (!isObject(item)) return undefined;
  switch (key) {
    case "tools":
      return typeof item.name === "string" ? mendedTool(item, era) : undefined;
    case "prompts":
      return typeof item.name === "string" ? withMended(item, PROMPT) : undefined;
    case "resources":
      return mendedResource(item, item.uri);
    default:
      return mendedResource(item, item.uriTemplate);
  }
}

function mendedTool(item: Json, era: Era): Json {
  const tool = withMended(item, { ...TOOL, outputSchema: resultSchema(era) });
  const inputSchema = memberOf(tool, "inputSchema");
  const mended = argumentSchema(inputSchema);
  return mended === inputSchema ? tool : changed(tool, { inputSchema: mended });
}

function mendedResource(item: Json, uri: unknown): Json | undefined {
  if (typeof uri !== "string") return undefined;
  const resource = withMended(item, RESOURCE);
  return resource.name === undefined ? changed(resource, { name: uri }) : resource;
}
