// A server that writes our ids as texts is understood; an answer with the number itself always wins.

import { expect, test } from "bun:test";
import { TextIds } from "../../../src/backend/connection/text-ids.ts";
import { TIMES } from "../../../src/backend/connection/times.ts";
import { type Id, resultResponse } from "../../../src/protocol/jsonrpc.ts";
import { FakeClock } from "./fake-clock.ts";

/** What reached its call, in order. */
function start() {
  const clock = new FakeClock();
  const taken: Id[] = [];
  const ids = new TextIds(({ id }) => taken.push(id ?? ""), clock);
  const answer = (id: Id) => {
    if (ids.mayDeliver(resultResponse(id, {}))) taken.push(id);
  };
  return { clock, ids, taken, answer };
}

test("a text waits once for the number; from then on texts are taken at once", () => {
  const { clock, taken, answer } = start();
  answer("1");
  answer("2");
  clock.pass(TIMES.TEXT_ID_MS - 1);
  expect(taken).toEqual([]);
  clock.pass(1);
  expect(taken).toEqual(["1", "2"]);
  answer("3");
  expect(taken).toEqual(["1", "2", "3"]);
  expect(clock.timers).toBe(0);
});

test("numbers for other requests do not make texts less credible", () => {
  const { clock, taken, answer } = start();
  answer(1);
  answer("2");
  answer(3);
  clock.pass(TIMES.TEXT_ID_MS);
  expect(taken).toEqual([1, 3, "2"]);
});

test("the number wins, and no text is taken any more", () => {
  const { clock, taken, answer } = start();
  answer("1");
  answer(1);
  answer("2");
  clock.pass(TIMES.TEXT_ID_MS);
  answer(2);
  expect(taken).toEqual([1, 2]);
  expect(clock.timers).toBe(0);
});

test("a number that comes too late still shows that the text was not meant", () => {
  const { clock, taken, answer } = start();
  answer("1");
  clock.pass(TIMES.TEXT_ID_MS);
  answer(1);
  answer("2");
  clock.pass(TIMES.TEXT_ID_MS);
  answer(2);
  expect(taken).toEqual(["1", 1, 2]);
});

test("after a stall what waits in the pipe is read first", () => {
  const { clock, taken, answer } = start();
  answer("1");
  clock.stall(1_000);
  clock.pass(0);
  answer(1);
  clock.pass(1_000);
  expect(taken).toEqual([1]);
});

test("if the wire ends no number will come", () => {
  const { clock, ids, taken, answer } = start();
  answer("1");
  ids.end();
  expect(taken).toEqual(["1"]);
  expect(clock.timers).toBe(0);
});
