// How long a client may keep a result, and for whom (2026-07-28, server/utilities/caching). Pure.

import type { Json } from "./jsonrpc.ts";

export function isLifetime(ttlMs: unknown): ttlMs is number {
  return typeof ttlMs === "number" && ttlMs >= 0;
}

export function isScope(scope: unknown): scope is "public" | "private" {
  return scope === "public" || scope === "private";
}

/** What holds for something that was put together from these results; nothing if none of them says anything. */
export function strictestPolicy(results: readonly Json[]): Json {
  const lifetimes = results.map(({ ttlMs }) => ttlMs).filter(isLifetime);
  const scopes = results.map(({ cacheScope }) => cacheScope).filter(isScope);
  const policy: Json = {};
  if (lifetimes.length > 0) policy.ttlMs = lifetimes.reduce((least, ttlMs) => Math.min(least, ttlMs));
  if (scopes.length > 0) policy.cacheScope = scopes.includes("private") ? "private" : "public";
  return policy;
}
