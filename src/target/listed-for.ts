// What a backend's catalogue holds, in the words of the era of the one who asks.

import type { Backend } from "../backend/backend.ts";
import { translateAnswer } from "../backend/exchange.ts";
import type { Call } from "../protocol/call.ts";
import type { Json } from "../protocol/jsonrpc.ts";

export function listedFor(call: Call, backend: Backend, key: string, items: readonly Json[]): unknown[] {
  const { handshake } = backend.catalog;
  if (handshake === undefined) return [...items];
  const listed = translateAnswer(handshake, call, { result: { [key]: items } }).result[key];
  return Array.isArray(listed) ? listed : [];
}
