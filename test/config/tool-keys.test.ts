// The keys about tools as finished values, and what a person reads where one is wrong.

import { describe, expect, test } from "bun:test";
import { complaints, load, only } from "./written.ts";

function backend(rules: string): string {
  return `backends:\n  it:\n    command: x\n    tools: ${rules}`;
}

describe("pinned", () => {
  test("is a list of server.tool, each taken once, in its order", () => {
    const { pinned } = load("pinned: [b.two, a.b.one, b.two]\nbackends: {a: {command: x}}");
    expect(pinned).toEqual(["b.two", "a.b.one"]);
    expect(load("backends: {a: {command: x}}").pinned).toEqual([]);
  });

  test("refuses what names no server", () => {
    expect(complaints("pinned: [read_file]\nbackends: {a: {command: x}}")).toEqual([
      'servers.yaml:1:10: pinned.0 must be server.tool, not "read_file"',
    ]);
    expect(complaints("pinned: a.b\nbackends: {a: {command: x}}")).toEqual([
      "servers.yaml:1:9: pinned must be a list of tools, each as server.tool, not text",
    ]);
  });
});

describe("max_result_tokens", () => {
  test("is 20,000 unless it is set", () => {
    expect(load("backends: {a: {command: x}}").maxResultTokens).toBe(20_000);
    expect(load("max_result_tokens: 500\nbackends: {a: {command: x}}").maxResultTokens).toBe(500);
    expect(load("max_result_tokens: 0\nbackends: {a: {command: x}}").maxResultTokens).toBe(0);
  });

  test("refuses what is no count", () => {
    expect(complaints("max_result_tokens: -1\nbackends: {a: {command: x}}")).toEqual([
      "servers.yaml:1:20: max_result_tokens must be a whole number, 0 or more, not -1",
    ]);
  });
});

describe("tools of a backend", () => {
  test("are rules by the server's own names", () => {
    const rules =
      "{allow: ['read_*', list], deny: ['*_secret'], rename: {list: ls}, describe: {list: Lists it}}";
    expect(only(load(backend(rules))).tools).toEqual({
      allow: ["read_*", "list"],
      deny: ["*_secret"],
      rename: { list: "ls" },
      describe: { list: "Lists it" },
    });
  });

  test("are no rules where nothing is said", () => {
    for (const nothing of ["", "{}", "{deny: []}", "{allow:, rename: {}}"])
      expect(only(load(backend(nothing)))).not.toHaveProperty("tools");
    expect(only(load(backend("{allow: []}"))).tools).toMatchObject({ allow: [] });
  });

  test.each([
    ["{deny: ['!x']}", 'tools.deny.0 must be a name or a pattern such as "read_*", not "!x"'],
    ["{deny: x}", 'tools.deny must be a list of names or patterns such as "read_*", not text'],
    [
      "{rename: {a: b c}}",
      'tools.rename.a must be a name of letters, digits, "_", "-", "." and "/", not "b c"',
    ],
    ["{rename: {a: c, b: c}}", 'tools.rename gives "a" and "b" the same name, c'],
    ["{denny: [x]}", 'unknown key "denny" in backends.it.tools; did you mean "deny"?'],
  ])("%s is refused", (rules, words) => {
    const [complaint, ...more] = complaints(backend(rules));
    expect(complaint).toContain(words);
    expect(more).toEqual([]);
  });
});
