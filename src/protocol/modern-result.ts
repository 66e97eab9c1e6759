// The fields that every modern result must have (2026-07-28, basic/index and server/utilities/caching), put on results
// that come from elsewhere: from a legacy backend, or from the gateway itself.

import type { Answer } from "./call.ts";
import { isObject, type Json } from "./jsonrpc.ts";
import { CACHEABLE, type Implementation, META, Method, ResultType } from "./mcp.ts";

/** How long a client may keep a list that nobody gave a lifetime; the list_changed for it still arrives before. */
const LIST_TTL_MS = 30_000;

/** The same answer with what it lacks. Text that came off a wire is extended, not written anew. */
export function toModernAnswer(method: string, answer: Answer, serverInfo: Implementation): Answer {
  const { result, text } = answer;
  const added = additions(method);
  const meta = isObject(result._meta) ? result._meta : undefined;
  const modern = { ...result, ...added, _meta: { ...meta, [META.serverInfo]: serverInfo } };
  const isExtendable = text !== undefined && !("_meta" in result) && !overlap(added, result);
  if (!isExtendable) return { result: modern };
  const body = text.trimStart().slice(1);
  return { result: modern, text: `${headText(added, serverInfo)}${body.trim() === "}" ? "" : ","}${body}` };
}

const COMPLETE: Json = { resultType: ResultType.complete };
const COMPLETE_LIST: Json = { ...COMPLETE, ttlMs: LIST_TTL_MS, cacheScope: "public" };
const COMPLETE_READ: Json = { ...COMPLETE, ttlMs: 0, cacheScope: "private" };

function additions(method: string): Json {
  if (!CACHEABLE.has(method)) return COMPLETE;
  return method === Method.readResource ? COMPLETE_READ : COMPLETE_LIST;
}

function overlap(added: Json, result: Json): boolean {
  for (const key in added) if (key in result) return true;
  return false;
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
    head = JSON.stringify({ ...added, _meta: { [META.serverInfo]: serverInfo } }).slice(0, -1);
    ofServer.set(added, head);
  }
  return head;
}
