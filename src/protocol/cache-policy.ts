// How long a client may keep a result, and for whom (2026-07-28, server/utilities/caching). Pure.

import type { Json } from "./jsonrpc.ts";

export function isLifetime(ttlMs: unknown): ttlMs is number {
  return typeof ttlMs === "number" && ttlMs >= 0;
}

export function isScope(scope: unknown): scope is "public" | "private" {
  return scope === "public" || scope === "private";
}

/** The cache policy of a result that combines these results; empty if none of them has one. */
export function strictestPolicy(results: readonly Json[]): Json {
  const lifetimes = results.map(({ ttlMs }) => ttlMs).filter(isLifetime);
  const scopes = results.map(({ cacheScope }) => cacheScope).filter(isScope);
  const policy: Json = {};
  if (lifetimes.length > 0) policy.ttlMs = lifetimes.reduce((least, ttlMs) => Math.min(least, ttlMs));
  if (scopes.length > 0) policy.cacheScope = scopes.includes("private") ? "private" : "public";
  return policy;
}
