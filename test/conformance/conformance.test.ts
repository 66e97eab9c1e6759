// The official conformance suite: the fixture played directly, and the gateway before it in every kind.
// A failure that is expected stands in expected/<row>.yml with its reason; one that no longer happens fails here.

import { afterAll, expect, describe as group, test } from "bun:test";
import { playAll } from "../support/play-all.ts";
import { CLIENT_RUNS, DIRECT_ROWS, GATEWAY_ROWS, HELD, type Row } from "./rows.ts";
import { nameOf, playClientRun, playRow, Stage } from "./run.ts";
import { describe, readExpected } from "./score.ts";

const AT_ONCE = 3;
const LONGEST_MS = 180_000;
/** What no gateway can translate, by the era of the backend: see the reasons in `expected/`. */
const MOST_FAILURES = { legacy: 2, modern: 4 };

const stage = new Stage();
afterAll(() => stage[Symbol.asyncDispose](), LONGEST_MS);

const rows = [...(HELD.has("direct") ? DIRECT_ROWS : []), ...(HELD.has("gateway") ? GATEWAY_ROWS : [])];
const clientRuns = (["direct", "gateway"] as const).flatMap((via) =>
  HELD.has(via) ? CLIENT_RUNS.map((run) => ({ via, run })) : [],
);
// All begin here, so that waiting for one is working on the next.
const scores = playAll(rows, AT_ONCE, (row) => playRow(row, stage));
const clientScores = playAll(clientRuns, 1, ({ run, via }) => playClientRun(run, via));

/**
 * The suite counts as soon as its client has the answer, which forgets a notification that came in one read with it, at
 * random and on a busy machine. Where nothing else went wrong, the row is played a second time; what fails twice, fails.
 */
const MISCOUNTED = /^(\s*FAILURE tools-call-with-(?:logging|progress):\S+ Expected at least .*\s*)+$/;

group("server", () => {
  for (const [row, score] of scores) {
    const play = async () => {
      const told = describe(await score);
      expect(MISCOUNTED.test(told) ? describe(await playRow(row, stage)) : told).toBe("");
    };
    test(row.name, play, LONGEST_MS);
  }
});

group("client", () => {
  for (const [{ run, via }, score] of clientScores) {
    test(`${via} ${nameOf(run)}`, async () => expect(describe(await score)).toBe(""), LONGEST_MS);
  }
});

test("same-era routes expect no failure, translated ones what cannot be translated", () => {
  for (const row of GATEWAY_ROWS.filter(({ route }) => route === "gateway")) {
    const scenarios = new Set(readExpected(row.name).map((entry) => entry.scenario));
    expect(scenarios.size, row.name).toBeLessThanOrEqual(row.isSameEra ? 0 : mostFailures(row));
  }
});

function mostFailures({ revision }: Row): number {
  return revision === "2026-07-28" ? MOST_FAILURES.legacy : MOST_FAILURES.modern;
}
