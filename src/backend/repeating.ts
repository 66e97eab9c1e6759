// Whether a call may be sent again without anybody noticing.

import type { Call } from "../protocol/call.ts";
import { GatewayError } from "../protocol/errors.ts";
import { isObject } from "../protocol/jsonrpc.ts";
import { Method } from "../protocol/mcp.ts";
import { SendError } from "../transport/transport.ts";
import type { Tool } from "./catalog.ts";
import { AskedInVain } from "./connection/wire-failure.ts";

/** Of a call that failed: nothing was sent, or the session was gone, or the work may be done twice without harm. */
export function isRepeatable(call: Call, thrown: unknown, tool: Tool | undefined): boolean {
  if (thrown instanceof AskedInVain) return true;
  if (!(thrown instanceof GatewayError) || thrown.kind !== "backend-failed") return false;
  if (!(thrown.cause instanceof SendError)) return false;
  const { sessionExpired, maybeDelivered, status, retryAfterMs } = thrown.cause;
  if (sessionExpired) return true;
  if (retryAfterMs !== undefined) return false;
  // A request that a server refused with an HTTP status would be refused again.
  if (!maybeDelivered) return status === undefined;
  return isHarmless(call, tool);
}

/** The work may be done twice: nothing but tools does anything, and of tools those that say so. */
export function isHarmless({ method }: Pick<Call, "method">, tool: Tool | undefined): boolean {
  if (method !== Method.callTool) return true;
  const hints = tool?.annotations;
  return isObject(hints) && (hints.readOnlyHint === true || hints.idempotentHint === true);
}

/** The backend has forgotten our session: a new handshake heals it. */
export function isSessionExpired(thrown: unknown): boolean {
  return thrown instanceof GatewayError && thrown.cause instanceof SendError && thrown.cause.sessionExpired;
}
