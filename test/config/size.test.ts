// How much is what people write.

import { describe, expect, test } from "bun:test";
import { parseSize, SIZE_PATTERN } from "../../src/config/size.ts";
import { load } from "./written.ts";

describe("a size", () => {
  test.each([
    [0, 0],
    [256_000_000, 256_000_000],
    ["1024", 1024],
    ["1024B", 1024],
    ["256MB", 256_000_000],
    ["256mb", 256_000_000],
    ["256 MB", 256_000_000],
    ["256M", 256_000_000],
    ["1.5GB", 1_500_000_000],
    ["64KiB", 65_536],
    ["512MiB", 536_870_912],
    ["1Gi", 1_073_741_824],
    ["0.5 kB", 500],
  ])("%p is %p bytes", (written, bytes) => {
    expect(parseSize(written)).toBe(bytes);
    expect(new RegExp(SIZE_PATTERN).test(String(written))).toBeTrue();
  });

  test.each([
    [-1],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [""],
    ["MB"],
    ["-5MB"],
    ["1e9"],
    ["1 TB"],
    ["256  MB"],
    ["256MBs"],
    ["1,5GB"],
    ["9".repeat(400)],
  ])("%p is none", (written) => {
    expect(parseSize(written)).toBeUndefined();
  });
});

describe("memory_limit", () => {
  test("is 256 MB unless it is written", () => {
    expect(load("backends: {a: {command: x}}").memoryLimitBytes).toBe(256_000_000);
    expect(load("memory_limit: 1GB\nbackends: {a: {command: x}}").memoryLimitBytes).toBe(1_000_000_000);
    expect(load("memory_limit: 64000000\nbackends: {a: {command: x}}").memoryLimitBytes).toBe(64_000_000);
  });

  test.each(["10MB", "lots", "-1", "true", "200GB"])("%p is refused, with what it must be", (written) => {
    expect(() => load(`memory_limit: ${written}\nbackends: {a: {command: x}}`)).toThrow(
      /memory_limit must be .*256MB/,
    );
  });
});
