// Demo tools that look at text: counting what is in it, and reading JSON.

import { Type } from "@sinclair/typebox";
import { defineTool, ToolError } from "./tool.ts";

const MAX_TEXT = 200_000;

export const textStatistics = defineTool({
  name: "text_statistics",
  title: "Text statistics",
  description:
    "Counts the characters, words, sentences, lines and bytes of a text and finds its most frequent words.",
  input: Type.Object(
    { text: Type.String({ maxLength: MAX_TEXT, description: "The text, in any language" }) },
    { additionalProperties: false },
  ),
  output: Type.Object({
    characters: Type.Integer({ description: "As a reader counts them: an emoji is one" }),
    words: Type.Integer(),
    sentences: Type.Integer(),
    lines: Type.Integer(),
    bytes: Type.Integer({ description: "In UTF-8" }),
    frequent_words: Type.Array(Type.Object({ word: Type.String(), count: Type.Integer() })),
  }),
  annotations: { readOnlyHint: true },
  run({ text }) {
    const words = [...segments(text, "word")]
      .filter((part) => part.isWordLike)
      .map((part) => part.segment.toLowerCase());
    const counts = new Map<string, number>();
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    return {
      characters: [...segments(text, "grapheme")].length,
      words: words.length,
      sentences: [...segments(text, "sentence")].filter((part) => part.segment.trim() !== "").length,
      lines: text === "" ? 0 : text.split(/\r\n|\r|\n/).length,
      bytes: Buffer.byteLength(text),
      frequent_words: [...counts]
        .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
        .slice(0, 5)
        .map(([word, count]) => ({ word, count })),
    };
  },
});

function segments(text: string, granularity: "grapheme" | "word" | "sentence"): Intl.Segments {
  return new Intl.Segmenter("en", { granularity }).segment(text);
}

export const queryJson = defineTool({
  name: "query_json",
  title: "Query JSON",
  description:
    "Checks and formats a JSON text, or takes one part out of it by JSON Pointer (RFC 6901), such as /users/0/name.",
  input: Type.Object(
    {
      json: Type.String({ maxLength: MAX_TEXT, description: "The JSON text" }),
      pointer: Type.Optional(Type.String({ description: "Which part; all of it if left out" })),
      indent: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 8,
          description: "Spaces per level; 2 if left out, 0 for one line",
        }),
      ),
    },
    { additionalProperties: false },
  ),
  annotations: { readOnlyHint: true },
  run({ json, pointer = "", indent = 2 }) {
    return JSON.stringify(follow(parse(json), pointer), null, indent);
  },
});

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ToolError(`This is not JSON: ${reason}.`, { cause });
  }
}

function follow(root: unknown, pointer: string): unknown {
  if (pointer === "") return root;
  if (!pointer.startsWith("/")) {
    throw new ToolError(`A JSON Pointer is empty or starts with a slash: "/${pointer}"?`);
  }
  let value = root;
  let walked = "";
  for (const step of pointer.slice(1).split("/")) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null) {
      throw new ToolError(
        `${walked || "The whole"} is ${JSON.stringify(value)?.slice(0, 60)}: nothing is inside.`,
      );
    }
    if (!Object.hasOwn(value, key) || (Array.isArray(value) && key === "length")) {
      const keys = Array.isArray(value)
        ? `0 to ${value.length - 1}`
        : Object.keys(value).slice(0, 20).join(", ");
      throw new ToolError(`${walked || "The top level"} has no "${key}". It has: ${keys || "nothing"}.`);
    }
    value = Reflect.get(value, key);
    walked += `/${step}`;
  }
  return value;
}
