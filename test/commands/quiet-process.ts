// Leaves garbage behind, is asked so many times, and says whether the garbage went while it was asked, and afterwards,
// and whether compiled code went, too. A process of its own, as it is the whole process's memory that decides.
// Arguments: megabytes of garbage, questions, patience in ms, megabytes in use, ms since an earlier question,
// ms between questions.

import { fullGC } from "bun:jsc";
import { QuietCollection } from "../../src/commands/quiet-collection.ts";
import { waitFor } from "../support/wait-for.ts";

const MEGABYTE = 1024 * 1024;
/** Far longer than a machine stands still. */
const REST_MS = 1_000;

const [megabytes = 0, questions = 0, timeoutMs = 0, inUse = 0, restedMs = 0, askEveryMs = 50] = process.argv
  .slice(2)
  .map(Number);

using quiet = new QuietCollection(REST_MS);
let isGone = false;
let isShrunk = false;
const { shrink } = Bun;
Object.assign(Bun, {
  shrink: () => {
    isShrunk = true;
    shrink();
  },
});
const used = fill(inUse);
const registry = new FinalizationRegistry(() => {
  isGone = true;
});
if (restedMs > 0) {
  quiet.worked();
  await Bun.sleep(restedMs);
}
leaveBehind();
let longestPauseMs = 0;
for (let question = 0; question < questions; question++) {
  const askedMs = performance.now();
  quiet.worked();
  if (question > 0) await Bun.sleep(askEveryMs);
  longestPauseMs = Math.max(longestPauseMs, performance.now() - askedMs - askEveryMs);
}
const isGoneWhileAsked = isGone;
const isGoneAfterwards = await waitFor(() => isGone, { timeoutMs, what: "the collection" }).catch(
  () => false,
);
// The registry itself must live as long as the question can be asked.
const isWatched = registry instanceof FinalizationRegistry;
if (used.length > 0 || questions === 0)
  await waitFor(() => isShrunk, { timeoutMs, what: "the code to go" }).catch(() => false);
console.log(JSON.stringify({ isWatched, isGoneWhileAsked, isGoneAfterwards, isShrunk, longestPauseMs }));

/** Garbage that has outlived a collection: the engine comes to it by a full one only. */
function leaveBehind(): void {
  const held = fill(megabytes);
  registry.register(held, undefined);
  fullGC();
}

function fill(count: number): Uint8Array[] {
  return Array.from({ length: count }, () => new Uint8Array(MEGABYTE).fill(1));
}
