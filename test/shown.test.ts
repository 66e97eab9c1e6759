// What people may see: secrets out, also where a text was cut; nothing that controls a terminal or forges a line.

import { describe, expect, test } from "bun:test";
import {
  escapeControls,
  redact,
  registerNamedSecret,
  registerSecret,
  shownLine,
  shownText,
} from "../src/shown.ts";

describe("a secret that a cut went through", () => {
  registerSecret("Cut0Through1Secret2Value3");

  test.each([8, 14, 24])("is redacted where %d characters of it are left", (length) => {
    expect(redact(`token: ${"Cut0Through1Secret2Value3".slice(0, length)}`)).toBe("token: ***");
  });

  test("is redacted before we cut", () => {
    const line = `${"x".repeat(90)}Cut0Through1Secret2Value3`;
    expect(shownLine(line, 100)).toBe(`${"x".repeat(90)}***`);
    expect(shownLine(`${line} and more words`, 93)).toBe(`${"x".repeat(90)}***…`);
    expect(shownLine(`${" ".repeat(4490)}${line.slice(80)}`, 100)).not.toContain("Cut0");
  });

  test("stands where it was begun by chance", () => {
    expect(redact("the end is Cut0Thr")).toBe("the end is Cut0Thr");
    expect(redact("Cut0Through is no secret")).toBe("Cut0Through is no secret");
  });
});

test("a secret that is an ordinary word is redacted behind its name alone", () => {
  registerNamedSecret("SHOP_PASSWORD", "customer");
  const text = 'get_customer failed for the customer: SHOP_PASSWORD=customer, {"SHOP_PASSWORD":"customer"}';
  expect(redact(text)).toBe(
    'get_customer failed for the customer: SHOP_PASSWORD=***, {"SHOP_PASSWORD":"***"}',
  );
  expect(redact("shop_password: customers")).toBe("shop_password: customers");
});

describe("text from outside", () => {
  const EVIL = "\u001b[2J\u001b]0;OWNED\u0007red\b\u009b32m\u202edlrow\u2028\u0085\u0000\u007f";

  test("cannot control a terminal", () => {
    for (const shown of [shownLine(EVIL), shownText(EVIL), escapeControls(EVIL)]) {
      expect(shown).toBe(
        "\\u001b[2J\\u001b]0;OWNED\\u0007red\\u0008\\u009b32m\\u202edlrow\\u2028\\u0085\\u0000\\u007f",
      );
    }
  });

  test("cannot begin a line where one is expected; in a text of ours lines and tabs stay", () => {
    expect(shownLine("a\r\nFORGED\n\tb")).toBe("a\\r\\nFORGED\\n\\tb");
    expect(shownText("a\n\tb\r")).toBe("a\n\tb\\r");
  });

  test("keeps letters of every language, emoji and their joiners, and JSON what it means", () => {
    const text = "zażółć 漢字 عربى 👩‍👩‍👧 \u200d \u00a0";
    expect(shownText(text)).toBe(text);
    const json = JSON.stringify({ a: EVIL, b: "\ud800", c: "\u{e0041}" }, null, 2);
    expect(JSON.parse(shownText(json))).toEqual({ a: EVIL, b: "\ud800", c: "\u{e0041}" });
  });

  test("is the same when it passes twice", () => {
    expect(shownText(shownText(EVIL))).toBe(shownText(EVIL));
  });

  test("of a hundred megabytes takes no time to be cut", () => {
    expect(shownLine("x".repeat(100_000_000), 10)).toBe(`${"x".repeat(10)}…`);
  });
});
