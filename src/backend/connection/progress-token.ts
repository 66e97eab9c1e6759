// A caller's progress token travels as the id of our request, so that tokens of different callers never meet.

import { type Id, isId, isObject, type Json } from "../../protocol/jsonrpc.ts";
import { META } from "../../protocol/mcp.ts";

export function progressTokenOf(params: Json): Id | undefined {
  const token = isObject(params._meta) ? params._meta[META.progressToken] : undefined;
  return isId(token) ? token : undefined;
}

export function withProgressToken(params: Json, token: Id): Json {
  return {
    ...params,
    _meta: { ...(isObject(params._meta) ? params._meta : {}), [META.progressToken]: token },
  };
}
