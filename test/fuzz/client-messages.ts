// What a client may send, good as it should be and then bent: requests, notifications and answers of both eras.

import type { Json } from "../../src/protocol/jsonrpc.ts";
import { META } from "../../src/protocol/mcp.ts";
import { anyId, anyString, anyValue, corruptText, deepText, distort } from "./hostile-values.ts";
import type { Loot } from "./loot.ts";
import type { Random } from "./random.ts";

/** The healthy backend that these messages are for. */
export const BACKEND = "ref";

const REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
const ASSORTED = [
  ...REVISIONS,
  "2026-07-28",
  "2026-07-28",
  "2027-01-01",
  "1999-01-01",
  "latest",
  "",
  "2026-07-28 ",
];
const CAPABILITIES = [
  {},
  { elicitation: {} },
  { elicitation: {}, sampling: {}, roots: {} },
  { elicitation: { url: {} } },
];

export interface Drawn {
  readonly isModern: boolean;
  readonly method: string;
  /** Before anything was bent. */
  readonly params: Json;
  readonly text: string;
}

type Made = readonly [method: string, params: Json];

const toolCalls: ((random: Random) => Made)[] = [
  (random) => [
    "tools/call",
    { name: "echo", arguments: { text: anyString(random), value: anyValue(random) } },
  ],
  (random) => ["tools/call", { name: "slow", arguments: { ms: random.below(30) } }],
  () => ["tools/call", { name: "test_tool_with_progress", arguments: {} }],
  () => ["tools/call", { name: "test_tool_with_logging", arguments: {} }],
  (random) => ["tools/call", { name: "structured", arguments: { text: anyString(random) } }],
  () => ["tools/call", { name: "ask", arguments: {} }],
  (random) => ["tools/call", { name: "header_params", arguments: { region: anyString(random), count: 7 } }],
  (random) => ["tools/call", { name: anyString(random), arguments: anyValue(random) }],
];

const metaCalls: ((random: Random) => Made)[] = [
  (random) => [
    "tools/call",
    { name: "gateway_search_tools", arguments: { query: anyString(random), limit: 5 } },
  ],
  () => ["tools/call", { name: "gateway_search_tools", arguments: { query: "echo text" } }],
  () => ["tools/call", { name: "gateway_list_servers", arguments: {} }],
  (random) => [
    "tools/call",
    { name: "gateway_list_tools", arguments: { server: BACKEND, tool: anyString(random) } },
  ],
  (random) => ["tools/call", { name: "gateway_invoke", arguments: invokeArguments(random) }],
  (random) => [
    "tools/call",
    { name: `${BACKEND}__${random.pick(["echo", "", "__proto__"])}`, arguments: {} },
  ],
];

const others: ((random: Random) => Made)[] = [
  (random) => [
    "initialize",
    {
      protocolVersion: random.pick(ASSORTED),
      capabilities: random.pick(CAPABILITIES),
      clientInfo: { name: "fuzz", version: "1" },
    },
  ],
  () => ["ping", {}],
  () => ["server/discover", {}],
  (random) => ["tools/list", random.chance(0.5) ? {} : { cursor: anyString(random) }],
  (random) => ["prompts/list", { cursor: anyValue(random, 1) }],
  () => ["resources/list", {}],
  (random) => ["resources/templates/list", random.chance(0.5) ? {} : { cursor: anyString(random) }],
  () => ["resources/read", { uri: "test://static-text" }],
  (random) => ["resources/read", { uri: anyString(random) }],
  () => ["prompts/get", { name: "test_simple_prompt" }],
  (random) => ["prompts/get", { name: "test_prompt_with_arguments", arguments: anyValue(random) }],
  (random) => [
    "completion/complete",
    {
      ref: { type: "ref/prompt", name: "test_prompt_with_arguments" },
      argument: { name: "arg1", value: anyString(random) },
    },
  ],
  (random) => ["logging/setLevel", { level: drawLevel(random) }],
  (random) => [
    "resources/subscribe",
    { uri: random.chance(0.5) ? "test://watched-resource" : anyString(random) },
  ],
  () => ["resources/unsubscribe", { uri: "test://watched-resource" }],
  (random) => [
    "subscriptions/listen",
    {
      notifications: { toolsListChanged: true, resourceSubscriptions: [anyString(random), anyValue(random)] },
    },
  ],
  (random) => [
    random.pick(["tasks/get", "tasks/cancel", "tasks/list", "tasks/update"]),
    { taskId: anyString(random) },
  ],
  (random) => [random.pick(["roots/list", "foo/bar", "", "__proto__", "constructor", "rpc.discover"]), {}],
];

const notices: ((random: Random) => Made)[] = [
  () => ["notifications/initialized", {}],
  (random) => ["notifications/cancelled", { requestId: anyId(random), reason: anyString(random) }],
  (random) => ["notifications/progress", { progressToken: anyId(random), progress: anyValue(random, 0) }],
  () => ["notifications/roots/list_changed", {}],
  (random) => [random.pick(["notifications/tools/list_changed", "notifications/foo", "tools/call"]), {}],
];

function invokeArguments(random: Random): Json {
  return {
    server: random.chance(0.8) ? BACKEND : anyString(random),
    tool: random.chance(0.8) ? "echo" : anyString(random),
    arguments: random.pick([{ text: "hello" }, '{"text":"hello"}', "{", anyValue(random)]),
    ...(random.chance(0.3)
      ? { select: random.pick(["content[0].text", "[", "a.b.c", "*", "foo(", anyValue(random)]) }
      : {}),
    ...(random.chance(0.2) ? { max_tokens: random.pick([1, 0, -1, 1e9, "5"]) } : {}),
    ...(random.chance(0.1) ? { cursor: anyString(random) } : {}),
  };
}

/** One message as text; half of them are good. */
export function drawMessage(random: Random, loot: Loot): Drawn {
  const isModern = random.chance(0.5);
  const kind = random.below(20);
  if (kind === 0) return drawAnswer(random, isModern);
  const isNotice = kind < 3;
  const [method, own] = random.pick(isNotice ? notices : random.pick([toolCalls, metaCalls, others, others]))(
    random,
  );
  const params = { ...own, ...meta(random, isModern), ...retry(random, loot) };
  const message = { jsonrpc: "2.0", ...(isNotice ? {} : { id: drawId(random) }), method, params };
  return { isModern, method, params, text: bend(random, message) };
}

/** A good one is rare: calls of a client that has asked for log lines wait for each other. */
function drawLevel(random: Random): unknown {
  return random.chance(0.02) ? "debug" : random.pick(["loud", "", 7, "__proto__", null]);
}

function drawId(random: Random): unknown {
  return random.chance(0.9)
    ? random.pick([1, "a", random.below(1e9), `req-${random.below(1e9)}`])
    : anyId(random);
}

/** To a question that was never asked, or was. */
function drawAnswer(random: Random, isModern: boolean): Drawn {
  const outcome = random.chance(0.6)
    ? { result: random.chance(0.5) ? { action: "accept", content: { name: "x" } } : anyValue(random) }
    : { error: random.chance(0.5) ? { code: -32000, message: "no" } : anyValue(random) };
  const id = random.chance(0.5) ? `gateway-${random.below(4)}` : anyId(random);
  return { isModern, method: "", params: {}, text: bend(random, { jsonrpc: "2.0", id, ...outcome }) };
}

function meta(random: Random, isModern: boolean): Json {
  const token = random.chance(0.3) ? { progressToken: anyId(random) } : {};
  if (!isModern) return Object.keys(token).length === 0 ? {} : { _meta: token };
  return {
    _meta: {
      ...token,
      [META.protocolVersion]: random.chance(0.95) ? "2026-07-28" : random.pick(ASSORTED),
      [META.clientCapabilities]: random.chance(0.95) ? random.pick(CAPABILITIES) : anyValue(random),
      ...(random.chance(0.5) ? { [META.clientInfo]: { name: "fuzz", version: "1" } } : {}),
      ...(random.chance(0.1) ? { [META.logLevel]: drawLevel(random) } : {}),
    },
  };
}

/** Round after round: with a state that was given out, that was changed, or that nobody gave out. */
function retry(random: Random, { states }: Loot): Json {
  if (random.chance(0.93)) return {};
  const known = states.any(random) ?? "nobody.gave";
  const requestState = random.pick([known, forge(random, known), anyString(random), anyValue(random)]);
  const answer = { action: "accept", content: { name: anyString(random) } };
  const inputResponses = random.chance(0.7) ? { "question-1": answer } : anyValue(random);
  return { requestState, inputResponses };
}

/** A sealed text with something in it changed. */
export function forge(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  return random.pick([
    text.slice(0, at),
    `${text.slice(0, at)}${random.pick(["A", "é", ".", "=", " "])}${text.slice(at + 1)}`,
    `${text}.${text}`,
    text.replace(".", ""),
    `${text.slice(text.indexOf(".") + 1)}.${text.slice(0, text.indexOf("."))}`,
  ]);
}

function bend(random: Random, message: Json): string {
  if (random.chance(0.4)) return JSON.stringify(message);
  const bent = random.chance(0.6) ? distort(random, message) : message;
  const text = JSON.stringify(bent) ?? "";
  if (random.chance(0.02)) return text.replace(/\{\}|\[\]|"[^"]{3,}"(?=[,}])/, deepText(random));
  return random.chance(0.5) ? corruptText(random, text) : text;
}
