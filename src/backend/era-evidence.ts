// What a failed first request says about a server: its era, its wire, the versions it speaks. Or nothing at all.

import { isObject, RpcError } from "../protocol/jsonrpc.ts";
import { isKnownLegacy, isKnownModern, LEGACY_REVISIONS, McpErrorCode } from "../protocol/mcp.ts";
import { SendError, StartError } from "../transport/transport.ts";

/** True where the other HTTP wire is worth a try (2025-03-26 and later, basic/transports, "Backwards Compatibility"). */
export function saysOtherWire(thrown: unknown): boolean {
  if (thrown instanceof StartError) return thrown.end.status !== undefined && !isRefusal(thrown.end.status);
  const status = statusOf(thrown);
  return status === 400 || status === 404 || status === 405;
}

/** Statuses that do not show the server's era: missing credentials and temporary failures. 501 is permanent. */
function isRefusal(status: number): boolean {
  return status === 401 || status === 403 || (status >= 500 && status !== 501);
}

function statusOf(thrown: unknown): number | undefined {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause instanceof SendError ? cause.status : undefined;
}

/**
 * True if a failed probe shows an older server: any reply does, also a JSON-RPC error with a 5xx status. False for missing
 * credentials, other server errors and ended wires.
 */
export function isEraEvidence(thrown: unknown): boolean {
  const status = statusOf(thrown);
  if (status === undefined) return isAnswer(thrown);
  return !isRefusal(status) || (status >= 500 && isAnswer(thrown));
}

export function isAnswer(thrown: unknown): boolean {
  return thrown instanceof RpcError;
}

export function isModernNotFound(thrown: unknown): boolean {
  return thrown instanceof RpcError && thrown.code === -32601 && statusOf(thrown) === 404;
}

function supportedVersions(thrown: unknown): unknown[] {
  if (!(thrown instanceof RpcError) || !isObject(thrown.data)) return [];
  return Array.isArray(thrown.data.supported) ? thrown.data.supported : [];
}

export function supportedModern(thrown: unknown): string | undefined {
  if (!(thrown instanceof RpcError) || thrown.code !== McpErrorCode.unsupportedVersion) return undefined;
  return supportedVersions(thrown).find(
    (version): version is string => typeof version === "string" && isKnownModern(version),
  );
}

export function supportedLegacy(thrown: unknown): string | undefined {
  const offered = supportedVersions(thrown);
  return LEGACY_REVISIONS.find((known) => offered.includes(known) && isKnownLegacy(known));
}
