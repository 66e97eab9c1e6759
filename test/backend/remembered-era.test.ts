// The era of a server holds for its next process too, with the date when it was asked.

import { afterEach, expect, setSystemTime, test } from "bun:test";
import { RememberedEra } from "../../src/backend/remembered-era.ts";

afterEach(() => void setSystemTime());

const HOUR_MS = 3_600_000;

test("an old era is asked about again after a day; a modern one is not", () => {
  const legacy = new RememberedEra(() => undefined);
  const modern = new RememberedEra(() => undefined);
  legacy.found("legacy", true);
  modern.found("modern", true);
  const startMs = Date.now();
  setSystemTime(startMs + 23 * HOUR_MS);
  expect([legacy.name, modern.name]).toEqual(["legacy", "modern"]);
  setSystemTime(startMs + 25 * HOUR_MS);
  expect([legacy.name, modern.name]).toEqual([undefined, "modern"]);
});

test("starts that did not ask do not renew the date", () => {
  const era = new RememberedEra(() => undefined);
  era.found("legacy", true);
  const startMs = Date.now();
  setSystemTime(startMs + 20 * HOUR_MS);
  era.found("legacy", false);
  setSystemTime(startMs + 25 * HOUR_MS);
  expect(era.name).toBeUndefined();
});

test("a start that failed takes the era with it", () => {
  const era = new RememberedEra(() => undefined);
  era.found("modern", true);
  era.forget();
  expect(era.name).toBeUndefined();
});

test("is written whenever it changes, and only then", () => {
  let changes = 0;
  const era = new RememberedEra(() => {
    changes += 1;
  });
  era.found("legacy", true);
  era.found("legacy", false);
  era.forget();
  era.forget();
  expect(changes).toBe(2);
});
