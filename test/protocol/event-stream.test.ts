import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  EventStreamParser,
  formatEvent,
  KEEP_ALIVE,
  type ServerEvent,
  TooLargeError,
} from "../../src/protocol/event-stream.ts";

const encoder = new TextEncoder();

function parse(text: string | Uint8Array, pieceLength = Number.POSITIVE_INFINITY): ServerEvent[] {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  const parser = new EventStreamParser();
  const events: ServerEvent[] = [];
  for (let start = 0; start < bytes.length; start += pieceLength) {
    events.push(...parser.push(bytes.subarray(start, start + pieceLength)));
  }
  return events;
}

describe("EventStreamParser", () => {
  test.each([
    ["LF", "data: a\n\ndata: b\n\n"],
    ["CRLF", "data: a\r\n\r\ndata: b\r\n\r\n"],
    ["CR", "data: a\r\rdata: b\r\r"],
    ["a mixture", "data: a\r\n\rdata: b\n\r\n"],
    ["a BOM before LF", "\uFEFFdata: a\n\ndata: b\n\n"],
    ["no space after the colon", "data:a\n\ndata:b\n\n"],
    ["comments and unknown fields between", ": hi\n\ndata: a\nfoo: bar\n\n:\n\n: data: x\ndata: b\n\n"],
  ])("reads two events with %s", (_name, stream) => {
    expect(parse(stream)).toEqual([{ data: "a" }, { data: "b" }]);
    expect(parse(stream, 1)).toEqual([{ data: "a" }, { data: "b" }]);
  });

  test("joins the lines of data by LF and takes exactly one space away", () => {
    expect(parse("data:  a\ndata\ndata:\ndata: b\n\n")).toEqual([{ data: " a\n\n\nb" }]);
  });

  test("takes CRLF for one line end, also where a piece ends between the two", () => {
    const stream = "event: x\r\ndata: a\r\ndata: b\r\n\r\n";
    expect(parse(stream)).toEqual([{ event: "x", data: "a\nb" }]);
    expect(parse(stream, 1)).toEqual([{ event: "x", data: "a\nb" }]);
  });

  test("reads the name, the id and the retry time of an event", () => {
    const stream = "event: endpoint\nid: 7\nretry: 250\ndata: /messages\n\n";
    expect(parse(stream)).toEqual([{ event: "endpoint", data: "/messages", id: "7", retryMs: 250 }]);
  });

  test("gives an event without name, id and retry time none of the one before it", () => {
    expect(parse("event: a\nid: 1\nretry: 5\ndata: x\n\ndata: y\n\n")[1]).toEqual({ data: "y" });
  });

  test("gives a priming event, and keeps the id of a block without data to itself", () => {
    const parser = new EventStreamParser();
    expect(parser.push(encoder.encode("id: p1\ndata:\n\n"))).toEqual([{ data: "", id: "p1" }]);
    expect(parser.push(encoder.encode("id: p2\nretry: 40\n\n"))).toEqual([]);
    expect(parser.lastEventId).toBe("p2");
    expect(parser.retryMs).toBe(40);
  });

  test("remembers the id only of what has ended, and forgets it where the server clears it", () => {
    const parser = new EventStreamParser();
    parser.push(encoder.encode("id: 1\ndata: x\n\nid: 2\ndata: cut of"));
    expect(parser.lastEventId).toBe("1");
    parser.push(encoder.encode("f\n\nid\n\n"));
    expect(parser.lastEventId).toBe("");
  });

  test("ignores an id with NUL and a retry time that is no number", () => {
    expect(parse("id: a\0b\nretry: 1s\nretry: -1\ndata: x\n\n")).toEqual([{ data: "x" }]);
  });

  test("does not give an event that was cut off by the end of the stream", () => {
    expect(parse("data: a\n\ndata: b\n")).toEqual([{ data: "a" }]);
  });

  test("gives an event at once when its blank line ends in CR, without waiting for an LF", () => {
    const parser = new EventStreamParser();
    expect(parser.push(encoder.encode("data: a\r\n\r"))).toEqual([{ data: "a" }]);
    expect(parser.push(encoder.encode("\ndata: b\r\n\r\n"))).toEqual([{ data: "b" }]);
  });

  test("puts U+FFFD for bytes that are no UTF-8 and goes on", () => {
    const bytes = Uint8Array.from([...encoder.encode("data: "), 0xff, ...encoder.encode("\n\ndata: b\n\n")]);
    expect(parse(bytes)).toEqual([{ data: "\uFFFD" }, { data: "b" }]);
  });

  test("reads the same whatever the pieces and the line ends are", () => {
    const word = fc.constantFrom(
      "data",
      "event",
      "id",
      "retry",
      "7",
      ":",
      ": ",
      " ",
      "\n",
      "\r",
      "\r\n",
      "\n\n",
      "é",
      "漢字",
      "🐈",
      "\uFEFF",
      "\0",
      "{}",
    );
    const stream = fc.array(word, { maxLength: 60 }).map((words) => words.join(""));
    fc.assert(
      fc.property(stream, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (text, lengths) => {
        const bytes = encoder.encode(text);
        const whole = new EventStreamParser();
        const pieces = new EventStreamParser();
        const events: ServerEvent[] = [];
        for (let start = 0, turn = 0; start < bytes.length; turn++) {
          const length = lengths[turn % lengths.length] ?? 1;
          events.push(...pieces.push(bytes.subarray(start, start + length)));
          start += length;
        }
        expect(events).toEqual(whole.push(bytes));
        expect(events).toEqual(parse(text.replace(/\r\n?/g, "\n")));
        expect([pieces.lastEventId, pieces.retryMs]).toEqual([whole.lastEventId, whole.retryMs]);
      }),
      { numRuns: 5_000 },
    );
  });

  test("refuses an event over the limit, in one line, in many lines, or in a line that never ends", () => {
    const line = `data: ${"x".repeat(60)}\n`;
    const limited = () => new EventStreamParser({ maxLength: 100 });
    expect(() => limited().push(encoder.encode(line + line))).toThrow(TooLargeError);
    expect(() => limited().push(encoder.encode(`data: ${"x".repeat(200)}\n\n`))).toThrow(TooLargeError);
    const endless = limited();
    expect(() => {
      for (let i = 0; i < 200; i++) endless.push(encoder.encode(":"));
    }).toThrow(TooLargeError);
  });

  test("counts each event for itself, however it is cut", () => {
    const parser = new EventStreamParser({ maxLength: 100 });
    const bytes = encoder.encode(`: comment\ndata: ${"x".repeat(60)}\n\n`);
    for (let turn = 0; turn < 50; turn++) {
      const cut = 1 + (turn % (bytes.length - 1));
      expect([...parser.push(bytes.subarray(0, cut)), ...parser.push(bytes.subarray(cut))]).toHaveLength(1);
    }
  });

  test("reads a line of 16 MB in small pieces in linear time", () => {
    const timeOf = (length: number) => {
      const bytes = encoder.encode(`data: ${"x".repeat(length)}\n\n`);
      const startMs = performance.now();
      expect(parse(bytes, 4096)[0]?.data).toHaveLength(length);
      return performance.now() - startMs;
    };
    timeOf(1_000_000);
    // Quadratic work would make it some 256 times as long.
    expect(timeOf(16_000_000)).toBeLessThan(64 * Math.max(timeOf(1_000_000), 5));
  });
});

describe("formatEvent", () => {
  test("writes all fields, the data last", () => {
    const text = formatEvent({ event: "message", data: '{"a":1}', id: "9", retryMs: 100 });
    expect(text).toBe('id: 9\nevent: message\nretry: 100\ndata: {"a":1}\n\n');
  });

  test("reads back as it was written, whatever the data is", () => {
    const name = fc
      .string({ minLength: 1, unit: "grapheme" })
      .filter((text) => !/[\r\n\0]/.test(text) && !text.startsWith(" "));
    const event = fc.record(
      { data: fc.string({ unit: "grapheme" }), event: name, id: name, retryMs: fc.nat() },
      { requiredKeys: ["data"] },
    );
    fc.assert(
      fc.property(event, (written) => {
        // Every kind of line break inside data arrives as LF.
        const expected = { ...written, data: written.data.replace(/\r\n?/g, "\n") };
        expect(parse(formatEvent(written))).toEqual([expected]);
      }),
      { numRuns: 2_000 },
    );
  });

  test("refuses an id or a name that would forge another event", () => {
    expect(() => formatEvent({ data: "", id: "1\n\ndata: forged" })).toThrow(TypeError);
    expect(() => formatEvent({ data: "", event: "a\rdata: forged" })).toThrow(TypeError);
  });

  test("writes a keep-alive that no parser takes for an event", () => {
    expect(parse(`${KEEP_ALIVE}data: a\n\n${KEEP_ALIVE}`)).toEqual([{ data: "a" }]);
  });
});
