// A backend that clients share may have more than one connection: what a connection declares, and the era that it speaks,
// are fixed by its handshake. Each connection has a key that says for whom it is.

import type { Asker, Era } from "../protocol/call.ts";
import { isObject, type Json } from "../protocol/jsonrpc.ts";
import { TASKS_EXTENSION } from "../protocol/mcp.ts";

/** The connection for everybody, and for what concerns no client: lists and search. */
export const COMMON = "";

/** A legacy connection beside the common one, without extensions. */
export const LEGACY = "legacy";

/**
 * The key of the connection for this client at a server of this era. The modern era says everything with each request,
 * so one connection serves all. A legacy connection declares once: clients with extensions have their own, each set one.
 */
export function variantKey(
  { era, capabilities }: Asker,
  server: { readonly era: Era; readonly isModernOnly: boolean },
): string {
  const isModern = server.era === "modern" && (era === "modern" || server.isModernOnly);
  if (isModern) return COMMON;
  const plain = server.era === "modern" ? LEGACY : COMMON;
  if (capabilities.extensions === undefined) return plain;
  const extensions = legacyExtensions(capabilities);
  return Object.keys(extensions).length === 0 ? plain : LEGACY + JSON.stringify(extensions);
}

/** What a connection with this key declares; undefined if the key is no variant. */
export function readVariant(key: string): { readonly extensions: Json } | undefined {
  if (!key.startsWith(LEGACY)) return undefined;
  if (key === LEGACY) return { extensions: {} };
  const extensions: unknown = JSON.parse(key.slice(LEGACY.length));
  return { extensions: isObject(extensions) ? extensions : {} };
}

/** The client's extensions that a legacy server can know, in the order of their names. */
export function legacyExtensions({ extensions }: Json): Json {
  if (!isObject(extensions)) return {};
  const names = Object.keys(extensions).filter((name) => name !== TASKS_EXTENSION);
  return Object.fromEntries(names.sort().map((name) => [name, extensions[name]]));
}
