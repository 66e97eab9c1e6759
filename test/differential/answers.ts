// What the client answers when it is asked: always the same to the same question.

import type { Json } from "../../src/protocol/jsonrpc.ts";
import type { Manner } from "./case.ts";

export interface Question {
  readonly method: string;
  readonly params?: Json;
}

/** A field that no revision knows: an answer is relayed as it came. */
const KEPT = { _meta: { "client/kept": [1, null] } };

/** Undefined: the question is left without an answer, or answered with an error. */
export function answerTo({ method, params }: Question, manner: Manner): Json | undefined {
  if (manner === "fail") return undefined;
  switch (method) {
    case "roots/list":
      return { roots: [{ uri: "file:///home/someone", name: "home" }, { uri: "file:///srv" }], ...KEPT };
    case "sampling/createMessage":
      return { role: "assistant", model: "m", content: { type: "text", text: "sampled words" }, ...KEPT };
    case "elicitation/create":
      if (manner === "decline" || manner === "cancel") return { action: manner };
      return params?.mode === "url" ? { action: "accept" } : { action: "accept", content: fill(params) };
    default:
      return {};
  }
}

function fill(params: Json | undefined): Json {
  const schema = params?.requestedSchema as { properties?: Record<string, Json> } | undefined;
  const fields = Object.entries(schema?.properties ?? {});
  return Object.fromEntries(fields.map(([name, field]) => [name, filledIn(name, field)]));
}

function filledIn(name: string, field: Json): unknown {
  if (field.default !== undefined) return field.default;
  if (field.type === "boolean") return true;
  if (field.type === "array") return [];
  if (field.type === "integer" || field.type === "number") return 7;
  const choices = [...((field.enum ?? []) as unknown[]), ...((field.oneOf ?? []) as Json[])];
  const [first] = choices;
  if (first === undefined) return `${name} of a person`;
  return typeof first === "object" ? (first as Json).const : first;
}
