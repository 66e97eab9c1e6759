// The fields that every modern result must have (2026-07-28, basic/index and server/utilities/caching), put on results
// that come from elsewhere: from a legacy backend, from the catalogue, or from the gateway itself.

import { isLifetime, isScope } from "./cache-policy.ts";
import type { Answer } from "./call.ts";
import { changed, keepText, objectOf, textOf, writeJson } from "./exact.ts";
import type { Json } from "./jsonrpc.ts";
import { CACHEABLE, type Implementation, META, Method, ResultType } from "./mcp.ts";

/** How long a client may keep a list that nobody gave a lifetime; the list_changed for it still arrives before. */
const LIST_TTL_MS = 30_000;

/** The same answer with the members that it lacks. A lifetime that the server set stays. */
export function toModernAnswer(method: string, { result }: Answer, serverInfo: Implementation): Answer {
  const added = additions(method);
  const text = textOf(result);
  if (text !== undefined && !("_meta" in result) && !overlap(added, result)) {
    const modern = { ...result, ...added, _meta: { [META.serverInfo]: serverInfo } };
    const body = text.trimStart().slice(1);
    const comma = body.trim() === "}" ? "" : ",";
    return { result: keepText(modern, `${headText(added, serverInfo)}${comma}${body}`) };
  }
  const meta = changed(objectOf(result, "_meta") ?? {}, { [META.serverInfo]: serverInfo });
  return { result: changed(result, { ...lacking(added, result), _meta: meta }) };
}

const COMPLETE: Json = { resultType: ResultType.complete };
/** The lifetime of a list, if its server sets none. */
export const LIST_POLICY: Json = { ttlMs: LIST_TTL_MS, cacheScope: "public" };
const COMPLETE_LIST: Json = { ...COMPLETE, ...LIST_POLICY };
const COMPLETE_READ: Json = { ...COMPLETE, ttlMs: 0, cacheScope: "private" };

function additions(method: string): Json {
  if (!CACHEABLE.has(method)) return COMPLETE;
  return method === Method.readResource ? COMPLETE_READ : COMPLETE_LIST;
}

function overlap(added: Json, result: Json): boolean {
  for (const key in added) if (key in result) return true;
  return false;
}

/** In an older server's result, the key of the result's type has no defined meaning, so it is replaced. */
function lacking(added: Json, result: Json): Json {
  const { ttlMs, cacheScope, ...lacks } = added;
  if (ttlMs !== undefined && !isLifetime(result.ttlMs)) lacks.ttlMs = ttlMs;
  if (cacheScope !== undefined && !isScope(result.cacheScope)) lacks.cacheScope = cacheScope;
  return lacks;
}

const heads = new WeakMap<Implementation, Map<Json, string>>();

/** The beginning of a result's JSON, up to its own first key: written once for each server. */
function headText(added: Json, serverInfo: Implementation): string {
  let ofServer = heads.get(serverInfo);
  if (ofServer === undefined) {
    ofServer = new Map();
    heads.set(serverInfo, ofServer);
  }
  let head = ofServer.get(added);
  if (head === undefined) {
    head = writeJson({ ...added, _meta: { [META.serverInfo]: serverInfo } }).slice(0, -1);
    ofServer.set(added, head);
  }
  return head;
}
