// What a load has left behind goes when nobody asks for anything any more, and not before.

import { expect, test } from "bun:test";
import { join } from "node:path";

const PROCESS = join(import.meta.dir, "quiet-process.ts");

/** A machine that stood still for so long has made a pause of its own between two questions. */
const STALLED_MS = 500;

async function run(...given: readonly number[]): Promise<unknown> {
  const command = [process.execPath, PROCESS, ...given.map(String)];
  for (;;) {
    const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] });
    const { longestPauseMs, ...told } = JSON.parse(await child.stdout.text());
    if (longestPauseMs < STALLED_MS) return told;
  }
}

test("garbage goes when it has been quiet", async () => {
  const told = await run(32, 1, 10_000);
  expect(told).toEqual({ isWatched: true, isGoneWhileAsked: false, isGoneAfterwards: true, isShrunk: false });
});

test("nothing is collected while somebody asks, and it goes when they have stopped", async () => {
  const told = await run(32, 30, 10_000);
  expect(told).toEqual({ isWatched: true, isGoneWhileAsked: false, isGoneAfterwards: true, isShrunk: false });
});

test("who asks now and then, as a client that pings, does not keep it", async () => {
  const told = await run(32, 4, 10_000, 0, 0, 600);
  expect(told).toEqual({ isWatched: true, isGoneWhileAsked: true, isGoneAfterwards: true, isShrunk: false });
});

test("compiled code goes as well where much is still held", async () => {
  const told = await run(32, 1, 20_000, 48);
  expect(told).toEqual({ isWatched: true, isGoneWhileAsked: false, isGoneAfterwards: true, isShrunk: true });
});

test("a question after a rest is followed as the first one is", async () => {
  const told = await run(32, 1, 4_000, 0, 1_500);
  expect(told).toEqual({ isWatched: true, isGoneWhileAsked: false, isGoneAfterwards: true, isShrunk: false });
});

test("what a start has left behind goes where nobody asks for anything", async () => {
  const told = await run(1, 0, 10_000);
  expect(told).toEqual({ isWatched: true, isGoneWhileAsked: false, isGoneAfterwards: true, isShrunk: true });
});

test("a few calls are not worth one", async () => {
  const told = await run(1, 1, 3_000);
  expect(told).toEqual({
    isWatched: true,
    isGoneWhileAsked: false,
    isGoneAfterwards: false,
    isShrunk: false,
  });
});
