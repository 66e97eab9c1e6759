// What a model reads of a tool's result, as one text, and what it gets besides. Must not know how long that may be.

import { isDeepStrictEqual } from "node:util";
import { BACKEND_LIMITS, parseBounded } from "../protocol/bounded-json.ts";
import { itemsOf, memberOf, writeJson } from "../protocol/exact.ts";
import { isObject, type Json } from "../protocol/jsonrpc.ts";

export interface Readable {
  readonly text: string;
  /** Images, sounds, links: in their order, as they came. */
  readonly others: readonly unknown[];
}

/** Structured content counts once where the text says the same, as it should. */
export function readableText(result: Json): Readable {
  const content = memberOf(result, "content");
  const structuredContent = memberOf(result, "structuredContent");
  const blocks = itemsOf(Array.isArray(content) ? content : []);
  const texts: string[] = [];
  const others: unknown[] = [];
  for (const block of blocks) {
    const text = isObject(block) ? textOf(block) : undefined;
    if (text === undefined) others.push(block);
    else texts.push(text);
  }
  if (structuredContent !== undefined && !texts.some((text) => says(text, structuredContent))) {
    texts.push(writeJson(structuredContent));
  }
  return { text: texts.join("\n"), others };
}

/** Of an embedded resource, its address and its text. */
function textOf(block: Json): string | undefined {
  if (block.type === "text" && typeof block.text === "string") return block.text;
  const { resource } = block;
  if (block.type !== "resource" || !isObject(resource) || typeof resource.text !== "string") return undefined;
  return typeof resource.uri === "string" ? `${resource.uri}:\n${resource.text}` : resource.text;
}

/** Structured content is often the text, or its JSON, wrapped: `{ result: "…" }`. */
function says(text: string, value: unknown): boolean {
  const inner = isObject(value) && Object.keys(value).length === 1 ? Object.values(value)[0] : undefined;
  if (inner === text) return true;
  try {
    const said: unknown = parseBounded(text, BACKEND_LIMITS);
    return isDeepStrictEqual(said, value) || (inner !== undefined && isDeepStrictEqual(said, inner));
  } catch {
    return false;
  }
}
