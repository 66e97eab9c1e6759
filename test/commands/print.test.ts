// What the commands print: one style of table, and no other way to a terminal.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { table } from "../../src/commands/print.ts";

test("a table has titles, two spaces between columns, numbers to the right, wide letters counted, one line a row", () => {
  const rows = [
    ["backend", "state", "calls"],
    ["漢字", "ready", "12"],
    ["a", "line\nFORGED\u001b[2J", "3"],
  ];
  expect(table(rows).split("\n")).toEqual([
    "  backend  state                  calls",
    "  漢字     ready                     12",
    "  a        line\\nFORGED\\u001b[2J      3",
  ]);
});

test("no command writes to the terminal but through print.ts", () => {
  const folder = join(import.meta.dir, "../../src/commands");
  const writers = readdirSync(folder).filter(
    (name) =>
      name.endsWith(".ts") &&
      /\bprocess\.std(?:out|err)\.write/.test(readFileSync(join(folder, name), "utf8")),
  );
  expect(writers).toEqual(["print.ts"]);
});
