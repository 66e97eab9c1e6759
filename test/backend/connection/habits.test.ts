// What was learned about a server: told once, kept, and forgotten if it is not seen again.

import { afterEach, expect, setSystemTime, test } from "bun:test";
import { Habits } from "../../../src/backend/connection/habits.ts";
import { TIMES } from "../../../src/backend/connection/times.ts";

afterEach(() => void setSystemTime());

function made() {
  const told: string[] = [];
  const changes: number[] = [];
  const habits = new Habits(
    (words) => void told.push(words),
    () => void changes.push(1),
  );
  return { habits, told, changes };
}

test("is told in words when it is learned, once", () => {
  const { habits, told, changes } = made();
  habits.note("asks");
  habits.note("asks");
  habits.note("logs");
  expect(told).toEqual([expect.stringContaining("asks questions"), expect.stringContaining("logs")]);
  expect(habits.describe()).toEqual(told);
  expect(changes).toHaveLength(2);
});

test("is forgotten after a day, unless it is seen again", () => {
  const { habits, told } = made();
  const startMs = Date.now();
  habits.note("asks");
  habits.note("logs");
  setSystemTime(startMs + TIMES.HABIT_MS / 2);
  habits.note("asks");
  setSystemTime(startMs + TIMES.HABIT_MS + 1);
  expect([habits.has("asks"), habits.has("logs")]).toEqual([true, false]);
  expect(habits.describe()).toHaveLength(1);
  setSystemTime(startMs + 2 * TIMES.HABIT_MS);
  expect(habits.has("asks")).toBe(false);
  expect(habits.record()).toEqual({});
  habits.note("asks");
  expect(told).toHaveLength(3);
});

test("holds for the next process: what is written is read again, and a date to come is not believed", () => {
  const { habits } = made();
  habits.note("speaksLate");
  const { habits: copy, told } = made();
  copy.restore(habits.record());
  expect(copy.has("speaksLate")).toBe(true);
  expect(told).toEqual([]);
  copy.restore({ logs: Date.now() + 10 * TIMES.HABIT_MS, unheardOf: 1 });
  const startMs = Date.now();
  setSystemTime(startMs + TIMES.HABIT_MS + 1_000);
  expect([copy.has("logs"), copy.has("speaksLate")]).toEqual([false, false]);
});
