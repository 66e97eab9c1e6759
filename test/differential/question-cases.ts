// Calls that ask the client back, answered in every manner, by clients that can and that cannot.

import { type Case, call, type Manner } from "./case.ts";

const FORM = {
  type: "object",
  properties: { reply: { type: "string", title: "Reply", "x-kept": 1 }, sure: { type: "boolean" } },
  required: ["reply"],
};

const elicitation = { method: "elicitation/create", params: { message: "Well? ü", requestedSchema: FORM } };
const sampling = {
  method: "sampling/createMessage",
  params: {
    messages: [{ role: "user", content: { type: "text", text: "say" } }],
    maxTokens: 5,
    systemPrompt: "short",
    modelPreferences: { hints: [{ name: "m" }], costPriority: 0.5 },
    stopSequences: ["x"],
    metadata: { kept: [null] },
  },
};
const roots = { method: "roots/list", params: {} };

const TOOLS: readonly (readonly [string, object])[] = [
  ["test_sampling", { prompt: "capital?" }],
  ["test_elicitation", { message: "Who are you?" }],
  ["test_elicitation_sep1034_defaults", {}],
  ["test_elicitation_sep1330_enums", {}],
  ["test_missing_capability", {}],
  ["test_input_required_result_elicitation", {}],
  ["test_input_required_result_sampling", {}],
  ["test_input_required_result_list_roots", {}],
  ["test_input_required_result_capabilities", {}],
  ["test_input_required_result_request_state", {}],
  ["test_input_required_result_multiple_inputs", {}],
  ["test_input_required_result_multi_round", {}],
  ["roots", {}],
  ["open_url", { url: "https://example.com/a?b=c" }],
];

const MANNERS: readonly Manner[] = ["decline", "cancel", "fail"];

const everyManner: Case[] = TOOLS.flatMap(([tool, args]) => [
  call(tool, args, { name: "accepted" }),
  call(tool, args, { name: "by a client that cannot", isPlain: true }),
]);

const refused: Case[] = MANNERS.flatMap((manner) =>
  ["test_elicitation", "test_input_required_result_multiple_inputs", "open_url"].map((tool) =>
    call(tool, { message: "m", url: "https://example.com" }, { name: manner, manner }),
  ),
);

const asked: Case[] = [
  call("ask", { questions: { a: elicitation } }, { name: "a form" }),
  call("ask", { questions: { a: sampling } }, { name: "a sample" }),
  call("ask", { questions: { a: roots } }, { name: "roots" }),
  call("ask", { questions: { a: elicitation }, state: "kept ü" }, { name: "a form with state" }),
  call("ask", { questions: {} }, { name: "nothing" }),
  call("ask", { questions: { a: { method: "none/such", params: {} } } }, { name: "no such question" }),
  call("ask", { questions: { a: elicitation } }, { name: "progress beside", meta: { progressToken: "p" } }),
];

const modern: Case[] = [
  call("test_input_required_result_tampered_state", {}, { name: "kept" }),
  call("ask", { questions: { a: elicitation, b: sampling } }, { name: "two, left out", manner: "fail" }),
].map((one) => ({ ...one, only: "modern" as const }));

const legacy: Case[] = [
  call("url_required", { url: "https://example.com/first" }, {}),
  call("url_required", {}, { name: "by a client that cannot", isPlain: true }),
  call("ask_aside", {}, { name: "declined", manner: "decline" }),
  call("ask_aside", {}, { name: "by a client that cannot", isPlain: true }),
].map((one) => ({ ...one, only: "legacy" as const, offeredIn: "legacy" as const }));

/**
 * The first of those questions that name no call. The gateway does not know yet that the server asks so, and would refuse
 * one just after a call of another client, which could have asked it as well: so it comes before all others.
 */
const aside: Case = {
  ...call("ask_aside", { message: "aside" }, {}),
  only: "legacy",
  offeredIn: "legacy",
};

export const questionCases: readonly Case[] = [
  aside,
  ...everyManner,
  ...refused,
  ...asked,
  ...legacy,
  ...modern,
];
