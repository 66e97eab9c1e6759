// The long isolation run: each round's figures, and every message that arrived where it does not belong.

import { parseArgs } from "node:util";
import { ROUNDS } from "../test/isolation/plans.ts";
import { playRound } from "../test/isolation/stage.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    calls: { type: "string", default: "21600" },
    clients: { type: "string", default: "50" },
    seed: { type: "string", default: String(Date.now() % 2 ** 32) },
  },
});
const [clients, seed] = [Number(values.clients), Number(values.seed)];
const rounds = ROUNDS.filter(({ backend, name }) => {
  return positionals.length === 0 || positionals.some((part) => `${backend} ${name}`.includes(part));
});
const shares = rounds.reduce((sum, { share }) => sum + share, 0);
const callsPerClient = Math.ceil(Number(values.calls) / clients / shares);
console.log(`${clients} clients, about ${values.calls} calls, seed ${seed}`);

const totals: Record<string, number> = {};
let failed = 0;
for (const round of rounds) {
  const startedMs = performance.now();
  const ledger = await playRound(round, { clients, callsPerClient, seed });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  console.log(`\n${round.backend}, ${round.name} (${seconds} s)`);
  for (const [what, count] of Object.entries(ledger.counts)) {
    totals[what] = (totals[what] ?? 0) + count;
    console.log(`  ${String(count).padStart(7)} ${what}`);
  }
  for (const violation of ledger.violations) console.log(`  ! ${violation}`);
  failed += ledger.violations.length;
}
console.log("\nin all");
for (const [what, count] of Object.entries(totals)) console.log(`  ${String(count).padStart(7)} ${what}`);
process.exitCode = failed === 0 ? 0 : 1;
