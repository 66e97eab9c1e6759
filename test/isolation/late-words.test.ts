// What a server says about a call after it has answered it: never to another client, and to its own if that alone can be
// meant. A short run; `scripts/isolation late` plays 10,000 calls.

import { expect, test } from "bun:test";
import { LATE_ROUNDS, playLateWords } from "./late-words.ts";

/** The other wires by the other routes are the script's. */
const ROUNDS = LATE_ROUNDS.filter(({ backend, route }) => route === "direct" || backend === "stdio-legacy");

test.each(ROUNDS.map((round) => [`${round.backend}, ${round.route}`, round] as const))(
  "%s",
  async (_name, round) => {
    const ledger = await playLateWords(round, { clients: 4, callsPerClient: 5, seed: 20_260_728 });
    expect(ledger.violations).toEqual([]);
    expect(ledger.counts.marks).toBeGreaterThan(0);
  },
  60_000,
);
