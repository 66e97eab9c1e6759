// The differences between the two eras, as pure functions over params and results. Used for mixed pairs only: where
// caller and backend are of one era, nothing here runs and every field passes as it came.

import type { Answer, Caller } from "../protocol/call.ts";
import { isObject, type Json, RpcError } from "../protocol/jsonrpc.ts";
import {
  ENVELOPE_KEYS,
  HOP_ERRORS,
  McpErrorCode,
  META,
  Method,
  MODERN_RESULT_KEYS,
} from "../protocol/mcp.ts";

/** Legacy caller → modern backend: the envelope that the session stands for. */
export function toModernParams(params: Json | undefined, caller: Caller, revision: string): Json {
  const { task: _task, ...rest } = params ?? {};
  const meta: Json = {
    ...(isObject(rest._meta) ? rest._meta : {}),
    [META.protocolVersion]: revision,
    [META.clientCapabilities]: modernCapabilities(caller.capabilities),
  };
  if (caller.clientInfo !== undefined) meta[META.clientInfo] = caller.clientInfo;
  if (caller.logLevel !== undefined) meta[META.logLevel] = caller.logLevel;
  return { ...rest, _meta: meta };
}

/** What means the same in both eras: tasks are of one era only, and roots have no list_changed any more. */
function modernCapabilities(capabilities: Json): Json {
  const { tasks: _tasks, roots, ...rest } = capabilities;
  return roots === undefined ? rest : { ...rest, roots: {} };
}

/** Modern caller → legacy backend: the envelope described our hop and ends here. */
export function toLegacyParams(params: Json | undefined): Json | undefined {
  if (params === undefined) return undefined;
  const { inputResponses: _responses, requestState: _state, _meta, ...rest } = params;
  if (!isObject(_meta)) return rest;
  const meta: Json = {};
  let hasOwn = false;
  for (const key in _meta) {
    if (ENVELOPE_KEYS.includes(key)) continue;
    meta[key] = _meta[key];
    hasOwn = true;
  }
  return hasOwn ? { ...rest, _meta: meta } : rest;
}

/** Modern backend → legacy caller. Strict legacy clients refuse results with keys that they do not know. */
export function toLegacyAnswer(method: string, { result }: Answer): Answer {
  const legacy = Object.fromEntries(
    Object.entries(result).filter(([key]) => !MODERN_RESULT_KEYS.includes(key)),
  );
  if (isObject(legacy._meta)) {
    const { [META.serverInfo]: _serverInfo, ...meta } = legacy._meta;
    if (Object.keys(meta).length === 0) delete legacy._meta;
    else legacy._meta = meta;
  }
  if (
    method === Method.callTool &&
    legacy.structuredContent !== undefined &&
    !isObject(legacy.structuredContent)
  ) {
    legacy.structuredContent = { result: legacy.structuredContent };
  }
  if (method === Method.listTools && Array.isArray(legacy.tools))
    legacy.tools = legacy.tools.map(toLegacyTool);
  return { result: legacy };
}

/** Legacy wants an object at the root of `outputSchema`; the value is wrapped the same way in the result. */
function toLegacyTool(tool: unknown): unknown {
  if (!isObject(tool) || !isObject(tool.outputSchema) || tool.outputSchema.type === "object") return tool;
  const outputSchema = { type: "object", properties: { result: tool.outputSchema }, required: ["result"] };
  return { ...tool, outputSchema };
}

/** Legacy backend's error → modern caller, to whom some codes say something else or must not be said at all. */
export function toModernError(error: RpcError): RpcError {
  const { code, message, data } = error;
  if (code === McpErrorCode.resourceNotFound) return new RpcError(-32602, message, data);
  const isTaken = code === McpErrorCode.urlElicitationRequired || HOP_ERRORS.has(code);
  return isTaken ? new RpcError(-32603, `${message} (error ${code} of the server)`, data) : error;
}

/** Modern backend's error → legacy caller. What describes the gateway's own hop says nothing to a client. */
export function toLegacyError(method: string, error: RpcError): RpcError {
  if (error.code === McpErrorCode.missingCapability) {
    const needed = isObject(error.data) ? error.data.requiredCapabilities : undefined;
    const names = isObject(needed) ? Object.keys(needed).join(", ") : "";
    return new RpcError(-32603, `This needs a client that supports ${names || "more"}: ${error.message}`);
  }
  if (HOP_ERRORS.has(error.code)) {
    return new RpcError(-32603, `The backend refused the gateway's request: ${error.message}`);
  }
  const isMissingResource = method === Method.readResource && error.code === -32602;
  return isMissingResource ? new RpcError(McpErrorCode.resourceNotFound, error.message, error.data) : error;
}
