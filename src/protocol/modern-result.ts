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
  const added: Json = { resultType: ResultType.complete };
  if (CACHEABLE.has(method)) {
    const isRead = method === Method.readResource;
    added.ttlMs = isRead ? 0 : LIST_TTL_MS;
    added.cacheScope = isRead ? "private" : "public";
  }
  const meta = { ...(isObject(result._meta) ? result._meta : {}), [META.serverInfo]: serverInfo };
  const modern = { ...result, ...added, _meta: meta };
  const isExtendable =
    text !== undefined && !("_meta" in result) && !Object.keys(added).some((key) => key in result);
  if (!isExtendable) return { result: modern };
  const head = JSON.stringify({ ...added, _meta: meta }).slice(0, -1);
  const body = text.trimStart().slice(1);
  return { result: modern, text: body.trim() === "}" ? `${head}}` : `${head},${body}` };
}
