// Fifty clients of both eras on one backend of each kind: every message arrives at its owner and nowhere else.
// A short run; `scripts/isolation` plays the long one.

import { expect, test } from "bun:test";
import { ROUNDS } from "./plans.ts";
import { playRound } from "./stage.ts";

test.each(ROUNDS.map((round) => [`${round.backend}, ${round.name}`, round] as const))(
  "%s",
  async (_name, round) => {
    // A server that asks hears one client at a time, so there are fewer of them.
    const clients = round.name.startsWith("asking") ? 16 : 50;
    const ledger = await playRound(round, { clients, callsPerClient: 6, seed: 20_260_728 });
    expect(ledger.violations).toEqual([]);
    expect(ledger.counts.marks).toBeGreaterThan(ledger.counts.calls ?? 0);
  },
  60_000,
);
