// Finds the text of a result inside the text of its response, so that a large result is never written anew.

import type { Answer } from "../protocol/call.ts";
import type { ResultResponse } from "../protocol/jsonrpc.ts";

/** What an envelope of ours has: `jsonrpc`, `id` and `result`. */
const ENVELOPE_SIZE = 3;

/**
 * The exact JSON of `result` in a response of the shape that the SDKs write: the envelope's other keys all before it, or
 * all after it. `line` has been parsed already, so it is valid JSON with this id; undefined where the shape is another.
 */
function resultText(line: string, id: number): string | undefined {
  for (const head of [`{"jsonrpc":"2.0","id":${id},"result":`, `{"id":${id},"jsonrpc":"2.0","result":`]) {
    if (line.startsWith(head)) return between(line, head.length, "}");
  }
  if (!line.startsWith('{"result":')) return undefined;
  for (const tail of [`,"jsonrpc":"2.0","id":${id}}`, `,"id":${id},"jsonrpc":"2.0"}`]) {
    if (line.trimEnd().endsWith(tail)) return between(line, '{"result":'.length, tail);
  }
  return undefined;
}

function between(line: string, start: number, tail: string): string | undefined {
  const end = line.trimEnd();
  if (!end.endsWith(tail)) return undefined;
  const text = end.slice(start, end.length - tail.length).trim();
  return isOneObject(text) ? text : undefined;
}

/** A key of an envelope before an object, and any letter in disguise. */
const SECOND_MEMBER = /"(?:id|jsonrpc|result)"\s*:\s*\{|\\u00/;

/**
 * False where the text could be a result and more: an envelope may name a key twice, and then the text between would
 * carry an id of the backend's choice to the client. With three keys in all, only those can come again.
 */
function isOneObject(text: string): boolean {
  return text.startsWith("{") && text.endsWith("}") && !SECOND_MEMBER.test(text);
}

/** An answer with its exact text, where that can be had without writing it anew. */
export function answerOf(response: ResultResponse, text: string | undefined, id: number): Answer {
  const { result } = response;
  const isPlain = text !== undefined && Object.keys(response).length === ENVELOPE_SIZE;
  const exact = isPlain ? resultText(text, id) : undefined;
  return exact === undefined ? { result } : { result, text: exact };
}
