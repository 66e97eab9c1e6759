// What is wrong or unusual about the HTTP request itself. Played where both sides are Streamable HTTP.

import type { Era } from "../../src/protocol/call.ts";
import type { Json } from "../../src/protocol/jsonrpc.ts";
import { META } from "../../src/protocol/mcp.ts";
import { envelope, modernHeaders } from "../edge/modern-post.ts";

const ANSWER_MS = 15_000;

export interface RawCase {
  readonly name: string;
  readonly era: Era;
  readonly verb?: string;
  /** A null takes away what would be sent otherwise. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: string;
}

const message = (method: string, params: Json = {}, id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });
const PING = message("ping");

const bodies: readonly (readonly [string, string])[] = [
  ["no JSON", "{"],
  ["nothing", ""],
  ["a number", "5"],
  ["null", "null"],
  ["an object that is no message", "{}"],
  ["no jsonrpc", '{"id":1,"method":"ping"}'],
  ["jsonrpc 1.0", '{"jsonrpc":"1.0","id":1,"method":"ping"}'],
  ["id null", '{"jsonrpc":"2.0","id":null,"method":"ping"}'],
  ["id with a fraction", '{"jsonrpc":"2.0","id":1.5,"method":"ping"}'],
  ["id is a list", '{"jsonrpc":"2.0","id":[1],"method":"ping"}'],
  ["method is a number", '{"jsonrpc":"2.0","id":1,"method":5}'],
  ["params are a list", '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}'],
  ["an empty batch", "[]"],
  ["a batch of nonsense", "[1]"],
];

const legacy: RawCase[] = [
  ...bodies.map(([name, body]) => ({ name, body })),
  { name: "a batch of requests", body: `[${message("ping", {}, 1)},${message("ping", {}, "b")}]` },
  { name: "a batch of notifications", body: '[{"jsonrpc":"2.0","method":"notifications/initialized"}]' },
  { name: "a notification", body: '{"jsonrpc":"2.0","method":"notifications/none"}' },
  { name: "a response to nothing", body: '{"jsonrpc":"2.0","id":"none","result":{}}' },
  { name: "no session", body: PING, headers: { "mcp-session-id": null } },
  { name: "an unknown session", body: PING, headers: { "mcp-session-id": "unknown" } },
  { name: "no revision", body: PING, headers: { "mcp-protocol-version": null } },
  { name: "an unknown revision", body: PING, headers: { "mcp-protocol-version": "1999-01-01" } },
  { name: "an older revision", body: PING, headers: { "mcp-protocol-version": "2025-03-26" } },
  { name: "text", body: PING, headers: { "content-type": "text/plain" } },
  { name: "JSON with a charset", body: PING, headers: { "content-type": "application/json; charset=utf-8" } },
  { name: "accepts nothing we have", body: PING, headers: { accept: "text/html" } },
  { name: "accepts anything", body: PING, headers: { accept: "*/*" } },
  { name: "accepts JSON alone", body: PING, headers: { accept: "application/json" } },
  { name: "an evil origin", body: PING, headers: { origin: "http://evil.example.com" } },
  { name: "origin null", body: PING, headers: { origin: "null" } },
  { name: "a local origin", body: PING, headers: { origin: "http://localhost:1234" } },
  { name: "an evil host", body: PING, headers: { host: "evil.example.com" } },
  { name: "GET without a session", verb: "GET", headers: { "mcp-session-id": null } },
  { name: "GET of an unknown session", verb: "GET", headers: { "mcp-session-id": "unknown" } },
  { name: "GET for JSON", verb: "GET", headers: { accept: "application/json" } },
  { name: "PUT", verb: "PUT", body: PING },
  { name: "DELETE without a session", verb: "DELETE", headers: { "mcp-session-id": null } },
  { name: "DELETE of an unknown session", verb: "DELETE", headers: { "mcp-session-id": "unknown" } },
  { name: "DELETE", verb: "DELETE" },
  { name: "after DELETE", body: PING },
  { name: "DELETE again", verb: "DELETE" },
].map((one) => ({ ...one, era: "legacy" }));

const LIST = modern("tools/list");
const ECHO = { name: "test_simple_text", arguments: {} };
const REGION = { name: "test_x_mcp_header", arguments: { region: "eu" } };

function modern(method: string, params: Json = {}, _meta: Json | undefined = envelope()) {
  return {
    body: message(method, _meta === undefined ? params : { ...params, _meta }),
    headers: modernHeaders(method, params),
  };
}

function without(key: string): Json {
  return Object.fromEntries(Object.entries(envelope()).filter(([name]) => name !== key));
}

const changed = (one: ReturnType<typeof modern>, headers: RawCase["headers"]) => ({
  ...one,
  headers: { ...one.headers, ...headers },
});

const modernCases: RawCase[] = [
  { name: "no version in the envelope", ...modern("tools/list", {}, without(META.protocolVersion)) },
  { name: "no capabilities in the envelope", ...modern("tools/list", {}, without(META.clientCapabilities)) },
  { name: "no client info", ...modern("tools/list", {}, without(META.clientInfo)) },
  { name: "capabilities are a list", ...modern("tools/list", {}, envelope([] as never)) },
  { name: "an empty envelope", ...modern("tools/list", {}, {}) },
  {
    name: "an unknown version",
    ...changed(modern("tools/list", {}, { ...envelope(), [META.protocolVersion]: "2099-01-01" }), {
      "mcp-protocol-version": "2099-01-01",
    }),
  },
  { name: "versions that differ", ...changed(LIST, { "mcp-protocol-version": "2025-11-25" }) },
  { name: "no version header", ...changed(LIST, { "mcp-protocol-version": null }) },
  { name: "no method header", ...changed(LIST, { "mcp-method": null }) },
  { name: "another method header", ...changed(LIST, { "mcp-method": "tools/call" }) },
  { name: "a method header in capitals", ...changed(LIST, { "mcp-method": "TOOLS/LIST" }) },
  { name: "no name header", ...changed(modern("tools/call", ECHO), { "mcp-name": null }) },
  { name: "another name header", ...changed(modern("tools/call", ECHO), { "mcp-name": "echo" }) },
  {
    name: "an encoded name header",
    ...changed(modern("tools/call", ECHO), { "mcp-name": `=?base64?${btoa("test_simple_text")}?=` }),
  },
  { name: "a broken name header", ...changed(modern("tools/call", ECHO), { "mcp-name": "=?base64?%?=" }) },
  { name: "a surplus name header", ...changed(LIST, { "mcp-name": "echo" }) },
  { name: "a mirrored argument missing", ...modern("tools/call", REGION) },
  {
    name: "a mirrored argument that differs",
    ...changed(modern("tools/call", REGION), { "mcp-param-region": "us" }),
  },
  {
    name: "a mirrored argument that is not there",
    ...changed(modern("tools/call", { ...REGION, arguments: {} }), { "mcp-param-region": "us" }),
  },
  { name: "a header that mirrors nothing", ...changed(LIST, { "mcp-param-none": "x" }) },
  { name: "a session id", ...changed(LIST, { "mcp-session-id": "unknown" }) },
  { name: "a last event id", ...changed(LIST, { "last-event-id": "1" }) },
  { name: "accepts JSON alone", ...changed(LIST, { accept: "application/json" }) },
  { name: "accepts anything", ...changed(LIST, { accept: "*/*" }) },
  { name: "text", ...changed(LIST, { "content-type": "text/plain" }) },
  { name: "an evil origin", ...changed(LIST, { origin: "http://evil.example.com" }) },
  { name: "a batch", ...LIST, body: `[${LIST.body}]` },
  { name: "an unknown method", ...modern("none/such") },
  { name: "a notification", ...notice("notifications/none") },
  { name: "a cancellation of nothing", ...notice("notifications/cancelled", { requestId: 1 }) },
  { name: "GET", verb: "GET" },
  { name: "DELETE", verb: "DELETE" },
].map((one) => ({ ...one, era: "modern" }));

function notice(method: string, params: Json = {}) {
  const body = JSON.stringify({ jsonrpc: "2.0", method, params: { ...params, _meta: envelope() } });
  return { body, headers: modernHeaders(method, params) };
}

export const rawCases: readonly RawCase[] = [...legacy, ...modernCases];

/** The answer, whole. `common` is what every request of this client carries. */
export async function playRaw(
  url: string,
  common: Readonly<Record<string, string>>,
  { verb = "POST", headers = {}, body }: RawCase,
): Promise<unknown> {
  const all = new Headers({ accept: "application/json, text/event-stream", ...common });
  if (verb === "POST") all.set("content-type", "application/json");
  for (const [name, value] of Object.entries(headers)) {
    if (value === null) all.delete(name);
    else all.set(name, value);
  }
  const signal = AbortSignal.timeout(ANSWER_MS);
  const response = await fetch(url, {
    method: verb,
    headers: all,
    signal,
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get("content-type")?.split(";")[0] ?? null,
    allow: response.headers.get("allow"),
    body: readBody(text),
  };
}

/** The messages of a stream or of a body; text that is neither as it is. */
function readBody(text: string): unknown {
  const data = [...text.matchAll(/^data: ?(\S.*)$/gm)].map(([, json = ""]) => json);
  try {
    if (data.length > 0) return data.map((json) => JSON.parse(json));
    return text === "" ? [] : [JSON.parse(text)].flat();
  } catch {
    return text;
  }
}
