// A part of a result, chosen by a JMESPath expression. Must not know how long results may be.

import type { JSONValue } from "@jmespath-community/jmespath";
import { isObject, type Json, RpcError } from "../protocol/jsonrpc.ts";
import { evaluate } from "./jmespath.ts";

const MAX_LENGTH = 1_000;
const KEYS_SHOWN = 20;
const EXAMPLE = "for example items[].name, or items[?state=='open'].{id: id, title: title}";

/** Puts what was chosen in the place of the whole; a note says where that was not possible. */
export type Select = (result: Json) => Json;

/** Throws RpcError for what is no expression, so that nothing is called in vain. */
export async function readSelect(expression: string): Promise<Select> {
  // Loaded by those who need it.
  const { compile } = await import("@jmespath-community/jmespath");
  if (expression.length > MAX_LENGTH) throw refusal(new Error("it is too long"));
  const compiled = compiledOrRefused(() => compile(expression));
  return (result) => {
    const data = readJson(result);
    if (data === undefined) return withNote(result, "select was not applied: the result is no JSON");
    try {
      const chosen = evaluate(compiled, data.value);
      const text = typeof chosen === "string" ? chosen : JSON.stringify(chosen);
      return withTexts(result, text === "null" ? [text, nothingChosen(data.value)] : [text]);
    } catch (thrown) {
      // The call is made: its result is not to be lost.
      return withNote(result, `select was not applied: ${messageOf(thrown)}`);
    }
  };
}

function compiledOrRefused<T>(compile: () => T): T {
  try {
    return compile();
  } catch (cause) {
    throw refusal(cause);
  }
}

function refusal(cause: unknown): RpcError {
  const message = `gateway_invoke: "select" is no JMESPath: ${messageOf(cause)}. Write ${EXAMPLE}.`;
  const error = new RpcError(-32602, message);
  error.cause = cause;
  return error;
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** What the result is as data: its structured content, or its texts where each is JSON. */
function readJson({ structuredContent, content }: Json): { readonly value: JSONValue } | undefined {
  if (structuredContent !== undefined) return { value: structuredContent as JSONValue };
  const texts = blocksOf(content).flatMap((block) => (typeof block.text === "string" ? [block.text] : []));
  if (texts.length === 0) return undefined;
  try {
    const values: JSONValue[] = texts.map((text) => JSON.parse(text));
    return { value: values[1] === undefined ? (values[0] ?? null) : values };
  } catch {
    return undefined;
  }
}

function nothingChosen(data: unknown): string {
  if (Array.isArray(data)) return `(select chose nothing; the result is a list of ${data.length})`;
  if (!isObject(data)) return `(select chose nothing; the result is a single ${typeof data})`;
  const keys = Object.keys(data);
  const more = keys.length > KEYS_SHOWN ? ", …" : "";
  return `(select chose nothing; the result has ${keys.slice(0, KEYS_SHOWN).join(", ")}${more})`;
}

/** Images and the like stay. */
function withTexts({ structuredContent: _replaced, ...result }: Json, texts: readonly string[]): Json {
  const others = blocksOf(result.content).filter(({ type }) => type !== "text");
  return { ...result, content: [...texts.map((text) => ({ type: "text", text })), ...others] };
}

function withNote(result: Json, note: string): Json {
  return { ...result, content: [...blocksOf(result.content), { type: "text", text: `(${note})` }] };
}

function blocksOf(content: unknown): Json[] {
  return Array.isArray(content) ? content.filter(isObject) : [];
}
