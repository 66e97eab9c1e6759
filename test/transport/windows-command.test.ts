import { expect, test } from "bun:test";
import { spawnWords } from "../../src/transport/windows-command.ts";

const COMSPEC = "C:\\Windows\\system32\\cmd.exe";
const lineOf = (...args: string[]) => spawnWords("C:\\npx.cmd", args, COMSPEC).words.at(-1);

test("a program runs as it is", () => {
  expect(spawnWords("C:\\node.exe", ["a b", '"'], COMSPEC)).toEqual({
    words: ["C:\\node.exe", "a b", '"'],
    isVerbatim: false,
  });
});

test("a batch file runs through cmd.exe, quoted already", () => {
  expect(spawnWords("C:\\Program Files\\npx.cmd", ["-y", "@scope/server@1.2"], COMSPEC)).toEqual({
    words: [COMSPEC, "/d", "/s", "/c", '"C:\\Program^ Files\\npx.cmd -y @scope/server@1.2"'],
    isVerbatim: true,
  });
  expect(spawnWords("C:\\RUN.BAT", [], COMSPEC).isVerbatim).toBe(true);
});

test("nothing in an argument means anything to cmd.exe", () => {
  expect(lineOf("a&b|c>d")).toBe('"C:\\npx.cmd ^^^"a^^^&b^^^|c^^^>d^^^""');
  expect(lineOf("%PATH%")).toBe('"C:\\npx.cmd ^^^"^^^%PATH^^^%^^^""');
  expect(lineOf("")).toBe('"C:\\npx.cmd ^^^"^^^""');
});

test("quotes and the backslashes before them survive", () => {
  expect(lineOf('say "hi"')).toBe('"C:\\npx.cmd ^^^"say^^^ \\^^^"hi\\^^^"^^^""');
  expect(lineOf("C:\\dir\\")).toBe('"C:\\npx.cmd C:\\dir\\"');
  expect(lineOf('a\\"')).toBe('"C:\\npx.cmd ^^^"a\\\\\\^^^"^^^""');
});
