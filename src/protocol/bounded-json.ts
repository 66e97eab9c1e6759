// Limits for JSON from outside, checked by one scan of the text before it is parsed. Without them a long text of nested
// brackets would block the event loop for seconds and take gigabytes of memory.

import { endOfString, itemTexts, membersOf } from "./json-text.ts";

/** A value that nests deeper would overflow the stack when it is written again. Many parsers have this limit, too. */
export const MAX_DEPTH = 1_000;
/** The limits for one text. Each of these costs the parser or a scan a multiple of an ordinary character. */
export interface JsonLimits {
  /** Members of objects count as well as items of arrays. */
  readonly values: number;
  /** Escapes in strings. */
  readonly escapes: number;
  /** Characters outside of strings: numbers, punctuation, white space. */
  readonly bare: number;
}

/** For one message or batch of a client. */
export const CLIENT_LIMITS: JsonLimits = { values: 100_000, escapes: 1_000_000, bare: 4_000_000 };
/** For one message of a backend: lists of many thousand tools need that many. */
export const BACKEND_LIMITS: JsonLimits = { values: 1_000_000, escapes: 4_000_000, bare: 16_000_000 };
/** Shorter texts are not scanned: any of them is parsed within a few milliseconds. */
const CHEAP_LENGTH = 32 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
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

/** As JSON.parse. Throws JsonLimitError if the text nests too deep or is over a limit. */
export function parseBounded(text: string, limits: JsonLimits, reviver?: Reviver): unknown {
  if (text.length > CHEAP_LENGTH) {
    const problem = limitOf(text, limits);
    if (problem !== undefined) throw new JsonLimitError(problem);
  }
  return JSON.parse(text, reviver);
}

/**
 * The text of a backend's message or batch, which may be parsed at once. A message over a limit is replaced: an answer by an
 * error with the same id, any other message by `null`, which is no message.
 */
export function boundedMessage(text: string): string {
  const problem = text.length > CHEAP_LENGTH ? limitOf(text, BACKEND_LIMITS) : undefined;
  if (problem === undefined) return text;
  if (!text.trimStart().startsWith("[")) return refusal(text, problem);
  const items = itemTexts(text).map((item) => {
    const own = limitOf(item, BACKEND_LIMITS);
    return own === undefined ? item : refusal(item, own);
  });
  const batch = `[${items.join(",")}]`;
  return limitOf(batch, BACKEND_LIMITS) === undefined ? batch : "null";
}

function refusal(text: string, problem: string): string {
  const id =
    responseIdText({ head: text.slice(0, END_LENGTH), tail: text.slice(-END_LENGTH) }) ?? idWithin(text);
  if (id === undefined) return "null";
  return `{"jsonrpc":"2.0","id":${id},"error":{"code":-32603,"message":"The answer ${problem}."}}`;
}

/** Characters of each end of a text that are searched for an id. */
const END_LENGTH = 512;

/** The two ends of a text that is over a limit. */
export interface TextEnds {
  readonly head: string;
  readonly tail: string;
}

const VERSION = String.raw`"jsonrpc"\s*:\s*"2\.0"\s*`;
/** No leading zero and no control character: what is found must be JSON. */
const ID = String.raw`"id"\s*:\s*(?<id>-?(?:0|[1-9]\d*)|"[ !#-\[\]-\uffff]*")\s*`;
const OUTCOME = String.raw`"(?:result|error)"\s*:`;
const ID_FIRST = new RegExp(String.raw`^\s*\{\s*(?:${VERSION},\s*)?${ID},\s*(?:${VERSION},\s*)?${OUTCOME}`);
const OUTCOME_FIRST = new RegExp(String.raw`^\s*\{\s*(?:${VERSION},\s*)?${OUTCOME}`);
const ID_LAST = new RegExp(String.raw`,\s*${ID}(?:,\s*${VERSION})?\}\s*$`);

/**
 * The id of a response, as it was written, from the two ends of its text; undefined if they do not prove it.
 * Nothing is nested next to the outermost braces, so a member there belongs to the envelope.
 */
export function responseIdText({ head, tail }: TextEnds): string | undefined {
  const found = ID_FIRST.exec(head) ?? (OUTCOME_FIRST.test(head) ? ID_LAST.exec(tail) : null);
  return found?.groups?.id;
}

/** As `responseIdText`, from a scan of the whole text. */
function idWithin(text: string): string | undefined {
  const members = new Map(membersOf(text).map(({ key, start, end }) => [key, text.slice(start, end)]));
  const isAnswer = (members.has("result") || members.has("error")) && !members.has("method");
  return isAnswer ? members.get("id") : undefined;
}

/** Safe for any text, valid JSON or not; linear, without recursion. */
function limitOf(text: string, limits: JsonLimits): string | undefined {
  const escapes = new EscapeCount(text, limits.escapes);
  let depth = 0;
  let values = 0;
  let bare = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at) - 1;
      // The string does not end: JSON.parse will fail there as well.
      if (at < 0) return undefined;
      if (escapes.before(at) > limits.escapes) return `holds more than ${limits.escapes} escapes in strings`;
      continue;
    }
    bare += 1;
    // JSON has no characters beyond ASCII outside of strings. The count is wrong for them, but JSON.parse refuses the text.
    depth += STEPS[code & ASCII] ?? 0;
    values += COUNTS[code & ASCII] ?? 0;
    if (depth > MAX_DEPTH) return `nests deeper than ${MAX_DEPTH} levels`;
    if (values > limits.values) return `holds more than ${limits.values} values`;
    if (bare > limits.bare) return `holds more than ${limits.bare} characters outside of strings`;
  }
  return undefined;
}

const NEAR = 64;

/** Counts the escapes up to a position. Each backslash is searched once, however many strings there are. */
class EscapeCount {
  readonly #text: string;
  #next: number;
  #count = 0;

  /** Does not count if the text is too short for more than `limit` escapes: each has two characters at least. */
  constructor(text: string, limit: number) {
    this.#text = text;
    this.#next = text.length > 2 * limit ? this.#find(0) : text.length;
  }

  /** The number of escapes before `end`, which must never decrease from call to call. */
  before(end: number): number {
    while (this.#next < end) {
      this.#count += 1;
      // The escaped character may be a backslash as well.
      this.#next = this.#find(this.#next + 2);
    }
    return this.#count;
  }

  /** Checks the next characters one by one: a call of `indexOf` takes as long as several dozen of them. */
  #find(from: number): number {
    const text = this.#text;
    const near = Math.min(from + NEAR, text.length);
    for (let at = from; at < near; at++) if (text.charCodeAt(at) === BACKSLASH) return at;
    const at = text.indexOf("\\", near);
    return at === -1 ? text.length : at;
  }
}
