// What can be replayed of a session's streams, and what an event id tells a process that has never seen it.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { EventLog, readEventId, requestOf, UNASKED_STREAM } from "../../src/edge/event-log.ts";
import { silentLog } from "../../src/log.ts";
import { MemoryBudget } from "../../src/memory-budget.ts";
import { EventStreamParser, type ServerEvent } from "../../src/protocol/event-stream.ts";
import { isId } from "../../src/protocol/jsonrpc.ts";

const newLog = () => new EventLog(new MemoryBudget(silentLog), "session");

function parse(text: string): ServerEvent[] {
  return new EventStreamParser().push(new TextEncoder().encode(text));
}

function idOf(text: string): string {
  return /^id: (.*)$/m.exec(text)?.[1] ?? "";
}

function positionOf(text: string) {
  const position = readEventId(idOf(text));
  if (position === undefined) throw new Error(`no event id in ${text}`);
  return position;
}

describe("replay", () => {
  test("gives what came after on the same stream, and nothing of the others", () => {
    const log = newLog();
    const [one, two] = [log.openStream(1), log.openStream(1)];
    const first = log.append(one, '{"n":1}');
    log.append(two, '{"other":1}');
    log.append(one, '{"n":2}');
    log.append(UNASKED_STREAM, '{"unasked":1}');
    log.append(one, '{"n":3}');
    expect(parse(log.after(positionOf(first))).map(({ data }) => data)).toEqual(['{"n":2}', '{"n":3}']);
  });

  test("gives nothing after the last event", () => {
    const log = newLog();
    const last = log.append(log.openStream("x"), "{}");
    expect(log.after(positionOf(last))).toBe("");
  });

  test("knows the events of another log from its own", () => {
    const [before, after] = [newLog(), newLog()];
    const position = positionOf(before.append(before.openStream(1), "{}"));
    after.append(after.openStream(1), '{"of":"another call"}');
    after.append(after.openStream(2), "{}");
    expect([before.holds(position), after.holds(position)]).toEqual([true, false]);
    expect(after.after(position)).toBe("");
  });

  test("forgets the oldest events: a thousand are kept, or four MiB", () => {
    const log = newLog();
    const stream = log.openStream(1);
    const first = log.append(stream, "{}");
    for (let n = 0; n < 1_500; n++) log.append(stream, `${n}`);
    const kept = parse(log.after(positionOf(first))).map(({ data }) => data);
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([1_000, "500", "1499"]);
    for (let n = 0; n < 8; n++) log.append(stream, "x".repeat(1024 * 1024));
    expect(parse(log.after(positionOf(first)))).toHaveLength(3);
  });
});

test("a priming event has an id and no message", () => {
  const log = newLog();
  const text = log.append(log.openStream(1), "");
  expect(text).toMatch(/^id: \S+\ndata: \n\n$/);
});

describe("event ids", () => {
  test("name the request that their stream answers", () => {
    const ids = fc.oneof(fc.integer(), fc.string({ maxLength: 20, unit: "grapheme" }));
    fc.assert(
      fc.property(ids, (id) => {
        const log = newLog();
        const text = log.append(log.openStream(id), "{}");
        expect(idOf(text)).toMatch(/^[\x21-\x7e]+$/);
        expect(requestOf(positionOf(text).stream)).toBe(id);
      }),
    );
  });

  test("leave out a request id that is too long for a header", () => {
    const log = newLog();
    const text = log.append(log.openStream("x".repeat(10_000)), "{}");
    expect(idOf(text).length).toBeLessThan(50);
    expect(requestOf(positionOf(text).stream)).toBeUndefined();
  });

  test("are read from anything without harm", () => {
    expect(["", "1-2", "a.b.c", "log.1", "log.1.2.", `log.${"9".repeat(16)}.1`].map(readEventId)).toEqual(
      Array(6).fill(undefined),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const id = requestOf(readEventId(`log.1.2.${text}`)?.stream ?? "");
        expect(id === undefined || isId(id)).toBe(true);
      }),
    );
  });
});
