// Which log lines a caller wants. Both eras name the same levels; they differ in where the level is said.

import type { Call } from "./call.ts";
import { isObject, type Json } from "./jsonrpc.ts";
import { LOG_LEVELS, META } from "./mcp.ts";

/** Legacy servers log for everybody at one level; each caller gets what it asked for, a modern one only if it asked. */
export function wantsLog(call: Call, params: Json | undefined): boolean {
  const wanted = wantedLogLevel(call);
  if (wanted === undefined) return call.caller.era === "legacy";
  return rank(params?.level) >= rank(wanted);
}

/** Undefined where the caller has named none. */
export function wantedLogLevel(call: Call): string | undefined {
  if (call.caller.era === "legacy") return call.caller.logLevel;
  const meta = call.params?._meta;
  const level = isObject(meta) ? meta[META.logLevel] : undefined;
  return typeof level === "string" && rank(level) >= 0 ? level : undefined;
}

/** Least severe first; -1 for what is no level. */
export function rank(level: unknown): number {
  const known: readonly unknown[] = LOG_LEVELS;
  return known.indexOf(level);
}
