// The differences between the two eras, as pure functions over params and results. Used for mixed pairs only: where
// caller and backend are of one era, nothing here runs and every field passes as it came.

import type { Answer, Caller } from "../protocol/call.ts";
import {
  changed,
  itemsOf,
  keepText,
  memberOf,
  objectOf,
  writeJson,
  writtenMember,
} from "../protocol/exact.ts";
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
export function toModernParams(given: Json | undefined, caller: Caller, revision: string): Json {
  const params = given ?? {};
  const envelope = envelopeOf(caller, revision);
  const own = objectOf(params, "_meta");
  const meta = own === undefined ? envelope : changed(own, envelope);
  return changed(params, params.task === undefined ? { _meta: meta } : { task: undefined, _meta: meta });
}

const envelopes = new WeakMap<Caller, { readonly revision: string; readonly meta: Json }>();

/** Written once for each caller. */
function envelopeOf(caller: Caller, revision: string): Json {
  const known = envelopes.get(caller);
  if (known?.revision === revision) return known.meta;
  const { clientInfo, logLevel } = caller;
  const meta: Json = {
    [META.protocolVersion]: revision,
    [META.clientCapabilities]: modernCapabilities(caller.capabilities),
    ...(clientInfo === undefined ? {} : { [META.clientInfo]: clientInfo }),
    ...(logLevel === undefined ? {} : { [META.logLevel]: logLevel }),
  };
  keepText(meta, writeJson(meta));
  envelopes.set(caller, { revision, meta });
  return meta;
}

/** What means the same in both eras: tasks are of one era only, and roots have no list_changed any more. */
function modernCapabilities(capabilities: Json): Json {
  const roots = capabilities.roots === undefined ? {} : { roots: {} };
  return changed(capabilities, { tasks: undefined, ...roots });
}

/** Modern caller → legacy backend: the envelope described our hop and ends here. */
export function toLegacyParams(params: Json | undefined): Json | undefined {
  if (params === undefined) return undefined;
  const changes: Json = { _meta: legacyMeta(params) };
  // These members occur only in retries, which are rare, and every removal costs time.
  if (params.inputResponses !== undefined) changes.inputResponses = undefined;
  if (params.requestState !== undefined) changes.requestState = undefined;
  return changed(params, changes);
}

function legacyMeta(params: Json): unknown {
  if (!isObject(params._meta)) return undefined;
  for (const key of Object.keys(params._meta)) {
    if (!ENVELOPE_KEYS.includes(key)) return changed(objectOf(params, "_meta") ?? {}, NO_ENVELOPE);
  }
  return undefined;
}

const NO_ENVELOPE: Json = Object.fromEntries(ENVELOPE_KEYS.map((key) => [key, undefined]));
const NO_MODERN_KEYS: Json = Object.fromEntries(MODERN_RESULT_KEYS.map((key) => [key, undefined]));

/** Modern backend → legacy caller. Strict legacy clients refuse results with keys that they do not know. */
export function toLegacyAnswer(method: string, { result }: Answer): Answer {
  const changes: Json = { ...NO_MODERN_KEYS };
  const meta = objectOf(result, "_meta");
  if (meta !== undefined) {
    const own = changed(meta, { [META.serverInfo]: undefined });
    changes._meta = Object.keys(own).length === 0 ? undefined : own;
  }
  const { structuredContent } = result;
  if (method === Method.callTool && structuredContent !== undefined && !isObject(structuredContent)) {
    changes.structuredContent = wrapped(result, "structuredContent");
  }
  const tools = method === Method.listTools ? memberOf(result, "tools") : undefined;
  if (Array.isArray(tools)) changes.tools = itemsOf(tools).map(toLegacyTool);
  return { result: changed(result, changes) };
}

/** `{ result: … }` around a member that may be of any type. */
function wrapped(whole: Json, key: string): Json {
  return keepText({ result: whole[key] }, `{"result":${writeJson(writtenMember(whole, key))}}`);
}

/** Legacy wants an object at the root of `outputSchema`; the value is wrapped the same way in the result. */
function toLegacyTool(tool: unknown): unknown {
  const schema = isObject(tool) ? objectOf(tool, "outputSchema") : undefined;
  if (!isObject(tool) || schema === undefined || schema.type === "object") return tool;
  const outputSchema = { type: "object", properties: { result: schema }, required: ["result"] };
  return changed(tool, { outputSchema });
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
