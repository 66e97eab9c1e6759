// A part of a result, chosen by a JMESPath expression. Must not know how long results may be.

import type { JSONValue } from "@jmespath-community/jmespath";
import { CLIENT_LIMITS, type JsonLimits, parseBounded } from "../protocol/bounded-json.ts";
import { changed, exactly, itemsOf, keepText, memberOf, textOf, writeJson } from "../protocol/exact.ts";
import { isObject, type Json, RpcError } from "../protocol/jsonrpc.ts";
import { evaluate } from "./jmespath.ts";

const MAX_LENGTH = 1_000;
const KEYS_SHOWN = 20;
/** The total length of the texts in a result that are parsed for `select`. Longer ones would block the event loop too long. */
const MAX_TEXT_LENGTH = 4 * 1024 * 1024;
const TEXT_LIMITS: JsonLimits = { ...CLIENT_LIMITS, values: 200_000 };
const EXAMPLE = "for example items[].name, or items[?state=='open'].{id: id, title: title}";

/** Puts what was chosen in the place of the whole; a note says where that was not possible. */
export type Select = (result: Json) => Promise<Json>;

/** Throws RpcError for what is no expression, so that nothing is called in vain. */
export async function readSelect(expression: string): Promise<Select> {
  // Loaded by those who need it.
  const { compile } = await import("@jmespath-community/jmespath");
  if (expression.length > MAX_LENGTH) throw refusal(new Error("it is too long"));
  const compiled = compiledOrRefused(() => compile(expression));
  return async (result) => {
    const parsed = [...textsOf(result), wrapped(result) ?? ""];
    if (parsed.reduce((length, text) => length + text.length, 0) > MAX_TEXT_LENGTH)
      return withNote(result, "select was not applied: the result has more than 4 MiB of text");
    const found = candidates(result);
    const [first] = found;
    if (first === undefined)
      return withNote(
        result,
        "select was not applied: the result is plain text and no JSON; call again without it",
      );
    let failure: string | undefined;
    for (const data of found) {
      try {
        const text = await chosenText(data, (given) => evaluate(compiled, given));
        if (text !== undefined) return withTexts(result, [text]);
      } catch (thrown) {
        failure ??= messageOf(thrown);
      }
    }
    // The call has already been made, so its result must not be lost.
    if (failure !== undefined) return withNote(result, `select was not applied: ${failure}`);
    return withTexts(result, ["null", nothingChosen(first, wrapped(result))]);
  };
}

type Choose = (data: JSONValue) => JSONValue;

/** Each evaluation may take as long as one message may, so other requests are served before it. */
async function chosenText(data: JSONValue, choose: Choose): Promise<string | undefined> {
  await nextTurn();
  const chosen = choose(data);
  if (chosen === null) return undefined;
  return typeof chosen === "string" ? chosen : exactText(chosen, data, choose);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
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

/**
 * The data in a result, most likely first: its structured content, JSON in its texts, JSON in the text inside the structured
 * content.
 */
function candidates(result: Json): JSONValue[] {
  const structuredContent = memberOf(result, "structuredContent");
  const found: JSONValue[] = structuredContent === undefined ? [] : [structuredContent as JSONValue];
  const values = textsOf(result)
    .map(jsonIn)
    .filter((value) => value !== undefined);
  if (values.length > 0) found.push(values[1] === undefined ? (values[0] ?? null) : values);
  const inside = jsonIn(wrapped(result) ?? "");
  if (inside !== undefined) found.push(inside);
  return found;
}

function textsOf({ content }: Json): string[] {
  return blocksOf(content).flatMap(({ text }) => (typeof text === "string" ? [text] : []));
}

const LONG_NUMBER = /[\d.]{16}|\d[eE]/;
/** Longer texts would take too much time. */
const MOST_EXACT = 1024 * 1024;

/**
 * The selection from `data`, with all digits: if a double cannot hold a number, the selection is repeated with numbers as
 * texts. If that selects something else, because the expression calculates with numbers, the doubles are kept.
 */
async function exactText(chosen: JSONValue, data: JSONValue, choose: Choose): Promise<string> {
  const rounded = JSON.stringify(chosen);
  const text = writeJson(data);
  if (text.length > MOST_EXACT || !LONG_NUMBER.test(text)) return rounded;
  await nextTurn();
  try {
    const whole = parseBounded(text, CLIENT_LIMITS, withDigits) as JSONValue;
    await nextTurn();
    const exact = choose(whole);
    const isSame = JSON.stringify(exact, (_key, value: unknown) => readBack(value)) === rounded;
    return isSame ? writeJson(exact) : rounded;
  } catch {
    return rounded;
  }
}

function withDigits(...[_key, value, context]: readonly unknown[]): unknown {
  const source = isObject(context) ? context.source : undefined;
  if (typeof value !== "number" || typeof source !== "string") return value;
  const digits = source.replace(/[eE].*$/, "").replace(/^-?0*\.?0*|\./g, "");
  return Number.isFinite(value) && digits.length < 16 ? value : exactly(source);
}

function readBack(value: unknown): unknown {
  const text = typeof value === "object" && value !== null ? textOf(value) : undefined;
  return text === undefined ? value : Number(text);
}

/** The text in structured content that consists of one text only, such as `{ "content": "…" }`. */
function wrapped({ structuredContent }: Json): string | undefined {
  if (!isObject(structuredContent)) return undefined;
  const [only, ...more] = Object.values(structuredContent);
  return typeof only === "string" && more.length === 0 ? only : undefined;
}

/** An object or a list in a text: the whole text, a fenced block, or the rest from some line on. */
function jsonIn(text: string): JSONValue | undefined {
  const fenced = /^```(?:json)?[ \t]*\r?\n([\s\S]*?)^```/m.exec(text)?.[1];
  const start = text.search(/^[ \t]*[[{]/m);
  for (const part of [text, fenced, start > 0 ? text.slice(start) : undefined]) {
    if (part === undefined || !/^\s*[[{]/.test(part)) continue;
    try {
      const value = parseBounded(part, TEXT_LIMITS) as JSONValue;
      return typeof value === "object" && value !== null ? keepText(value, part) : value;
    } catch {
      // A smaller part may be JSON.
    }
  }
  return undefined;
}

function nothingChosen(data: JSONValue, text: string | undefined): string {
  if (text !== undefined && jsonIn(text) === undefined) {
    return "(select chose nothing: the result is plain text and no JSON; call again without it)";
  }
  if (Array.isArray(data)) return `(select chose nothing; the result is a list of ${data.length})`;
  if (!isObject(data)) return `(select chose nothing; the result is a single ${typeof data})`;
  const keys = Object.keys(data);
  const more = keys.length > KEYS_SHOWN ? ", …" : "";
  return `(select chose nothing; the result has ${keys.slice(0, KEYS_SHOWN).join(", ")}${more})`;
}

/** Images and the like stay. */
function withTexts(result: Json, texts: readonly string[]): Json {
  const others = blocksOf(memberOf(result, "content")).filter(({ type }) => type !== "text");
  const content = [...texts.map((text) => ({ type: "text", text })), ...others];
  return changed(result, { structuredContent: undefined, content });
}

function withNote(result: Json, note: string): Json {
  const content = [...blocksOf(memberOf(result, "content")), { type: "text", text: `(${note})` }];
  return changed(result, { content });
}

function blocksOf(content: unknown): Json[] {
  return Array.isArray(content) ? itemsOf(content).filter(isObject) : [];
}
