// Everything that is not a tool call: lists, resources, prompts, completion, what there is not.

import { ask, type Case } from "./case.ts";

const LISTS = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];

const lists: Case[] = LISTS.flatMap((method) => [
  ask(method, {}, "first page"),
  ask(method, undefined, "no params"),
  ask(method, { cursor: btoa("at 2") }, "second page"),
  ask(method, { cursor: "bad" }, "bad cursor"),
  ask(method, { cursor: "" }, "empty cursor"),
  ask(method, { cursor: 5 }, "cursor is a number"),
  ask(method, { surplus: [1] }, "unknown parameter", { meta: { "x/y": 1 } }),
]);

const read = (uri: unknown, name: string, more: Partial<Case> = {}) =>
  ask("resources/read", { uri }, name, more);

const resources: Case[] = [
  read("test://static-text", "text"),
  read("test://static-binary", "binary"),
  read("test://template/5/data", "of a template"),
  read("test://template/%C3%BC/data", "escaped"),
  read("test://watched-resource", "watched"),
  read("test://none", "missing"),
  read("", "empty uri"),
  read(7, "uri is a number"),
  ask("resources/read", {}, "no uri"),
  ask("resources/read", undefined, "no params"),
  read("test://static-text", "with _meta", { meta: { "x/y": [null] } }),
];

const get = (name: unknown, args: unknown, about: string, more: Partial<Case> = {}) =>
  ask("prompts/get", { name, ...(args === undefined ? {} : { arguments: args }) }, about, more);

const prompts: Case[] = [
  get("test_simple_prompt", undefined, "simple"),
  get("test_simple_prompt", {}, "empty arguments"),
  get("test_prompt_with_arguments", { arg1: "a", arg2: "ü" }, "two arguments"),
  get("test_prompt_with_arguments", { arg1: "a" }, "one of two arguments"),
  get("test_prompt_with_arguments", { arg1: 5 }, "argument is a number"),
  get("test_prompt_with_embedded_resource", { resourceUri: "test://x" }, "resource"),
  get("test_prompt_with_image", {}, "image"),
  get("none", {}, "missing"),
  get("toString", {}, "prompt of Object"),
  get(5, {}, "name is a number"),
  ask("prompts/get", {}, "no name"),
  ask("prompts/get", undefined, "no params"),
  get("test_input_required_result_prompt", {}, "asks"),
  get("test_input_required_result_prompt", {}, "asks, declined", { manner: "decline" }),
  get("test_input_required_result_prompt", {}, "asks a client that cannot", { isPlain: true }),
];

const PROMPT = { type: "ref/prompt", name: "test_prompt_with_arguments" };
const TEMPLATE = { type: "ref/resource", uri: "test://template/{id}/data" };
const complete = (params: object, name: string) => ask("completion/complete", { ...params }, name);

const completion: Case[] = [
  complete({ ref: PROMPT, argument: { name: "arg1", value: "par" } }, "prompt"),
  complete({ ref: PROMPT, argument: { name: "arg1", value: "" } }, "empty value"),
  complete({ ref: TEMPLATE, argument: { name: "id", value: "te" } }, "template"),
  complete(
    { ref: PROMPT, argument: { name: "arg2", value: "p" }, context: { arguments: { arg1: "paper" } } },
    "with context",
  ),
  complete({ ref: PROMPT }, "no argument"),
  complete({ ref: { type: "ref/none" }, argument: { name: "a", value: "" } }, "unknown reference"),
  complete({}, "empty"),
];

const unknown: Case[] = [
  ask("none/such", {}, "unknown method"),
  ask("none/such", undefined, "unknown method without params"),
  ask("tools", {}, "half a method"),
  ask("", {}, "empty method"),
  ask("constructor", {}, "method of Object"),
  ask("rpc.discover", {}, "method that JSON-RPC reserves"),
  ask("sampling/createMessage", { messages: [], maxTokens: 1 }, "a server's question"),
];

const legacyOnly: Case[] = [
  ask("ping", {}, "plain"),
  ask("ping", undefined, "no params"),
  ask("ping", { surplus: 1 }, "unknown parameter", { meta: { "x/y": 1 } }),
  ask("logging/setLevel", { level: "loud" }, "unknown level"),
  ask("logging/setLevel", {}, "no level"),
  ask("resources/subscribe", {}, "no uri"),
  ask("resources/subscribe", { uri: 5 }, "uri is a number"),
  ask("resources/unsubscribe", { uri: "test://never-watched" }, "never watched"),
  ask("server/discover", {}, "of the other era"),
  ask("subscriptions/listen", { notifications: {} }, "of the other era"),
].map((one) => ({ ...one, only: "legacy" as const }));

const modernOnly: Case[] = [
  ask("server/discover", {}, "plain"),
  ask("server/discover", { surplus: 1 }, "unknown parameter"),
  ask("ping", {}, "removed"),
  ask("initialize", { protocolVersion: "2025-11-25", capabilities: {} }, "removed"),
  ask("logging/setLevel", { level: "info" }, "removed"),
  ask("resources/subscribe", { uri: "test://watched-resource" }, "removed"),
  ask("resources/unsubscribe", { uri: "test://watched-resource" }, "removed"),
  ask("subscriptions/listen", {}, "no filter"),
].map((one) => ({ ...one, only: "modern" as const }));

export const listCases: readonly Case[] = [
  ...lists,
  ...resources,
  ...prompts,
  ...completion,
  ...unknown,
  ...legacyOnly,
  ...modernOnly,
];
