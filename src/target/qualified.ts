// Names for items of many backends on one route (`backend__tool`, `gateway:backend:uri`), and how they are parsed.

import { sha256 } from "../digest.ts";
import { changed, itemsOf, memberOf, objectOf } from "../protocol/exact.ts";
import { isObject, type Json } from "../protocol/jsonrpc.ts";

/** Clients refuse whole sessions over longer tool names. */
const MAX_NAME_LENGTH = 64;
const HASH_LENGTH = 8;
const SEPARATOR = "__";
const URI_PREFIX = "gateway:";
/** Hosts of MCP Apps recognise an app by this scheme, so it is kept. */
const APP_SCHEME = "ui://";
const APP_PREFIX = "ui://gateway/";

/**
 * `backend__name`, made unique by a hash if clients refuse one of its characters, if it is too long, or if the backend's
 * name does not end at the first `__`: `a` with `b__c` and `a__b` with `c` must get different names.
 */
export function qualifyName(backend: string, name: string): string {
  const plain = `${backend}${SEPARATOR}${name}`;
  const safe = plain.replace(/[^A-Za-z0-9_-]/g, "_");
  const isUnique = plain.indexOf(SEPARATOR) === backend.length;
  if (isUnique && safe === plain && safe.length <= MAX_NAME_LENGTH) return safe;
  const hash = sha256(plain).toString("hex").slice(0, HASH_LENGTH);
  return `${safe.slice(0, MAX_NAME_LENGTH - HASH_LENGTH - 1)}_${hash}`;
}

/** How `written` matches an item of a backend: `exact` is the listed name, `loose` the name without its hash. */
export function qualification(
  qualified: string,
  backend: string,
  name: string,
): "exact" | "loose" | undefined {
  if (qualified === qualifyName(backend, name)) return "exact";
  return qualified === `${backend}${SEPARATOR}${name}` ? "loose" : undefined;
}

/** The backends that a qualified name can belong to; the longest name first. */
export function possibleOwners(qualified: string, backends: readonly string[]): string[] {
  const fitting = backends.filter((backend) => qualified.startsWith(`${backend}${SEPARATOR}`));
  return fitting.sort((a, b) => b.length - a.length);
}

/** Splits `backend__name` or `backend.name` (the form of signatures); the longest matching backend wins. */
export function splitLoosely(
  written: string,
  backends: readonly string[],
): { backend: string; name: string } | undefined {
  const fitting = backends.filter(
    (backend) => written.startsWith(`${backend}.`) || written.startsWith(`${backend}${SEPARATOR}`),
  );
  const backend = fitting.sort((a, b) => b.length - a.length)[0];
  if (backend === undefined) return undefined;
  const rest = written.slice(backend.length);
  return { backend, name: rest.slice(rest.startsWith(".") ? 1 : SEPARATOR.length) };
}

/** Qualifies a URI or URI template, reversibly: the original follows the prefix, or for an app the scheme and prefix. */
export function qualifyUri(backend: string, uri: string): string {
  if (uri.startsWith(APP_SCHEME)) return `${APP_PREFIX}${backend}/${uri.slice(APP_SCHEME.length)}`;
  return `${URI_PREFIX}${backend}:${uri}`;
}

export function splitUri(qualified: string): { backend: string; uri: string } | undefined {
  const app = /^ui:\/\/gateway\/([A-Za-z0-9._-]+)\/(.*)$/s.exec(qualified);
  if (app?.[1] !== undefined) return { backend: app[1], uri: `${APP_SCHEME}${app[2]}` };
  const match = /^gateway:([A-Za-z0-9._-]+):(.*)$/s.exec(qualified);
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { backend: match[1], uri: match[2] };
}

/** A tool, prompt, resource or template with its qualified name or URI. */
export function qualifyItem(backend: string, item: unknown): unknown {
  if (!isObject(item)) return item;
  const { uri, uriTemplate, name } = item;
  if (typeof uri === "string") return changed(item, { uri: qualifyUri(backend, uri) });
  if (typeof uriTemplate === "string")
    return changed(item, { uriTemplate: qualifyUri(backend, uriTemplate) });
  if (typeof name !== "string") return item;
  return changed(item, { name: qualifyName(backend, name), ...qualifiedView(backend, item) });
}

/** The result of a tool or a prompt, with qualified URIs for all resources that it names. */
export function qualifyLinks(backend: string, result: Json): Json {
  const changes: Json = qualifiedView(backend, result);
  for (const key of ["content", "messages"]) {
    const blocks = result[key];
    if (!Array.isArray(blocks) || !blocks.some((block) => linksOf(block))) continue;
    const known = memberOf(result, key);
    const items = Array.isArray(known) ? itemsOf(known) : [];
    changes[key] = items.map((block) => withQualifiedLink(backend, block));
  }
  return Object.keys(changes).length === 0 ? result : changed(result, changes);
}

/** True if a content block, or a message, names a resource. */
function linksOf(block: unknown): boolean {
  if (!isObject(block)) return false;
  if (block.type === "resource_link" || block.type === "resource") return true;
  const { content } = block;
  return Array.isArray(content) ? content.some(linksOf) : isObject(content) && linksOf(content);
}

function withQualifiedLink(backend: string, block: unknown): unknown {
  if (!isObject(block) || !linksOf(block)) return block;
  if (block.type === "resource_link") {
    const { uri } = block;
    return typeof uri === "string" ? changed(block, { uri: qualifyUri(backend, uri) }) : block;
  }
  const resource = block.type === "resource" ? objectOf(block, "resource") : undefined;
  if (resource !== undefined) return changed(block, { resource: qualifyItem(backend, resource) });
  const content = memberOf(block, "content");
  const qualified = Array.isArray(content)
    ? itemsOf(content).map((inner) => withQualifiedLink(backend, inner))
    : withQualifiedLink(backend, content);
  return changed(block, { content: qualified });
}

/** `_meta` with qualified URIs of a tool's view, in the forms of MCP Apps (now and before) and of ChatGPT's apps. */
function qualifiedView(backend: string, item: Json): { _meta?: Json } {
  if (!isObject(item._meta)) return {};
  const meta = objectOf(item, "_meta") ?? {};
  const changes: Json = {};
  for (const key of ["ui/resourceUri", "openai/outputTemplate"]) {
    const uri = meta[key];
    if (typeof uri === "string") changes[key] = qualifyUri(backend, uri);
  }
  const ui = objectOf(meta, "ui");
  if (typeof ui?.resourceUri === "string")
    changes.ui = changed(ui, { resourceUri: qualifyUri(backend, ui.resourceUri) });
  return Object.keys(changes).length === 0 ? {} : { _meta: changed(meta, changes) };
}
