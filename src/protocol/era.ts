// Which era one incoming message belongs to, decided from the message first and its headers second, and what a modern
// message must look like. Order of the checks: 2026-07-28, basic/versioning and streamable-http, "Server Validation".

import type { Caller, Era } from "./call.ts";
import { ErrorCode, type ErrorObject, isObject, type Json, type Message, type Request } from "./jsonrpc.ts";
import { Header, isKnownModern, isModern, McpErrorCode, META, Method, MODERN_REVISIONS } from "./mcp.ts";
import { findMirrorMismatch } from "./param-headers.ts";

/** A refusal of the message itself, before any target sees it. */
export interface Rejection {
  readonly status: number;
  readonly error: ErrorObject;
}

/** What the envelope of a modern request says. */
export interface Envelope {
  readonly revision: string;
  readonly capabilities: Json;
  readonly clientInfo?: Json;
}

export type Classified = { readonly era: Era } | { readonly rejection: Rejection };

const LEGACY: Classified = { era: "legacy" };
const MODERN: Classified = { era: "modern" };

/** The era of one message. `header` is MCP-Protocol-Version, null where there is none (always so on stdio). */
export function classify(message: Message, header: string | null): Classified {
  if (!("method" in message)) return LEGACY;
  const claim = claimOf(message);
  const isHeaderModern = header !== null && isModern(header);
  if (message.method === Method.initialize && !isValidClaim(claim)) {
    if (!isHeaderModern) return LEGACY;
    return reject(
      400,
      McpErrorCode.headerMismatch,
      `${Header.protocolVersion} is ${header}, which has no initialize.`,
    );
  }
  if (claim !== undefined) return MODERN;
  if (!isHeaderModern) return LEGACY;
  if (!("id" in message)) return MODERN;
  return reject(400, ErrorCode.invalidParams, `params._meta must carry "${META.protocolVersion}".`);
}

function reject(status: number, code: number, message: string, data?: unknown): { rejection: Rejection } {
  return { rejection: { status, error: data === undefined ? { code, message } : { code, message, data } } };
}

/** The version that a message claims in its body; undefined where it claims none. */
export function claimOf(message: Message): unknown {
  const params = "method" in message ? message.params : undefined;
  return isObject(params?._meta) ? params._meta[META.protocolVersion] : undefined;
}

function isValidClaim(claim: unknown): boolean {
  return typeof claim === "string" && isModern(claim);
}

/** Reads the envelope of a modern request; over HTTP its version must be the header's. */
export function readEnvelope(
  message: Pick<Request, "method" | "params">,
  headers: Headers | undefined,
): Envelope | { rejection: Rejection } {
  const meta = isObject(message.params?._meta) ? message.params._meta : {};
  const revision = meta[META.protocolVersion];
  const capabilities = meta[META.clientCapabilities];
  const clientInfo = meta[META.clientInfo];
  if (typeof revision !== "string") {
    return reject(400, ErrorCode.invalidParams, `params._meta["${META.protocolVersion}"] must be a string.`);
  }
  const mismatch = headers === undefined ? undefined : versionMismatch(headers, revision, message.method);
  if (mismatch !== undefined)
    return reject(400, McpErrorCode.headerMismatch, `Header mismatch: ${mismatch}.`);
  if (!isKnownModern(revision)) {
    const data = { supported: [...MODERN_REVISIONS], requested: revision };
    return reject(400, McpErrorCode.unsupportedVersion, `Unsupported protocol version: ${revision}`, data);
  }
  if (!isObject(capabilities)) {
    return reject(
      400,
      ErrorCode.invalidParams,
      `params._meta["${META.clientCapabilities}"] must be an object.`,
    );
  }
  return isObject(clientInfo) ? { revision, capabilities, clientInfo } : { revision, capabilities };
}

function versionMismatch(headers: Headers, revision: string, method: string): string | undefined {
  const header = headers.get(Header.protocolVersion);
  if (header !== null && header !== revision) {
    return `${Header.protocolVersion} is "${header}" but the body says "${revision}"`;
  }
  const sent = headers.get(Header.method);
  if (sent !== null && sent !== method)
    return `${Header.method} is "${sent}" but the body's method is "${method}"`;
  return header === null ? `the ${Header.protocolVersion} header is missing` : undefined;
}

/** The rest of the header checks, which need to know that the version is one of ours. */
export function checkMirror(...args: Parameters<typeof findMirrorMismatch>): Rejection | undefined {
  const mismatch = findMirrorMismatch(...args);
  if (mismatch === undefined) return undefined;
  return {
    status: 400,
    error: { code: McpErrorCode.headerMismatch, message: `Header mismatch: ${mismatch}.` },
  };
}

export function modernCaller(envelope: Envelope, principal: string, key: string): Caller {
  return { era: "modern", principal, key, ...envelope };
}
