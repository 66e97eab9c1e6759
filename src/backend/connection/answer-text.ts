// Finds the text of a result inside the text of its response, so that a large result is never written anew.

import type { Answer } from "../../protocol/call.ts";
import type { ResultResponse } from "../../protocol/jsonrpc.ts";

/** What an envelope of ours has: `jsonrpc`, `id` and `result`. */
const ENVELOPE_SIZE = 3;

/**
 * The exact JSON of `result` in a response of the shape that the SDKs write: the envelope's other keys all before it, or
 * all after it. `line` has been parsed already, so it is valid JSON with this id; undefined where the shape is another.
 */
function resultText(line: string, id: number): string | undefined {
  const whole = line.trimEnd();
  if (whole.startsWith('{"result":')) return beforeTail(whole, id);
  const head = whole.startsWith('{"jsonrpc":')
    ? `{"jsonrpc":"2.0","id":${id},"result":`
    : `{"id":${id},"jsonrpc":"2.0","result":`;
  const isHead = whole.startsWith(head) && whole.endsWith("}");
  return isHead ? oneObject(whole.slice(head.length, -1)) : undefined;
}

function beforeTail(whole: string, id: number): string | undefined {
  for (const tail of [`,"jsonrpc":"2.0","id":${id}}`, `,"id":${id},"jsonrpc":"2.0"}`]) {
    if (whole.endsWith(tail)) return oneObject(whole.slice('{"result":'.length, -tail.length));
  }
  return undefined;
}

/** A key of an envelope after an object, its letters in disguise or not. In most results no key comes after an object. */
const NEXT_MEMBER = /\}\s*,\s*"(?:id"|jsonrpc"|result"|[a-z]*\\u00)/;
/** A key of an envelope before an object, and any letter in disguise. */
const LAST_MEMBER = /"(?:id|jsonrpc|result)"\s*:\s*\{|\\u00/;

/**
 * Undefined where the text could be a result and more: an envelope may name a key twice, and then the text between would
 * carry an id of the backend's choice to the client. With three keys in all, only those can come again; what comes next
 * after the result has such a key, and what comes last has one and ends as an object does.
 */
function oneObject(between: string): string | undefined {
  const text = between.trim();
  if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
  return NEXT_MEMBER.test(text) && LAST_MEMBER.test(text) ? undefined : text;
}

/** An answer with its exact text, where that can be had without writing it anew. */
export function answerOf(response: ResultResponse, text: string | undefined, id: number): Answer {
  const { result } = response;
  const isPlain = text !== undefined && Object.keys(response).length === ENVELOPE_SIZE;
  const exact = isPlain ? resultText(text, id) : undefined;
  return exact === undefined ? { result } : { result, text: exact };
}
