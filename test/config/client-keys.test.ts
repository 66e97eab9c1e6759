// What limits or protects in a client's file is kept or refused, never dropped; what has no effect is said. Names of
// servers that the gateway cannot have are mapped.

import { describe, expect, test } from "bun:test";
import { complaints, load, only } from "./written.ts";

function inFile(entry: object, beside: object = {}) {
  return load(JSON.stringify({ mcpServers: { a: { command: "x", ...entry } }, ...beside }), {
    name: "mcp.json",
  });
}

describe("tools that a client's file", () => {
  test.each([
    ["Kiro, Cline", "disabledTools"],
    ["Gemini CLI, Qwen Code", "excludeTools"],
    ["Codex", "disabled_tools"],
  ])("denies are denied (%s)", (_, key) => {
    expect(only(inFile({ [key]: ["delete_all"] })).tools).toMatchObject({ deny: ["delete_all"] });
  });

  test.each([
    ["Gemini CLI, Amp", "includeTools"],
    ["", "enabledTools"],
    ["Codex", "enabled_tools"],
    ["Copilot CLI", "tools"],
  ])("allows are the only ones (%s: %s)", (_, key) => {
    expect(only(inFile({ [key]: ["read", "list"] })).tools).toMatchObject({
      allow: ["read", "list"],
      deny: [],
    });
  });

  test("allows none, are none", () => {
    expect(only(inFile({ includeTools: [] })).tools).toMatchObject({ allow: [] });
  });

  test("denies beside rules of ours are denied as well", () => {
    const { tools } = only(inFile({ disabledTools: ["b"], tools: { deny: ["a"], allow: ["*"] } }));
    expect(tools).toMatchObject({ allow: ["*"], deny: ["a", "b"] });
  });

  test.each([
    [{ disabledTools: "all" }, /mcpServers\.a\.disabledTools must be a list of tools' names, not text/],
    [{ disabledTools: ["a"], excludeTools: ["b"] }, /"excludeTools" and "disabledTools" .* mean the same/],
    [{ includeTools: ["a"], tools: { allow: ["b"] } }, /sets tools.allow a second time/],
  ])("are refused where they cannot be understood: %j", (entry, words) => {
    const written = JSON.stringify({ mcpServers: { a: { command: "x", ...entry } } });
    expect(complaints(written)).toEqual([expect.stringMatching(words)]);
  });
});

test("a server that asks for a sandbox is not started without one", () => {
  expect(only(inFile({ sandboxEnabled: true })).problem).toContain(
    "mcpServers.a.sandboxEnabled (mcp.json:1) asks for a sandbox",
  );
  expect(only(inFile({ sandboxEnabled: false })).problem).toBeUndefined();
});

test.each([
  [{ disabledMcpServers: ["a"] }, "disabledMcpServers"],
  [{ disabledMcpjsonServers: ["a"] }, "disabledMcpjsonServers"],
  [{ mcp: { excluded: ["a"] } }, "mcp.excluded"],
  [{ mcp: { allowed: ["b"] } }, "mcp.allowed"],
])("a server that the file leaves out is left out: %j", (beside, key) => {
  const config = inFile({}, beside);
  expect(only(config).enabled).toBe(false);
  expect(config.notes).toContain(`mcp.json:1: mcpServers.a is left out, as ${key} says`);
  expect(only(inFile({}, { mcp: { allowed: ["a"] } })).enabled).toBe(true);
});

test('servers of opencode under "mcp" are not dropped', () => {
  expect(complaints('{"mcp": {"a": {"command": ["x"]}}}')).toEqual([
    expect.stringContaining('put servers under "backends"'),
  ]);
});

test.each([
  ["envFile", ".env", "put its variables under env"],
  ["oauth", { clientId: "x" }, "put a token under headers"],
  ["auth", { CLIENT_ID: "x" }, "put a token under headers"],
  ["autoApprove", ["a"], "does not ask before calls"],
  ["alwaysAllow", ["a"], "does not ask before calls"],
  ["trust", true, "does not ask before calls"],
  ["headersHelper", "x", "put the headers under headers"],
  ["timeout", 5, "set request_timeout"],
])("%s has no effect, and it is said what to do", (key, value, words) => {
  const { notes } = inFile({ [key]: value });
  expect(notes).toEqual([expect.stringContaining(`mcpServers.a.${key} has no effect: `)]);
  expect(notes?.[0]).toContain(words);
});

test("an unknown key of a server is refused", () => {
  expect(complaints('{"mcpServers": {"a": {"command": "x", "quarantine": true}}}')).toEqual([
    expect.stringContaining('unknown key "quarantine" in mcpServers.a'),
  ]);
});

describe("a name that the gateway cannot have", () => {
  const namesOf = (names: readonly string[], key = "mcpServers") =>
    load(JSON.stringify({ [key]: Object.fromEntries(names.map((name) => [name, { command: "x" }])) }));

  test.each([
    ["microsoft/playwright-mcp", "microsoft-playwright-mcp"],
    ["Framelink MCP for Figma", "Framelink-MCP-for-Figma"],
    ["Żółć", "Zo-c-[0-9a-f]{4}"],
    ["日本語", "server-[0-9a-f]{4}"],
    ["données", "donnees"],
    ["mcp", "mcp-[0-9a-f]{4}"],
    ["", "server-[0-9a-f]{4}"],
    ["..", "server-[0-9a-f]{4}"],
    ["a\u001b[2J\nb", "a-2J-b"],
    ["x".repeat(200), "x{64}"],
  ])("is mapped in a client's file, with a note: %p", (written, given) => {
    const config = namesOf([written]);
    expect(only(config).name).toMatch(new RegExp(`^${given}$`));
    expect(config.notes).toEqual([expect.stringContaining(`is called ${only(config).name} here`)]);
  });

  test("is the same each time, and its own where two would meet", () => {
    const one = namesOf(["a b", "a/b", "a-b"]).backends.map(({ name }) => name);
    expect(one[2]).toBe("a-b");
    expect(new Set(one).size).toBe(3);
    expect(namesOf(["a b", "a/b", "a-b"]).backends.map(({ name }) => name)).toEqual(one);
    expect(namesOf(["日本語", "中文"]).backends.map(({ name }) => name)).toEqual([
      only(namesOf(["日本語"])).name,
      only(namesOf(["中文"])).name,
    ]);
  });

  test("is refused in a file of ours, with a better one", () => {
    expect(complaints('{"backends": {"a b": {"command": "x"}}}')).toEqual([
      expect.stringContaining('did you mean "a-b"?'),
    ]);
  });
});
