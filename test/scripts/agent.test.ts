// The agent without a model: it reads signatures as they are written, and gets along with search and invoke alone.

import { describe, expect, test } from "bun:test";
import { runAgent } from "../../scripts/agent.ts";
import { fillArguments } from "../../scripts/agent-arguments.ts";
import { readParameters, readSignature } from "../../scripts/agent-signature.ts";

test("twenty tasks over four servers are done, each with one search and one call", async () => {
  const turns = await runAgent();
  const failed = turns
    .filter(({ isDone }) => !isDone)
    .map(({ task, called, answer }) => [task.wish, called, answer]);
  expect(failed).toEqual([]);
  expect(turns).toHaveLength(20);
  expect(new Set(turns.map(({ called }) => called?.split(".")[0]))).toEqual(
    new Set(["files", "memory", "everything", "demo"]),
  );
  const first = turns.filter(({ place }) => place === 1);
  expect(first.length).toBeGreaterThanOrEqual(15);
}, 30_000);

describe("a signature is read", () => {
  test("with server, tool, types and defaults", () => {
    const line = 'a.b-c(x: string, y?: "u, v"|"w)" = "u, v", z: {p: int[], q?: bool}[], …) — Does (much).';
    expect(readSignature(line)).toEqual({
      server: "a",
      tool: "b-c",
      parameters: [
        { name: "x", isRequired: true, type: "string" },
        { name: "y", isRequired: false, type: '"u, v"|"w)"' },
        { name: "z", isRequired: true, type: "{p: int[], q?: bool}[]" },
      ],
    });
    expect(readSignature("a.b()")?.parameters).toEqual([]);
  });

  test("or is none", () => {
    expect(readSignature("(not searched: files, still starting)")).toBeUndefined();
    expect(readSignature('No tool fits "x". Servers: a, b.')).toBeUndefined();
  });
});

describe("arguments are filled in", () => {
  const parameters = readParameters('path: string, mode?: "r"|"w", edits: {old: string, new: string}[]');

  test("by name and type, nested ones too", () => {
    const facts = { "path|file": "x", mode: "w", edit: [{ old: "a", new: "b" }] };
    expect(fillArguments(parameters, facts)).toEqual({
      path: "x",
      mode: "w",
      edits: [{ old: "a", new: "b" }],
    });
  });

  test.each([
    ["what is required is not known", { path: "x" }],
    ["something known has no place", { path: "x", edit: [{ old: "a", new: "b" }], colour: "red" }],
    ["a type does not fit", { path: 1, edit: [{ old: "a", new: "b" }] }],
    ["a choice does not exist", { path: "x", mode: "q", edit: [{ old: "a", new: "b" }] }],
    ["an inner one is missing", { path: "x", edit: [{ old: "a" }] }],
  ])("not where %s", (_title, facts) => {
    expect(fillArguments(parameters, facts)).toBeUndefined();
  });
});
