// Calls of every tool that answers by itself, with arguments of every kind.

import { type Case, call } from "./case.ts";

const DEEP = { list: [1, -0.5, 1e21, true, null, { "": "ü \u2028 😀", nested: [[], {}] }] };

const contents: Case[] = [
  call("test_simple_text"),
  call("test_simple_text", undefined, { name: "no arguments" }),
  call("test_simple_text", { surplus: 1 }, { name: "unknown argument" }),
  call("test_simple_text", {}, { name: "id 0", id: 0 }),
  call("test_simple_text", {}, { name: "negative id", id: -7 }),
  call("test_simple_text", {}, { name: "id of text", id: "1" }),
  call("test_simple_text", {}, { name: "empty id", id: "" }),
  call("test_image_content"),
  call("test_audio_content"),
  call("test_embedded_resource"),
  call("test_multiple_content_types"),
  call("test_error_handling"),
  call("test_reconnection"),
  call("test_streaming_elicitation"),
  call("structured"),
  call("structured", { city: "Kraków" }, { name: "with a city" }),
  call("structured", { city: 5 }, { name: "wrong type" }),
  call("structured_list", {}, { only: "modern", offeredIn: "modern" }),
  call("json_schema_2020_12_tool", { name: "n", address: { city: "c" }, contactMethod: "email", email: "e" }),
  call("json_schema_2020_12_tool", { surplus: true }, { name: "against its schema" }),
  call("large", { bytes: 100_000 }),
  call("large", { bytes: 0 }, { name: "nothing" }),
  call("large", { bytes: "many" }, { name: "wrong type" }),
  call("slow", { ms: 5, steps: 1, key: "short" }),
];

const echoes: Case[] = [
  call("echo", DEEP),
  call("echo", {}, { name: "empty" }),
  call("echo", { a: 1 }, { name: "with _meta", meta: { "x/kept": { deep: [null] }, plain: "y" } }),
  call("echo", {}, { name: "trace keys", meta: { traceparent: "00-0af7-b7ad-01", tracestate: "a=1" } }),
  call("echo", {}, { name: "own keys of a vendor", meta: { "com.example/x": { y: [] }, "": 0 } }),
  ask("echo", { surplus: { beside: ["arguments"] } }, "unknown parameter"),
  ask(
    "echo",
    JSON.parse('{ "arguments": { "__proto__": { "a": 1 }, "constructor": "c", "toString": 1 } }'),
    "names of prototypes",
  ),
];

function ask(tool: string, more: object, name: string): Case {
  return { name: `call ${tool}: ${name}`, method: "tools/call", params: { name: tool, ...more } };
}

const TEXT = { type: "text", text: "t" };
const results: Case[] = [
  ["unknown content type", { content: [{ type: "hologram", depth: [3, { x: null }] }] }],
  ["unknown fields", { content: [{ ...TEXT, "x-field": 1 }], "x-top": { kept: [null, 1.5] } }],
  ["_meta", { content: [TEXT], _meta: { "server/kept": { a: [1] } } }],
  ["_meta with a server's name", { content: [], _meta: { "io.modelcontextprotocol/serverInfo": { n: 1 } } }],
  ["annotations", { content: [{ ...TEXT, annotations: { audience: ["user"], priority: 0.1 }, _meta: {} }] }],
  ["resource_link", { content: [{ type: "resource_link", uri: "test://x", name: "x", icons: [] }] }],
  ["no content", { structuredContent: { a: null } }],
  ["empty", {}],
  ["isError with structure", { content: [], isError: true, structuredContent: { why: "no" } }],
  ["text that is JSON", { content: [{ type: "text", text: '{"a": [1, 2]}' }] }],
  ["text with separators", { content: [{ type: "text", text: "\u2028\u2029\r\n\t\u0000\ud83d\ude00" }] }],
  ["numbers", { structuredContent: { n: [0, -1, 1e300, 0.1, 9007199254740991] } }],
  ["names of prototypes", { structuredContent: { constructor: 1, hasOwnProperty: [] } }],
  ["an id and a method", { content: [], id: 5, jsonrpc: "1.0", method: "x", result: {}, error: null }],
].map(([name, result]) => call("answer_with", { result }, { name: `answers ${String(name)}` }));

const modernResults: Case[] = [
  ["a list as structure", { content: [], structuredContent: [1, { a: 2 }] }],
  ["a number as structure", { content: [], structuredContent: 5 }],
  ["its own resultType", { content: [], resultType: "complete" }],
  ["its own lifetime", { content: [], ttlMs: 5, cacheScope: "private" }],
].map(([name, result]) =>
  call("answer_with", { result }, { name: `answers ${String(name)}`, only: "modern" }),
);

const errors: Case[] = [
  ["plain", { code: -32000, message: "no" }],
  ["with data", { code: -32603, message: "no", data: { why: [1, null], "x-y": "z" } }],
  ["with a text as data", { code: -32602, message: "", data: "d" }],
  ["its own positive code", { code: 42, message: "ü" }],
  ["of a code of the application", { code: -33099, message: "own", data: [] }],
  ["a code of the headers", { code: -32020, message: "own", data: { kept: 1 } }],
  ["a code of the revisions", { code: -32022, message: "own" }],
  ["a code that one era had for URLs", { code: -32042, message: "own", data: { kept: 1 } }],
  ["a code that one era had for resources", { code: -32002, message: "own", data: { kept: 1 } }],
].map(([name, error]) => call("fail_with", error, { name: `fails ${String(name)}` }));

const headers: Case[] = [
  call("test_x_mcp_header", { region: "eu" }, { name: "mirrored", headers: { "mcp-param-region": "eu" } }),
  call("test_x_mcp_header", {}, { name: "nothing to mirror" }),
  call("header_params", { note: "n" }, { name: "nothing to mirror" }),
  call(
    "header_params",
    { city: "Oslo", count: 3, urgent: true, place: { street: "Main" }, note: "n" },
    {
      name: "all mirrored",
      headers: {
        "mcp-param-city": "Oslo",
        "mcp-param-count": "3",
        "mcp-param-urgent": "true",
        "mcp-param-street": "Main",
      },
    },
  ),
  call(
    "header_params",
    { city: "Kraków" },
    { name: "not ASCII", headers: { "mcp-param-city": `=?base64?${btoa("Krak\u00c3\u00b3w")}?=` } },
  ),
];

const wrong: Case[] = [
  { name: "call: no such tool", method: "tools/call", params: { name: "none", arguments: {} } },
  { name: "call: tool of Object", method: "tools/call", params: { name: "constructor", arguments: {} } },
  { name: "call: no name", method: "tools/call", params: { arguments: {} } },
  { name: "call: name is a number", method: "tools/call", params: { name: 5, arguments: {} } },
  { name: "call: name is empty", method: "tools/call", params: { name: "", arguments: {} } },
  { name: "call: no params", method: "tools/call" },
  call("test_simple_text", [], { name: "arguments are a list" }),
  call("test_simple_text", "{}", { name: "arguments are text" }),
  call("test_simple_text", null, { name: "arguments are null" }),
  call("test_simple_text", {}, { name: "_meta is kept apart", meta: { progressToken: "unused" } }),
];

const streams: Case[] = [
  call("test_tool_with_progress", {}, { meta: { progressToken: "t-1" } }),
  call("test_tool_with_progress", {}, { name: "token 0", meta: { progressToken: 0 } }),
  call("test_tool_with_progress", {}, { name: "no token" }),
  call("slow", { ms: 9, steps: 3, key: "s" }, { name: "in steps", meta: { progressToken: 12 } }),
  call("slow", { ms: 2, steps: 1, key: "s" }, { name: "empty token", meta: { progressToken: "" } }),
];

export const toolCases: readonly Case[] = [
  ...contents,
  ...echoes,
  ...results,
  ...modernResults,
  ...errors,
  ...headers,
  ...wrong,
  ...streams,
];
