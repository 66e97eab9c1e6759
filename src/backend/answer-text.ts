// Finds the text of a result inside the text of its response, so that a large result is never written anew.

import type { Answer } from "../protocol/call.ts";
import type { Json } from "../protocol/jsonrpc.ts";

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
  return end.endsWith(tail) ? end.slice(start, end.length - tail.length) : undefined;
}

/** An answer with its exact text, where that can be had without writing it anew. */
export function answerOf(result: Json, text: string | undefined, id: number): Answer {
  const exact = text === undefined ? undefined : resultText(text, id);
  return exact === undefined ? { result } : { result, text: exact };
}
