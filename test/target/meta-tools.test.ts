// What the definitions of the four cost a model: the whole of them, and what reading large results adds.

import { describe, expect, test } from "bun:test";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { metaToolDefinitions } from "../../src/target/meta-tools.ts";

/** Clients keep `_meta` to themselves. */
const tokens = (value: unknown) =>
  encode(JSON.stringify(value, (key, inner) => (key === "_meta" ? undefined : inner))).length;
const FIVE = ["github", "files", "memory", "calendar", "browser"];

describe("the four definitions", () => {
  test("cost at most 400 tokens (o200k), and 300 with few servers", () => {
    const many = Array.from({ length: 60 }, (_, index) => `server-number-${index}`);
    expect(tokens(metaToolDefinitions(many))).toBeLessThanOrEqual(400);
    expect(tokens(metaToolDefinitions(FIVE))).toBeLessThanOrEqual(300);
  });

  test("cost at most 60 tokens for the sake of large results", () => {
    const definitions: unknown[] = JSON.parse(JSON.stringify(metaToolDefinitions(FIVE)));
    const without: unknown[] = JSON.parse(
      JSON.stringify(definitions, (key, value) =>
        ["select", "max_tokens", "cursor"].includes(key) ? undefined : value,
      ),
    );
    const added = tokens(definitions) - tokens(without);
    expect(added).toBeGreaterThan(0);
    expect(added).toBeLessThanOrEqual(60);
  });

  test("are loaded at once by clients that defer tools", () => {
    for (const { _meta } of metaToolDefinitions(FIVE))
      expect(_meta).toEqual({ "anthropic/alwaysLoad": true });
  });

  test("are the same each time", () => {
    expect(JSON.stringify(metaToolDefinitions(FIVE))).toBe(JSON.stringify(metaToolDefinitions([...FIVE])));
  });
});
