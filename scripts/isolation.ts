// The long isolation run: each round's figures, and every message that arrived where it does not belong. Words select
// rounds: `late words` plays those in which servers speak after their answer, 10,000 calls of them.

import { parseArgs } from "node:util";
import { LATE_ROUNDS, playLateWords } from "../test/isolation/late-words.ts";
import type { Ledger } from "../test/isolation/ledger.ts";
import { ROUNDS } from "../test/isolation/plans.ts";
import { playRound } from "../test/isolation/stage.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    calls: { type: "string", default: "21600" },
    clients: { type: "string", default: "50" },
    "late-calls": { type: "string", default: "10000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 32) },
  },
});
const [clients, seed] = [Number(values.clients), Number(values.seed)];
const rounds = ROUNDS.filter(({ backend, name }) => {
  return positionals.length === 0 || positionals.some((part) => `${backend} ${name}`.includes(part));
});
const shares = rounds.reduce((sum, { share }) => sum + share, 0) || 1;
const callsPerClient = Math.ceil(Number(values.calls) / clients / shares);
console.log(`${clients} clients, about ${values.calls} calls, seed ${seed}`);

const totals: Record<string, number> = {};
let failed = 0;

function tell(name: string, startedMs: number, ledger: Ledger): void {
  console.log(`\n${name} (${((performance.now() - startedMs) / 1000).toFixed(0)} s)`);
  for (const [what, count] of Object.entries(ledger.counts)) {
    totals[what] = (totals[what] ?? 0) + count;
    console.log(`  ${String(count).padStart(7)} ${what}`);
  }
  for (const violation of ledger.violations) console.log(`  ! ${violation}`);
  failed += ledger.violations.length;
}

for (const round of rounds) {
  const startedMs = performance.now();
  tell(
    `${round.backend}, ${round.name}`,
    startedMs,
    await playRound(round, { clients, callsPerClient, seed }),
  );
}

// Calls to a server that speaks late wait for each other, so these rounds are idle for the most part: played together.
const LATE_CLIENTS = 10;
const TOGETHER = 5;
const late = LATE_ROUNDS.map((round) => ({
  ...round,
  name: `late words, ${round.backend}, ${round.route}`,
})).filter(({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)));
const lateCallsPerClient = Math.ceil(Number(values["late-calls"]) / Math.max(1, late.length) / LATE_CLIENTS);
const waiting = [...late];
await Promise.all(
  Array.from({ length: TOGETHER }, async () => {
    for (let round = waiting.shift(); round !== undefined; round = waiting.shift()) {
      const startedMs = performance.now();
      const size = { clients: LATE_CLIENTS, callsPerClient: lateCallsPerClient, seed };
      tell(round.name, startedMs, await playLateWords(round, size));
    }
  }),
);

console.log("\nin all");
for (const [what, count] of Object.entries(totals)) console.log(`  ${String(count).padStart(7)} ${what}`);
process.exitCode = failed === 0 ? 0 : 1;
