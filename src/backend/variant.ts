// A shared backend may have several connections, because the handshake fixes the era and the declared capabilities of a
// connection. The key of a connection says which clients it is for.

import type { Asker, Era } from "../protocol/call.ts";
import { isObject, type Json } from "../protocol/jsonrpc.ts";
import { TASKS_EXTENSION } from "../protocol/mcp.ts";

/** The connection for all clients without one of their own, and for lists and search. */
export const COMMON = "";

/** A legacy connection beside the common one, without extensions. */
export const LEGACY = "legacy";

/**
 * The key of the connection for this client at a server of this era. In the modern era every request declares its
 * capabilities, so one connection serves all. A legacy connection declares once, so each set of extensions has its own.
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

/** The extensions that a connection with this key declares; undefined if the key is no variant. */
export function readVariant(key: string): { readonly extensions: Json } | undefined {
  if (!key.startsWith(LEGACY)) return undefined;
  if (key === LEGACY) return { extensions: {} };
  const extensions: unknown = JSON.parse(key.slice(LEGACY.length));
  return { extensions: isObject(extensions) ? extensions : {} };
}

/** The client's extensions that exist in the legacy era, sorted by name. */
export function legacyExtensions({ extensions }: Json): Json {
  if (!isObject(extensions)) return {};
  const names = Object.keys(extensions).filter((name) => name !== TASKS_EXTENSION);
  return Object.fromEntries(names.sort().map((name) => [name, extensions[name]]));
}
