// Hostile input at every edge of the compiled gateway, briefly; `scripts/fuzz` plays the long run.

import { expect, test } from "bun:test";
import { Ledger } from "./ledger.ts";
import { play } from "./run.ts";

test("hostile clients and backends get well-formed answers, and harm nobody", async () => {
  const ledger = new Ledger(20_260_728);
  await play({ ledger, cases: 1_500, lanes: 24 });
  expect(ledger.findings).toEqual([]);
  expect(ledger.total).toBeGreaterThanOrEqual(1_500);
  // All of them were played against something that works.
  expect(ledger.outcomes.get("http replied 200")).toBeGreaterThan(50);
  expect(ledger.outcomes.get("stdio: answered")).toBeGreaterThan(20);
  expect(ledger.outcomes.get("backend legacy: result")).toBeGreaterThan(10);
  expect(ledger.outcomes.get("innocent at quiet: own word")).toBeGreaterThan(5);
}, 120_000);
