// What a load has left behind goes when nobody asks for anything any more, and not before.

import { fullGC } from "bun:jsc";
import { afterEach, expect, test } from "bun:test";
import { QuietCollection } from "../../src/commands/quiet-collection.ts";
import { waitFor } from "../support/wait-for.ts";

const MEGABYTE = 1024 * 1024;

// What one test has used is given back before the next one looks at what there is.
afterEach(() => Bun.gc(true));

/** Garbage that has outlived a collection: the engine comes to it by a full one only. Says when it has gone. */
function leaveBehind(megabytes: number): () => boolean {
  let isGone = false;
  const registry = new FinalizationRegistry(() => {
    isGone = true;
  });
  const held = Array.from({ length: megabytes }, () => new Uint8Array(MEGABYTE).fill(1));
  registry.register(held, undefined);
  fullGC();
  // The registry itself must live as long as the question can be asked.
  return () => registry instanceof FinalizationRegistry && isGone;
}

test("garbage goes when it has been quiet", async () => {
  using quiet = new QuietCollection();
  const isGone = leaveBehind(32);
  quiet.worked();
  await waitFor(isGone, { timeoutMs: 5_000, what: "the collection" });
});

test("nothing is collected while somebody asks, and it goes when they have stopped", async () => {
  using quiet = new QuietCollection();
  const isGone = leaveBehind(32);
  for (let message = 0; message < 30; message++) {
    quiet.worked();
    await Bun.sleep(50);
  }
  expect(isGone()).toBe(false);
  await waitFor(isGone, { timeoutMs: 5_000, what: "the collection" });
});

test("a few calls are not worth one", async () => {
  using quiet = new QuietCollection();
  const isGone = leaveBehind(1);
  quiet.worked();
  await Bun.sleep(1_500);
  expect(isGone()).toBe(false);
});
