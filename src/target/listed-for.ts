// What a backend's catalogue holds, in the words of the era of the one who asks.

import type { Backend } from "../backend/backend.ts";
import { translateAnswer } from "../backend/exchange.ts";
import { strictestPolicy } from "../protocol/cache-policy.ts";
import type { Call } from "../protocol/call.ts";
import type { Json } from "../protocol/jsonrpc.ts";
import { LIST_POLICY } from "../protocol/modern-result.ts";

export function listedFor(call: Call, backend: Backend, key: string, items: readonly Json[]): unknown[] {
  const { handshake } = backend.catalog;
  if (handshake === undefined) return [...items];
  const listed = translateAnswer(handshake, call, { result: { [key]: items } }).result[key];
  return Array.isArray(listed) ? listed : [];
}

/** The strictest cache policy of these backends' lists. Legacy clients have no cache policies. */
export function policyFor({ caller, method }: Call, backends: readonly Backend[]): Json {
  if (caller.era === "legacy") return {};
  const said = backends.map(({ catalog }) => catalog.whole(method)?.rest ?? {});
  return strictestPolicy([LIST_POLICY, ...said]);
}
