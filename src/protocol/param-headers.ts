// The mirror of a request in HTTP headers (2026-07-28, basic/transports/streamable-http, "Request Metadata").
// Pure: which headers a request must have, and whether those that came agree with the body.

import { objectOf, textOf } from "./exact.ts";
import { memberText } from "./json-text.ts";
import { isObject, type Json } from "./jsonrpc.ts";
import { Header, NAMED_BY } from "./mcp.ts";

const SENTINEL = /^=\?base64\?(.*)\?=$/s;
const PLAIN = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Where in the arguments a header's value lies, and its name without the `Mcp-Param-` prefix. */
export interface ParamHeader {
  readonly path: readonly string[];
  readonly name: string;
  readonly type: string;
}

export function encodeHeaderValue(value: string): string {
  if (PLAIN.test(value) && !SENTINEL.test(value)) return value;
  return `=?base64?${Buffer.from(value, "utf8").toString("base64")}?=`;
}

/** The value behind a header, or undefined where it is malformed. */
export function decodeHeaderValue(value: string): string | undefined {
  const match = SENTINEL.exec(value);
  if (match === null) return /^[\x20-\x7e\t]*$/.test(value) ? value : undefined;
  const base64 = match[1] ?? "";
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(base64, "base64"));
  } catch {
    return undefined;
  }
}

/** The headers that a modern request carries over HTTP beside its version. */
export function mirrorHeaders(
  method: string,
  params: Json | undefined,
  paramHeaders: readonly ParamHeader[] = [],
): Record<string, string> {
  const headers: Record<string, string> = { [Header.method]: method };
  const named = params?.[NAMED_BY.get(method) ?? ""];
  if (typeof named === "string") headers[Header.name] = encodeHeaderValue(named);
  for (const { path, name } of paramHeaders) {
    const text = headerText(valueAt(params, path));
    if (text !== undefined) headers[`${Header.paramPrefix}${name}`] = encodeHeaderValue(text);
  }
  return headers;
}

/** Why a header does not agree with the body, in words for the client's developer; undefined where all agree. */
export function findMirrorMismatch(
  headers: Headers,
  method: string,
  params: Json | undefined,
  paramHeaders: readonly ParamHeader[] = [],
): string | undefined {
  return (
    methodMismatch(headers, method) ??
    nameMismatch(headers, method, params) ??
    paramMismatch(headers, params, paramHeaders)
  );
}

function methodMismatch(headers: Headers, method: string): string | undefined {
  const sent = headers.get(Header.method);
  if (sent === null) return `the ${Header.method} header is missing; it must repeat the method "${method}"`;
  return sent === method ? undefined : `${Header.method} is "${sent}" but the body's method is "${method}"`;
}

function nameMismatch(headers: Headers, method: string, params: Json | undefined): string | undefined {
  const key = NAMED_BY.get(method);
  if (key === undefined) return undefined;
  const value = params?.[key];
  if (typeof value !== "string") return undefined; // The method itself will say what it misses.
  return valueMismatch(Header.name, headers.get(Header.name), value, "string");
}

function paramMismatch(
  headers: Headers,
  params: Json | undefined,
  all: readonly ParamHeader[],
): string | undefined {
  for (const { path, name, type } of all) {
    const header = `${Header.paramPrefix}${name}`;
    const text = headerText(valueAt(params, path));
    const sent = headers.get(header);
    if (text === undefined) {
      if (sent !== null) return `${header} is sent but the argument ${path.join(".")} is not in the body`;
      continue;
    }
    const mismatch = valueMismatch(header, sent, text, type);
    if (mismatch !== undefined) return mismatch;
  }
  return undefined;
}

function valueMismatch(header: string, sent: string | null, value: string, type: string): string | undefined {
  if (sent === null) return `the ${header} header is missing; the body has a value for it`;
  const decoded = decodeHeaderValue(sent);
  if (decoded === undefined) return `${header} is malformed (plain ASCII or =?base64?…?= is expected)`;
  if (decoded === value) return undefined;
  const numeric = type === "integer" && decoded.trim() !== "" && Number(decoded) === Number(value);
  return numeric ? undefined : `${header} does not match the value in the body`;
}

/** One of the arguments; its text if it is a number that a double cannot hold. */
function valueAt(params: Json | undefined, path: readonly string[]): unknown {
  let holder: Json | undefined = params === undefined ? undefined : objectOf(params, "arguments");
  const last = path.at(-1);
  for (const key of path.slice(0, -1)) holder = holder === undefined ? undefined : objectOf(holder, key);
  if (holder === undefined || last === undefined || !Object.hasOwn(holder, last)) return undefined;
  const value = holder[last];
  const isExact = typeof value !== "number" || Number.isSafeInteger(value);
  return isExact ? value : (memberText(textOf(holder) ?? "{}", last) ?? value);
}

function headerText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value)))
    return String(value);
  return undefined;
}

/**
 * Reads the `x-mcp-header` annotations of a tool's input schema.
 * Returns undefined where one of them is invalid: a client must then leave the tool out (same page, "Schema Extension").
 */
export function readParamHeaders(inputSchema: unknown): ParamHeader[] | undefined {
  const found: ParamHeader[] = [];
  if (!collect(inputSchema, [], true, found)) return undefined;
  const names = new Set(found.map(({ name }) => name.toLowerCase()));
  return names.size === found.length ? found : undefined;
}

const PRIMITIVES = new Set(["string", "integer", "boolean"]);
const ANNOTATION = "x-mcp-header";
const MAX_DEPTH = 32;

/** Walks a schema; `reachable` is true only along plain `properties`, where an annotation may stand. */
function collect(
  schema: unknown,
  path: readonly string[],
  reachable: boolean,
  found: ParamHeader[],
): boolean {
  if (path.length > MAX_DEPTH) return true;
  if (Array.isArray(schema)) return schema.every((part) => collect(part, [...path, "[]"], false, found));
  if (!isObject(schema)) return true;
  if (Object.hasOwn(schema, ANNOTATION) && !addAnnotation(schema, path, reachable, found)) return false;
  return Object.entries(schema).every(([keyword, value]) => {
    if (keyword === "properties" && isObject(value)) {
      return Object.entries(value).every(([name, sub]) => collect(sub, [...path, name], reachable, found));
    }
    if (NO_SCHEMA.has(keyword)) return true;
    return collect(value, [...path, keyword], false, found);
  });
}

/** Keywords whose value is data and no schema: an annotation inside means nothing. */
const NO_SCHEMA = new Set(["const", "enum", "default", "examples", ANNOTATION]);

function addAnnotation(
  schema: Json,
  path: readonly string[],
  reachable: boolean,
  found: ParamHeader[],
): boolean {
  const name = schema[ANNOTATION];
  const type = schema.type;
  if (!reachable || path.length === 0) return false;
  if (typeof name !== "string" || !TOKEN.test(name)) return false;
  if (typeof type !== "string" || !PRIMITIVES.has(type)) return false;
  found.push({ path, name, type });
  return true;
}
