// How long is what people write.

import { describe, expect, test } from "bun:test";
import { DURATION_PATTERN, parseDuration } from "../../src/config/duration.ts";

describe("a duration", () => {
  test.each([
    [0, 0],
    [300, 300_000],
    [0.5, 500],
    [1.1, 1100],
    [0.0001, 1],
    ["0", 0],
    ["0s", 0],
    ["90", 90_000],
    ["1.5", 1500],
    ["500ms", 500],
    ["100ms", 100],
    ["60s", 60_000],
    ["5m", 300_000],
    ["1.5m", 90_000],
    ["1h", 3_600_000],
    ["1h30m", 5_400_000],
    ["1h30m15s250ms", 5_415_250],
    ["2m500ms", 120_500],
    ["0.1ms", 1],
    [2_147_483.647, 2_147_483_647],
  ])("%p is %p ms", (written, ms) => {
    expect(parseDuration(written)).toBe(ms);
  });

  test.each([
    [-1],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [2_147_484],
    ["600h"],
    [""],
    ["-5s"],
    ["5 m"],
    ["5M"],
    ["1d"],
    ["ms"],
    ["30m1h"],
    ["1h1h"],
    ["five"],
    ["1:30"],
    [".5s"],
    ["1e3"],
    ["5m30"],
  ])("%p is none", (written) => {
    expect(parseDuration(written)).toBeUndefined();
  });

  test("in a JSON Schema matches the same texts", () => {
    const pattern = new RegExp(DURATION_PATTERN);
    expect(["90", "500ms", "1h30m", "2m500ms"].every((text) => pattern.test(text))).toBe(true);
    expect(["", "5 m", "1d", "30m1h", "5m30"].some((text) => pattern.test(text))).toBe(false);
  });
});
