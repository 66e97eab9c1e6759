// What is held for others has a bound in sum, and it is written down who loses first.

import { describe, expect, spyOn, test } from "bun:test";
import fc from "fast-check";
import { silentLog } from "../src/log.ts";
import { HOLDER_KINDS, type HolderKind, type Holding, MemoryBudget } from "../src/memory-budget.ts";
import { recordLog } from "./support/log-recorder.ts";

/** Lets go when it is told to, as every holder does. */
class Holder {
  hasLost = false;
  readonly held: Holding;

  constructor(memory: MemoryBudget, kind: HolderKind, owner?: string) {
    this.held = memory.hold(kind, {
      owner,
      giveUp: () => {
        this.hasLost = true;
        this.held[Symbol.dispose]();
      },
    });
  }
}

/** As many as there are kinds, in one budget. */
function holders(kinds: readonly HolderKind[], limit = 100): Holder[] {
  const memory = new MemoryBudget(silentLog, limit);
  return kinds.map((kind) => new Holder(memory, kind));
}

const lost = (all: readonly Holder[]) => all.map(({ hasLost }) => hasLost);
const unread = (count: number) => Array.from({ length: count }, () => "unread" as const);

describe("who loses first", () => {
  test("is nobody up to the limit, however many there are", () => {
    const all = holders(unread(10));
    for (const { held } of all) expect(held.set(10)).toBeTrue();
    expect(lost(all)).toEqual(all.map(() => false));
  });

  test("is who has made no progress for longest, and no more of them than it takes", () => {
    const all = holders(unread(4));
    for (const { held } of all) expect(held.set(30)).toBeTrue();
    expect(lost(all)).toEqual([true, false, false, false]);
  });

  test("is not who has made progress meanwhile", () => {
    const all = holders(unread(3), 50);
    const [first, second, third] = all.map(({ held }) => held);
    first?.set(20);
    second?.set(20);
    first?.progressed();
    third?.set(20);
    expect(lost(all)).toEqual([false, true, false]);
  });

  test("is the one that asks if it has made no progress for longest", () => {
    const all = holders(unread(2));
    const [first, second] = all.map(({ held }) => held);
    first?.set(40);
    second?.set(40);
    expect(first?.set(70)).toBeFalse();
    expect(first?.bytes).toBe(0);
    expect(lost(all)).toEqual([true, false]);
  });

  test("are copies, with some to spare, before what somebody waits for, however old that is", () => {
    const all = holders(["bodies", "unread", "replay", "results", "unread"]);
    for (const { held } of all) expect(held.set(25)).toBeTrue();
    expect(lost(all)).toEqual([false, false, true, true, false]);
  });

  test("is never what is being worked on: who asks for more is refused", () => {
    const all = holders(["requests", "lists", "catalogs", "lists", "requests"]);
    const [last, ...others] = all.map(({ held }) => held).reverse();
    for (const held of others) expect(held.set(25)).toBeTrue();
    expect(last?.set(1)).toBeFalse();
    expect(last?.bytes).toBe(0);
    expect(lost(all)).toEqual(all.map(() => false));
  });

  test("is the client itself if it is over its share, and not the older one of others", () => {
    const memory = new MemoryBudget(silentLog, 100);
    const other = new Holder(memory, "unread", "other");
    const own = [1, 2, 3].map(() => new Holder(memory, "unread", "greedy"));
    other.held.set(20);
    for (const { held } of own) held.set(10);
    expect(lost([other, ...own])).toEqual([false, true, false, false]);
    expect(own[2]?.held.set(30)).toBeFalse();
    expect(other.hasLost).toBeFalse();
  });
});

test("a loss is in the log, with its size", () => {
  const { log, lines } = recordLog();
  const memory = new MemoryBudget(log, 100e6);
  for (const holder of [1, 2].map(() => new Holder(memory, "unread"))) holder.held.set(60e6);
  expect(lines).toMatchObject([
    { level: "WARNING", message: expect.stringContaining("does not read"), megabytes: "60.0" },
  ]);
});

test("what is not held any more is collected in a process that has more than the limit, and not for every byte", async () => {
  using collect = spyOn(Bun, "gc").mockImplementation(() => undefined);
  const collections = async (limit: number) => {
    // Other tests have asked for collections, too.
    await new Promise((resolve) => setImmediate(resolve));
    collect.mockClear();
    const held = new MemoryBudget(silentLog, limit).hold("replay");
    for (let turn = 0; turn < 100; turn++) {
      held.set(limit / 16);
      held.set(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return collect.mock.calls.length;
  };
  expect(await collections(1_000_000)).toBe(50);
  expect(await collections(1e12)).toBe(0);
});

test("whatever is held, given back and taken away, the sums are right and never over the limit", () => {
  const step = fc.record({
    at: fc.nat(11),
    act: fc.constantFrom("set", "set", "set", "progress", "dispose"),
    bytes: fc.nat(70),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const memory = new MemoryBudget(silentLog, 100);
      const all = Array.from({ length: 12 }, (_, at) => {
        const kind = HOLDER_KINDS[at % HOLDER_KINDS.length] ?? "unread";
        return new Holder(memory, kind, at % 3 === 0 ? undefined : `owner-${at % 3}`);
      });
      for (const { at, act, bytes } of steps) {
        const held = all[at]?.held;
        if (act === "progress") held?.progressed();
        else if (act === "dispose") held?.[Symbol.dispose]();
        else if (held?.set(bytes) === true) expect(held.bytes).toBe(bytes);
        const sum = all.reduce((total, holder) => total + holder.held.bytes, 0);
        expect(memory.bytes).toBe(sum);
        expect(Object.values(memory.byKind).reduce((total, count) => total + count, 0)).toBe(sum);
        expect(sum).toBeLessThanOrEqual(100);
        for (const owner of ["owner-1", "owner-2"]) {
          const own = all.filter(({ held: one }) => one.owner === owner);
          expect(own.reduce((total, holder) => total + holder.held.bytes, 0)).toBeLessThanOrEqual(25);
        }
      }
    }),
  );
});
