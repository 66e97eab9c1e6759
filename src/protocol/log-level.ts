// Which log lines a caller wants. Both eras have the same levels, but set them in different places.

import type { Call } from "./call.ts";
import { isObject, type Json } from "./jsonrpc.ts";
import { LOG_LEVELS, META } from "./mcp.ts";

/** Legacy servers log at one level for all callers, so the gateway filters. A modern caller gets log lines only if it set a level. */
export function wantsLog(call: Call, params: Json | undefined): boolean {
  const wanted = wantedLogLevel(call);
  if (wanted === undefined) return call.caller.era === "legacy";
  return rank(params?.level) >= rank(wanted);
}

/** Undefined if the caller has set none. */
export function wantedLogLevel(call: Call): string | undefined {
  if (call.caller.era === "legacy") return call.caller.logLevel;
  const meta = call.params?._meta;
  const level = isObject(meta) ? meta[META.logLevel] : undefined;
  return typeof level === "string" && rank(level) >= 0 ? level : undefined;
}

/** Least severe first; -1 for an unknown level. */
export function rank(level: unknown): number {
  const known: readonly unknown[] = LOG_LEVELS;
  return known.indexOf(level);
}
