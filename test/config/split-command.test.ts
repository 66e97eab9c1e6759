// Where one word of a command line ends, on both kinds of systems.

import { describe, expect, test } from "bun:test";
import { splitCommand } from "../../src/config/split-command.ts";

describe("everywhere", () => {
  test.each([
    ["npx", ["npx"]],
    ["npx -y  pkg\t--flag\n", ["npx", "-y", "pkg", "--flag"]],
    ["", []],
    ["  \n ", []],
    [`run "a b" 'c d'`, ["run", "a b", "c d"]],
    [`run a"b c"d'e f'`, ["run", "ab cde f"]],
    [`run "" ''`, ["run", "", ""]],
    [`run "it's" 'say "x"'`, ["run", "it's", 'say "x"']],
    [String.raw`run "say \"x\""`, ["run", 'say "x"']],
    [
      "a | b > c && d; # e *.js $(f) `g`",
      ["a", "|", "b", ">", "c", "&&", "d;", "#", "e", "*.js", "$(f)", "`g`"],
    ],
    [`run $KEY \${KEY}`, ["run", "$KEY", `\${KEY}`]],
    [`run \${NONE:-a b} c`, ["run", `\${NONE:-a b}`, "c"]],
    [`run x\${NONE:-a 'b}y z`, ["run", `x\${NONE:-a 'b}y`, "z"]],
  ])("%p is %p", (line, words) => {
    expect(splitCommand(line, "linux")).toEqual({ words });
    expect(splitCommand(line, "win32")).toEqual({ words });
  });

  test.each([
    [`a "b c`, '"', 3],
    ["a 'b", "'", 3],
    [`"`, '"', 1],
    [`a 'b' "c' d`, '"', 7],
  ])("%p has an open %p at %p", (line, openQuote, at) => {
    expect(splitCommand(line, "linux")).toEqual({ openQuote, at });
    expect(splitCommand(line, "win32")).toEqual({ openQuote, at });
  });
});

describe("where a backslash escapes", () => {
  test.each([
    [String.raw`run a\ b`, ["run", "a b"]],
    [String.raw`run a\\b \'x \"y`, ["run", String.raw`a\b`, "'x", '"y']],
    [String.raw`run "a\b \\ \"" 'a\b'`, ["run", String.raw`a\b \ "`, String.raw`a\b`]],
    ["run a \\\n  b\\\nc", ["run", "a", "bc"]],
    ['run "a\\\nb"', ["run", "ab"]],
    ["run a\\", ["run", "a\\"]],
    // What expansion must leave alone is doubled.
    [String.raw`run \$HOME "\$HOME"`, ["run", "$$HOME", "$$HOME"]],
  ])("%p is %p", (line, words) => {
    expect(splitCommand(line, "linux")).toEqual({ words });
    expect(splitCommand(line, "darwin")).toEqual({ words });
  });
});

describe("on Windows, where it is a part of a path", () => {
  test.each([
    [String.raw`C:\tools\server.exe C:\data`, [String.raw`C:\tools\server.exe`, String.raw`C:\data`]],
    [
      String.raw`"C:\Program Files\x.exe" --dir "D:\a b"`,
      [String.raw`C:\Program Files\x.exe`, "--dir", String.raw`D:\a b`],
    ],
    [String.raw`\\server\share\x.exe`, [String.raw`\\server\share\x.exe`]],
    [String.raw`run "C:\My Files\" next`, ["run", "C:\\My Files\\", "next"]],
    [String.raw`run \"x\"`, ["run", '"x"']],
    [String.raw`run 'C:\a b'`, ["run", String.raw`C:\a b`]],
  ])("%p is %p", (line, words) => {
    expect(splitCommand(line, "win32")).toEqual({ words });
  });
});
