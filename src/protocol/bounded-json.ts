// Limits for JSON from outside, checked by one scan of the text before it is parsed. Without them a long text of nested
// brackets would block the event loop for seconds and take gigabytes of memory.

import { endOfString, itemTexts, membersOf } from "./json-text.ts";

/** A value that nests deeper would overflow the stack when it is written again. Many parsers have this limit, too. */
export const MAX_DEPTH = 1_000;
/** In one message or batch of a client; members of objects count as well as items of arrays. */
export const MAX_CLIENT_VALUES = 100_000;
/** In one message of a backend: lists of many thousand tools need that many. */
export const MAX_BACKEND_VALUES = 1_000_000;
/** A shorter text takes a few milliseconds at most, whatever it is. */
const CHEAP_LENGTH = 32 * 1024;

const QUOTE = 0x22;
const ASCII = 0x7f;
/** How a character outside of strings changes the depth, and the number of values. */
const STEPS = new Int8Array(ASCII + 1);
const COUNTS = new Int8Array(ASCII + 1);
for (const open of "[{") {
  STEPS[open.charCodeAt(0)] = 1;
  COUNTS[open.charCodeAt(0)] = 1;
}
for (const close of "]}") STEPS[close.charCodeAt(0)] = -1;
COUNTS[",".charCodeAt(0)] = 1;

/** The message names the limit; it is the end of a sentence such as "The body …". */
export class JsonLimitError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "JsonLimitError";
  }
}

type Reviver = (...args: readonly unknown[]) => unknown;

/** As JSON.parse. Throws JsonLimitError if the text nests too deep or has more than `maxValues` values. */
export function parseBounded(text: string, maxValues: number, reviver?: Reviver): unknown {
  if (text.length > CHEAP_LENGTH) {
    const problem = limitOf(text, maxValues);
    if (problem !== undefined) throw new JsonLimitError(problem);
  }
  return JSON.parse(text, reviver);
}

/**
 * The text of a backend's message or batch, which may be parsed at once. A message over a limit is replaced: an answer by an
 * error with the same id, any other message by `null`, which is no message.
 */
export function boundedMessage(text: string): string {
  const problem = text.length > CHEAP_LENGTH ? limitOf(text, MAX_BACKEND_VALUES) : undefined;
  if (problem === undefined) return text;
  if (!text.trimStart().startsWith("[")) return refusal(text, problem);
  const items = itemTexts(text).map((item) => {
    const own = limitOf(item, MAX_BACKEND_VALUES);
    return own === undefined ? item : refusal(item, own);
  });
  const batch = `[${items.join(",")}]`;
  return limitOf(batch, MAX_BACKEND_VALUES) === undefined ? batch : "null";
}

function refusal(text: string, problem: string): string {
  const members = new Map(membersOf(text).map(({ key, start, end }) => [key, text.slice(start, end)]));
  const id = members.get("id");
  const isAnswer = (members.has("result") || members.has("error")) && !members.has("method");
  if (id === undefined || !isAnswer) return "null";
  return `{"jsonrpc":"2.0","id":${id},"error":{"code":-32603,"message":"The answer ${problem}."}}`;
}

/** Safe for any text, valid JSON or not; linear, without recursion. */
function limitOf(text: string, maxValues: number): string | undefined {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at) - 1;
      // The string does not end: JSON.parse will fail there as well.
      if (at < 0) return undefined;
      continue;
    }
    // JSON has no characters beyond ASCII outside of strings. The count is wrong for them, but JSON.parse refuses the text.
    depth += STEPS[code & ASCII] ?? 0;
    values += COUNTS[code & ASCII] ?? 0;
    if (depth > MAX_DEPTH) return `nests deeper than ${MAX_DEPTH} levels`;
    if (values > maxValues) return `holds more than ${maxValues} values`;
  }
  return undefined;
}
