import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { silentLog } from "../../src/log.ts";
import { MemoryBudget } from "../../src/memory-budget.ts";
import { LineReader, type OversizedLine } from "../../src/transport/line-reader.ts";

function readerWith(maxLineBytes = 64 * 1024, memory?: MemoryBudget) {
  const lines: string[] = [];
  const oversized: OversizedLine[] = [];
  const sink = {
    onLine: (line: string) => lines.push(line),
    onOversized: (line: OversizedLine) => oversized.push(line),
  };
  const reader = new LineReader(maxLineBytes, sink, memory);
  return { reader, lines, oversized };
}

function pieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    out.push(bytes.slice(start, start + size));
    start += size;
  }
  return out;
}

describe("lines", () => {
  test("come out as they went in, however the bytes are cut", () => {
    const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", " "));
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(line), sizes, (written, cuts) => {
        const { reader, lines, oversized } = readerWith();
        const bytes = Buffer.from(written.map((text) => `${text}\n`).join(""));
        for (const piece of pieces(bytes, cuts)) reader.push(piece);
        // A byte order mark at a line's start is no part of the text.
        const unmarked = (text: string) => text.replace(/^\u{feff}/u, "");
        expect(lines.map(unmarked)).toEqual(written.map(unmarked));
        expect(oversized).toEqual([]);
      }),
    );
  });

  test("a character cut in the middle is whole again", () => {
    const { reader, lines } = readerWith();
    for (const byte of Buffer.from("Grüße 🎉\n")) reader.push(Uint8Array.of(byte));
    expect(lines).toEqual(["Grüße 🎉"]);
  });

  test("the last line needs no newline", () => {
    const { reader, lines } = readerWith();
    reader.push(Buffer.from("one\ntwo"));
    expect(lines).toEqual(["one"]);
    reader.end();
    expect(lines).toEqual(["one", "two"]);
    reader.end();
    expect(lines).toHaveLength(2);
  });

  test("bytes that are no text do not stop the reading", () => {
    const { reader, lines } = readerWith();
    reader.push(Uint8Array.of(0xff, 0xc3, 0x28, 0x0a, 0x6f, 0x6b, 0x0a));
    expect(lines).toHaveLength(2);
    expect(lines[1]).toBe("ok");
  });
});

describe("a line over the cap", () => {
  const cap = 2_048;

  test("is told with its size and its two ends, and the next line is read", () => {
    for (const cuts of [[1_000_000], [700], [cap], [1]]) {
      const { reader, lines, oversized } = readerWith(cap);
      const long = `HEAD${"x".repeat(10_000)}TAIL`;
      for (const piece of pieces(Buffer.from(`before\n${long}\nafter\n`), cuts)) reader.push(piece);
      expect(lines).toEqual(["before", "after"]);
      expect(oversized).toHaveLength(1);
      expect(oversized[0]?.bytes).toBe(long.length);
      expect(oversized[0]?.head).toStartWith("HEADx");
      expect(oversized[0]?.tail).toEndWith("xTAIL");
    }
  });

  test("is one byte longer than a line at the cap", () => {
    const { reader, lines, oversized } = readerWith(cap);
    reader.push(Buffer.from(`${"a".repeat(cap)}\n${"b".repeat(cap + 1)}\n`));
    expect(lines.map((line) => line.length)).toEqual([cap]);
    expect(oversized.map((line) => line.bytes)).toEqual([cap + 1]);
  });

  test("takes no memory beyond the cap while it goes on", () => {
    const { reader, oversized } = readerWith(1024 * 1024);
    const chunk = new Uint8Array(256 * 1024).fill(0x78);
    Bun.gc(true);
    const before = process.memoryUsage().rss;
    for (let turn = 0; turn < 2_000; turn++) {
      reader.push(chunk.slice());
      // What is held is what counts, not what waits to be collected.
      if (turn % 200 === 0) Bun.gc(true);
    }
    Bun.gc(true);
    const grownMiB = (process.memoryUsage().rss - before) / 1024 / 1024;
    reader.push(Uint8Array.of(0x0a));
    expect(oversized[0]?.bytes).toBe(2_000 * chunk.length);
    expect(grownMiB).toBeLessThan(200);
  });
});

test("a long line of many chunks is put together in linear time", () => {
  const { reader, lines } = readerWith(1024 * 1024 * 1024);
  const chunk = new Uint8Array(4096).fill(0x78);
  const startedAt = performance.now();
  for (let turn = 0; turn < 16_384; turn++) reader.push(chunk);
  reader.push(Uint8Array.of(0x0a));
  expect(lines[0]?.length).toBe(64 * 1024 * 1024);
  // Scanning the held bytes again for each chunk would take minutes.
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

describe("an unfinished line", () => {
  const piece = Buffer.alloc(100_000, "x");
  const newline = Buffer.from("\n");

  test("is counted until it ends", () => {
    const memory = new MemoryBudget(silentLog, 1_000_000);
    const { reader, lines } = readerWith(10_000_000, memory);
    for (let count = 0; count < 5; count++) reader.push(piece);
    expect(memory.byKind.messages).toBe(500_000);
    reader.push(newline);
    expect(memory.bytes).toBe(0);
    expect(lines.map(({ length }) => length)).toEqual([500_000]);
  });

  test("for which there is no memory is lost but for its ends, and the next one is whole", () => {
    const memory = new MemoryBudget(silentLog, 300_000);
    const { reader, lines, oversized } = readerWith(10_000_000, memory);
    reader.push(Buffer.from("head"));
    for (let count = 0; count < 5; count++) {
      reader.push(piece);
      expect(memory.bytes).toBeLessThanOrEqual(300_000);
    }
    reader.push(Buffer.from("tail\nnext\n"));
    expect(oversized.map(({ bytes, head, tail }) => [bytes, head.slice(0, 5), tail.slice(-5)])).toEqual([
      [500_008, "headx", "xtail"],
    ]);
    expect([lines, memory.bytes]).toEqual([["next"], 0]);
  });

  test("that has not grown for longest is lost for another", () => {
    const memory = new MemoryBudget(silentLog, 300_000);
    const stuck = readerWith(10_000_000, memory);
    const growing = readerWith(10_000_000, memory);
    for (let count = 0; count < 2; count++) stuck.reader.push(piece);
    for (let count = 0; count < 2; count++) growing.reader.push(piece);
    for (const { reader } of [stuck, growing]) reader.push(newline);
    expect([stuck.oversized.length, stuck.lines.length]).toEqual([1, 0]);
    expect([growing.oversized.length, growing.lines.length]).toEqual([0, 1]);
  });
});
