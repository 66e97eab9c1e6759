import { describe, expect, test } from "bun:test";
import { registerSecret } from "../../src/shown.ts";
import { LastWords } from "../../src/transport/last-words.ts";

function tailOf(...lines: string[]): string[] {
  const tail = new LastWords();
  for (const line of lines) tail.add(line);
  return tail.lines();
}

describe("the tail of stderr", () => {
  test("is the last fifty lines, oldest first", () => {
    const lines = Array.from({ length: 200 }, (_, index) => `line ${index}`);
    expect(tailOf(...lines)).toEqual(lines.slice(-50));
  });

  test("is never longer than 8 KiB, however long its lines are", () => {
    const tail = tailOf(...Array.from({ length: 50 }, (_, index) => `${index} ${"x".repeat(5_000)}`));
    expect(tail.join("\n").length).toBeLessThanOrEqual(8 * 1024);
    expect(tail.at(-1)).toStartWith("49 x");
  });

  test("shows no colours, no blank lines, and of a spinner the last frame", () => {
    expect(tailOf("\u001b[31mred\u001b[0m", "", "  ", "10%\r50%\rdone\r")).toEqual(["red", "done"]);
  });

  test("shows no secrets", () => {
    registerSecret("hunter2-hunter2");
    expect(tailOf("login with hunter2-hunter2 failed")).toEqual(["login with *** failed"]);
  });
});
