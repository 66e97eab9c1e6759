// Which client capability a backend's question needs, and whether a caller has it.

import type { Caller, Question } from "./call.ts";
import { isObject, type Json } from "./jsonrpc.ts";
import { CAPABILITY_FOR, Method } from "./mcp.ts";

/** The capabilities object that a client must declare to be asked this; undefined for a method that is no question. */
export function requiredCapabilities(question: Question): Json | undefined {
  const capability = CAPABILITY_FOR.get(question.method);
  if (capability === undefined) return undefined;
  if (question.method === Method.elicit)
    return { elicitation: question.params?.mode === "url" ? { url: {} } : { form: {} } };
  if (question.method === Method.sample && question.params?.tools !== undefined)
    return { sampling: { tools: {} } };
  return { [capability]: {} };
}

/**
 * True where the caller declared what the question needs. An empty `elicitation` object means form mode
 * (2025-11-25, client/elicitation, "Capabilities").
 */
export function canAnswer(caller: Caller, question: Question): boolean {
  const required = requiredCapabilities(question);
  return required !== undefined && covers(withForm(caller.capabilities), required);
}

function withForm(declared: Json): Json {
  const { elicitation } = declared;
  const isEmpty = isObject(elicitation) && elicitation.url === undefined;
  return isEmpty ? { ...declared, elicitation: { ...elicitation, form: {} } } : declared;
}

function covers(declared: Json, required: Json): boolean {
  return Object.entries(required).every(([key, value]) => {
    const own = declared[key];
    return isObject(own) && (!isObject(value) || covers(own, value));
  });
}

/** Every question that a gateway can pass on: what it declares to legacy backends, which are told only once. */
export const ALL_CLIENT_CAPABILITIES: Json = {
  roots: { listChanged: true },
  sampling: { tools: {}, context: {} },
  elicitation: { form: {}, url: {} },
};
