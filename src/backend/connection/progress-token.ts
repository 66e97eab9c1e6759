// A caller's progress token is replaced by the id of our request, so that tokens of different callers never collide.

import { changedInside, objectOf } from "../../protocol/exact.ts";
import { type Id, idIn, isObject, type Json } from "../../protocol/jsonrpc.ts";
import { META } from "../../protocol/mcp.ts";

export function progressTokenOf(params: Json): Id | undefined {
  if (!isObject(params._meta) || params._meta[META.progressToken] === undefined) return undefined;
  return idIn(objectOf(params, "_meta"), META.progressToken);
}

export function withProgressToken(params: Json, token: Id): Json {
  return changedInside(params, ["_meta", META.progressToken], token);
}
