// Rules over names: what they let through, and what they call it.

import { describe, expect, test } from "bun:test";
import { ToolPolicy } from "../../src/backend/tool-policy.ts";
import type { ToolRules } from "../../src/config/config.ts";
import type { Call } from "../../src/protocol/call.ts";
import { keepText, writeJson } from "../../src/protocol/exact.ts";

const NAMES = ["read", "read_all", "write", "admin/delete", ".hidden", "Weird.Name", "[x]"];

function policyOf(rules: Partial<ToolRules>): ToolPolicy {
  const policy = ToolPolicy.of({ deny: [], rename: {}, describe: {}, ...rules });
  if (policy === undefined) throw new Error("no policy");
  return policy;
}

test("a tool whose name is no text is nobody's, and fits no rule", () => {
  const tools = [{ name: { toString: null } }, { name: "read" }];
  const policy = policyOf({ allow: ["read*", "write"] });
  expect(policy.shown(tools)).toEqual([{ name: "read" }]);
  expect(policy.unfitting(tools)).toEqual(["allow: write"]);
});

function shown(rules: Partial<ToolRules>, names: readonly string[] = NAMES): unknown[] {
  return policyOf(rules)
    .shown(names.map((name) => ({ name })))
    .map(({ name }) => name);
}

/** The name that the server gets; undefined where the call is refused. */
function own(rules: Partial<ToolRules>, name: string): unknown {
  const call: Call = {
    method: "tools/call",
    params: { name, arguments: { a: 1 } },
    caller: { era: "legacy", revision: "2025-11-25", capabilities: {}, principal: "local", key: "k" },
    signal: AbortSignal.timeout(1_000),
    notify: () => {},
    ask: () => Promise.reject(new Error("not asked")),
  };
  try {
    return policyOf(rules).toOwn(call).params?.name;
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: -32602, message: `Unknown tool: ${name}` });
    return undefined;
  }
}

describe("allow and deny", () => {
  test.each<[Partial<ToolRules>, string[]]>([
    [{}, NAMES],
    [{ allow: ["*"] }, NAMES],
    [{ allow: [] }, []],
    [{ allow: ["read*"] }, ["read", "read_all"]],
    [{ allow: ["read"] }, ["read"]],
    [{ allow: ["r??d", "{write,none}"] }, ["read", "write"]],
    [{ allow: ["*delete"] }, ["admin/delete"]],
    [{ deny: ["*delete*", "*.*"] }, ["read", "read_all", "write", "[x]"]],
    [{ allow: ["read*"], deny: ["read_*"] }, ["read"]],
    [{ deny: ["*"] }, []],
    [{ allow: ["weird.name", "[[]x]"] }, ["[x]"]],
  ])("%j", (rules, expected) => {
    expect(shown(rules)).toEqual(expected);
    expect(NAMES.filter((name) => own(rules, name) !== undefined)).toEqual(expected);
  });
});

describe("rename", () => {
  test("changes the name on the way out and on the way in", () => {
    const rules = { rename: { read: "fetch" } };
    expect(shown(rules)).toContain("fetch");
    expect(shown(rules)).not.toContain("read");
    expect(own(rules, "fetch")).toBe("read");
    expect(own(rules, "read")).toBeUndefined();
    expect(own(rules, "write")).toBe("write");
  });

  test("may swap two names", () => {
    const rules = { rename: { read: "write", write: "read" } };
    expect(shown(rules, ["read", "write"])).toEqual(["write", "read"]);
    expect([own(rules, "read"), own(rules, "write")]).toEqual(["write", "read"]);
  });

  test("takes a name from the tool that has it, unless its own is denied", () => {
    const taken = { rename: { read: "write" } };
    expect(shown(taken, ["read", "write"])).toEqual(["write"]);
    expect(own(taken, "write")).toBe("read");
    const denied = { ...taken, deny: ["read"] };
    expect(shown(denied, ["read", "write"])).toEqual(["write"]);
    expect(own(denied, "write")).toBe("write");
  });

  test("is no way around deny", () => {
    const rules = { deny: ["read"], rename: { read: "fetch" } };
    expect(shown(rules)).not.toContain("fetch");
    expect([own(rules, "read"), own(rules, "fetch")]).toEqual([undefined, "fetch"]);
  });

  test("is not fooled by names that every object has", () => {
    expect(shown({ rename: { read: "x" } }, ["constructor", "__proto__"])).toEqual([
      "constructor",
      "__proto__",
    ]);
  });
});

test("describe replaces a description and nothing else", () => {
  const policy = policyOf({ describe: { read: "Reads" }, rename: { read: "fetch" } });
  const tools = [
    { name: "read", description: "old", inputSchema: { type: "object" }, x: 1 },
    { name: "write", description: "kept" },
  ];
  expect(policy.shown(tools)).toEqual([
    { name: "fetch", description: "Reads", inputSchema: { type: "object" }, x: 1 },
    { name: "write", description: "kept" },
  ]);
});

test("rules that fit nothing are named once", () => {
  const policy = policyOf({
    allow: ["reed"],
    deny: ["wri*", "x*"],
    rename: { no: "n" },
    describe: { nope: "" },
  });
  const tools = NAMES.map((name) => ({ name }));
  expect(policy.unfitting(tools)).toEqual(["allow: reed", "deny: x*", "rename: no", "describe: nope"]);
  expect(policy.unfitting(tools)).toEqual([]);
});

test("without rules there is no policy", () => {
  expect(ToolPolicy.of(undefined)).toBeUndefined();
});

test("a call that names a tool twice reaches the server with the name that was looked at alone", () => {
  const text = '{"name":"admin","arguments":{"n":1.0},"n\\u0061me":"read"}';
  const call: Call = {
    method: "tools/call",
    params: keepText(JSON.parse(text), text),
    caller: { era: "legacy", revision: "2025-11-25", capabilities: {}, principal: "local", key: "k" },
    signal: AbortSignal.timeout(1_000),
    notify: () => {},
    ask: () => Promise.reject(new Error("not asked")),
  };
  const { params } = policyOf({ deny: ["admin"] }).toOwn(call);
  expect(writeJson(params)).toBe('{"arguments":{"n":1.0},"n\\u0061me":"read"}');
});
