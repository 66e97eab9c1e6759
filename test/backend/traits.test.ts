// What holds for the next process too: the era, with its date, and what the server does on a shared wire.

import { afterEach, expect, setSystemTime, test } from "bun:test";
import { Traits } from "../../src/backend/traits.ts";

afterEach(() => void setSystemTime());

const HOUR_MS = 3_600_000;

test("an old era is asked about again after a day; a modern one is not", () => {
  const legacy = new Traits(() => undefined);
  const modern = new Traits(() => undefined);
  legacy.eraFound("legacy", true);
  modern.eraFound("modern", true);
  const startMs = Date.now();
  setSystemTime(startMs + 23 * HOUR_MS);
  expect([legacy.era, modern.era]).toEqual(["legacy", "modern"]);
  setSystemTime(startMs + 25 * HOUR_MS);
  expect([legacy.era, modern.era]).toEqual([undefined, "modern"]);
});

test("starts that did not ask do not renew the date", () => {
  const traits = new Traits(() => undefined);
  traits.eraFound("legacy", true);
  const startMs = Date.now();
  setSystemTime(startMs + 20 * HOUR_MS);
  traits.eraFound("legacy", false);
  setSystemTime(startMs + 25 * HOUR_MS);
  expect(traits.era).toBeUndefined();
});

test("a start that failed takes the era with it", () => {
  const traits = new Traits(() => undefined);
  traits.eraFound("modern", true);
  traits.forgetEra();
  expect(traits.era).toBeUndefined();
});

test("is written whenever it changes, and only then", () => {
  let changes = 0;
  const traits = new Traits(() => {
    changes += 1;
  });
  traits.noteQuestion();
  traits.noteQuestion();
  traits.noteRootsQuestion();
  traits.noteRootsQuestion();
  traits.noteLog();
  traits.noteLog();
  traits.eraFound("legacy", true);
  traits.eraFound("legacy", false);
  traits.forgetEra();
  traits.forgetEra();
  expect(changes).toBe(5);
  const copy = new Traits(() => undefined);
  copy.restore(traits.record());
  expect([copy.hasAsked, copy.hasAskedForRoots, copy.hasLogged]).toEqual([true, true, true]);
  expect(copy.era).toBeUndefined();
});
