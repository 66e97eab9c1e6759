// A table for what is in flight: finds each by its key, no other by an old one, and holds on to none that has left.

import { edenGC, fullGC, heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { InFlight } from "../../src/protocol/in-flight.ts";

interface Call {
  readonly name: string;
}

function add(calls: InFlight<Call>, name: string): number {
  const key = calls.nextKey();
  calls.set(key, { name });
  return key;
}

test("each has a key of its own, and a key of old finds nobody", () => {
  const calls = new InFlight<Call>();
  const old = add(calls, "old");
  calls.delete(old);
  calls.delete(old);
  const keys = Array.from({ length: 100 }, (_, at) => add(calls, `call ${at}`));
  expect(new Set([old, ...keys]).size).toBe(101);
  expect(calls.get(old)).toBeUndefined();
  expect(keys.map((key) => calls.get(key)?.name)).toEqual(keys.map((_, at) => `call ${at}`));
  expect(calls.size).toBe(100);
});

test("one that stays for long is not lost, whatever comes and goes meanwhile", () => {
  const calls = new InFlight<Call>();
  const longest = add(calls, "longest");
  for (let round = 0; round < 1_000; round++) {
    const [first, second] = [add(calls, "first"), add(calls, "second")];
    calls.delete(first);
    calls.delete(second);
  }
  expect(calls.get(longest)).toEqual({ name: "longest" });
  expect(calls.size).toBe(1);
});

test("all are told in the order in which they came", () => {
  const calls = new InFlight<Call>();
  const names = Array.from({ length: 20 }, (_, at) => `call ${at}`);
  const keys = names.map((name) => add(calls, name));
  for (const key of keys.slice(0, 15)) calls.delete(key);
  add(calls, "newest");
  expect(calls.values().map(({ name }) => name)).toEqual([...names.slice(15), "newest"]);
});

test("a key that is taken by another's place makes room instead of taking it", () => {
  const calls = new InFlight<Call>();
  for (const key of [1, 5, 4_097]) calls.set(key, { name: `${key}` });
  expect([1, 5, 4_097].map((key) => calls.get(key)?.name)).toEqual(["1", "5", "4097"]);
  calls.set(5, { name: "again" });
  expect(calls.get(5)).toEqual({ name: "again" });
  expect(calls.size).toBe(3);
});

test("one of many is found, and when all have left, their room is given up", () => {
  const calls = new InFlight<Call>();
  const keys = Array.from({ length: 1_000 }, (_, at) => add(calls, `call ${at}`));
  expect(calls.find(({ name }) => name === "call 700")).toEqual({ name: "call 700" });
  for (const key of keys) calls.delete(key);
  expect(calls.find(() => true)).toBeUndefined();
  const next = add(calls, "next");
  expect(next).toBeGreaterThan(1_000);
  expect(calls.values()).toEqual([{ name: "next" }]);
});

/** What has left by the time of a collection that looks at new objects only, and is kept all the same. */
function keptOf(passBy: (value: Date) => void): number {
  const dates = () => heapStats().objectTypeCounts.Date ?? 0;
  const passAll = () => {
    for (let at = 0; at < 1_000; at++) passBy(new Date(at));
  };
  passAll();
  fullGC();
  passAll();
  edenGC();
  const kept = dates();
  fullGC();
  return kept - dates();
}

test("who has left is not kept; by the runtime's Map, which has no other reason, all are", () => {
  const calls = new InFlight<Date>();
  const inFlight = keptOf((value) => {
    const key = calls.nextKey();
    calls.set(key, value);
    calls.delete(key - 3);
  });
  const map = new Map<number, Date>();
  let lastKey = 0;
  const inMap = keptOf((value) => {
    lastKey += 1;
    map.set(lastKey, value);
    map.delete(lastKey - 3);
  });
  expect(inFlight).toBeLessThan(50);
  expect(inMap).toBeGreaterThan(500);
});
