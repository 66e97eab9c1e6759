// What stands for an environment variable, and what does not.

import { describe, expect, test } from "bun:test";
import { expand } from "../../src/config/expand.ts";

const ENV = {
  KEY: "k1",
  HOME: "/home/me",
  EMPTY: "",
  SPACED: "a b",
  QUOTED: `it's "x"`,
  MONEY: "$HOME",
  env: "e",
};

describe("variables", () => {
  test.each([
    ["plain", "plain"],
    ["", ""],
    [`\${KEY}`, "k1"],
    ["$KEY", "k1"],
    [`a-\${KEY}-b`, "a-k1-b"],
    ["$KEY-b/$HOME/x", "k1-b//home/me/x"],
    [`\${KEY}\${KEY}`, "k1k1"],
    [`\${KEY:-d}`, "k1"],
    [`\${NONE:-d}`, "d"],
    [`\${NONE:-}`, ""],
    [`\${NONE:-a b}`, "a b"],
    [`\${NONE:-a:-b}`, "a:-b"],
    [`\${NONE:-$KEY}`, "k1"],
    [`\${NONE:-\${ALSO:-\${KEY}}}`, "k1"],
    [`\${NONE:-{"a":{}}}`, '{"a":{}}'],
    [`\${EMPTY}`, ""],
    ["x$EMPTY", "x"],
    [`\${EMPTY:-d}`, "d"],
    [`\${env:KEY}`, "k1"],
    [`\${env:NONE:-d}`, "d"],
    [`\${env}`, "e"],
    ["$$", "$"],
    ["$$KEY", "$KEY"],
    [`$\${KEY}`, `\${KEY}`],
    ["$$$KEY", "$k1"],
    ["$$$$", "$$"],
    ["costs 5$", "costs 5$"],
    ["$5 or $(x) or $-", "$5 or $(x) or $-"],
    // A value is never looked at again.
    [`\${MONEY}`, "$HOME"],
    [`\${QUOTED}`, `it's "x"`],
  ])("%p becomes %p", (template, text) => {
    const expansion = expand(template, ENV);
    expect(expansion.text).toBe(text);
    expect([...expansion.unset]).toEqual([]);
    expect(expansion.isMalformed).toBe(false);
  });

  test.each([
    [`\${NONE}`, ["NONE"]],
    ["$NONE/$KEY", ["NONE"]],
    [`\${A}\${B}\${A}`, ["A", "B"]],
    [`\${NONE:-\${INNER}}`, ["INNER"]],
    [`\${constructor} \${__proto__}`, ["constructor", "__proto__"]],
  ])("%p lacks %p", (template, unset) => {
    expect([...expand(template, ENV).unset]).toEqual(unset);
  });

  test("that are missing stay as they were written", () => {
    expect(expand(`$NONE \${NONE} $KEY`, ENV).text).toBe(`$NONE \${NONE} k1`);
  });

  test.each([
    [`\${}`],
    [`\${input:token}`],
    [`\${KEY`],
    [`\${KEY-d}`],
    [`\${1}`],
    [`\${a b}`],
    [`\${NONE:-\${}}`],
  ])("%p names none", (template) => {
    expect(expand(template, ENV).isMalformed).toBe(true);
  });

  test("that were filled in are known with their values", () => {
    expect([...expand(`\${KEY} \${NONE:-$SPACED} \${HOME:-$EMPTY}`, ENV).used]).toEqual([
      ["KEY", "k1"],
      ["SPACED", "a b"],
      ["HOME", "/home/me"],
    ]);
  });
});
