// Whether a call that failed may be sent again without anybody noticing.

import type { Call } from "../protocol/call.ts";
import { GatewayError } from "../protocol/errors.ts";
import { isObject } from "../protocol/jsonrpc.ts";
import { Method } from "../protocol/mcp.ts";
import { SendError } from "../transport/transport.ts";
import type { Tool } from "./catalog.ts";

/** Nothing was sent, or the session was gone, or the work may be done twice without harm. */
export function isRepeatable(call: Call, thrown: unknown, tool: Tool | undefined): boolean {
  if (!(thrown instanceof GatewayError) || thrown.kind !== "backend-failed") return false;
  if (!(thrown.cause instanceof SendError)) return false;
  if (thrown.cause.sessionExpired || !thrown.cause.maybeDelivered) return true;
  if (call.method !== Method.callTool) return true;
  const hints = tool?.annotations;
  return isObject(hints) && (hints.readOnlyHint === true || hints.idempotentHint === true);
}

/** The backend has forgotten our session: a new handshake heals it. */
export function isSessionExpired(thrown: unknown): boolean {
  return thrown instanceof GatewayError && thrown.cause instanceof SendError && thrown.cause.sessionExpired;
}
