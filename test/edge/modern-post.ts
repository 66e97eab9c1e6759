// Modern requests over HTTP as bytes: envelope and headers are made to agree, unless a test wants them not to.

import type { Json } from "../../src/protocol/jsonrpc.ts";
import { META, NAMED_BY } from "../../src/protocol/mcp.ts";
import { encodeHeaderValue } from "../../src/protocol/param-headers.ts";
import { post } from "../support/post.ts";

export const REVISION = "2026-07-28";

export function envelope(capabilities: Json = {}, more: Json = {}): Json {
  return {
    [META.protocolVersion]: REVISION,
    [META.clientCapabilities]: capabilities,
    [META.clientInfo]: { name: "modern-post", version: "1" },
    ...more,
  };
}

export interface ModernOptions {
  readonly id?: string | number;
  readonly capabilities?: Json;
  /** Beside the envelope. */
  readonly meta?: Json;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

export function modernMessage(method: string, params: Json, options: ModernOptions = {}): Json {
  const _meta = envelope(options.capabilities, options.meta);
  return { jsonrpc: "2.0", id: options.id ?? 1, method, params: { ...params, _meta } };
}

export function modernHeaders(method: string, params: Json): Record<string, string> {
  const named = params[NAMED_BY.get(method) ?? ""];
  return {
    "mcp-protocol-version": REVISION,
    "mcp-method": method,
    ...(typeof named === "string" ? { "mcp-name": encodeHeaderValue(named) } : {}),
  };
}

export function postModern(
  url: string,
  method: string,
  params: Json,
  options: ModernOptions = {},
): Promise<Response> {
  const headers = { ...modernHeaders(method, params), ...options.headers };
  return post(url, modernMessage(method, params, options), headers, options.signal);
}
