// The long fuzz run: hostile input at every edge of the compiled gateway. Prints its seed, how far it is, what came of the
// cases and what was found. A finding says by which arguments its one case is played again.

import { parseArgs } from "node:util";
import { type Edge, Ledger } from "../test/fuzz/ledger.ts";
import { play } from "../test/fuzz/run.ts";
import { play as playTexts } from "../test/unaltered/play.ts";

const TELL_MS = 30_000;
const EDGES: readonly Edge[] = ["http", "guard", "stdio", "backend", "start"];
const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "100000" },
    lanes: { type: "string", default: "128" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    only: { type: "string" },
    texts: { type: "string" },
  },
});
const [seed, cases, lanes] = [Number(values.seed), Number(values.cases), Number(values.lanes)];
if (values.texts !== undefined) {
  await runTexts(Number(values.texts));
  process.exit();
}
console.log(`seed ${seed}, ${values.only ?? `${cases} cases`}`);

const startedMs = performance.now();
const ledger = new Ledger(seed);
const telling = setInterval(() => {
  console.log(`${ledger.total} cases, ${ledger.findingCount} findings: ${JSON.stringify(ledger.cases)}`);
}, TELL_MS);
const { rssMb, descriptors } = await play({ ledger, cases, lanes, ...readOnly(values.only) });
clearInterval(telling);
const seconds = (performance.now() - startedMs) / 1000;
const outcomes = [...ledger.outcomes].sort(([a], [b]) => a.localeCompare(b));
for (const [outcome, count] of outcomes) console.log(`${String(count).padStart(8)} ${outcome}`);
console.log(
  JSON.stringify({
    seed,
    seconds: Math.round(seconds),
    cases: ledger.cases,
    total: ledger.total,
    rssMb,
    descriptors,
  }),
);
for (const finding of ledger.findings) console.log(`! ${finding}`);
console.log(`${ledger.findingCount} findings`);
process.exitCode = ledger.findingCount === 0 ? 0 : 1;

/** Sends documents of JSON through every route, and compares their texts. */
async function runTexts(documents: number): Promise<void> {
  console.log(`seed ${seed}, ${documents} documents`);
  const { compared, routes, findings } = await playTexts({ seed, documents, perCall: 50 });
  for (const finding of findings) console.log(`! ${finding}`);
  console.log(`${compared} texts compared over ${routes} routes, ${findings.length} findings`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}

/** `edge:number`, as a finding names its case. */
function readOnly(text: string | undefined): { only?: { edge: Edge; number: number } } {
  if (text === undefined) return {};
  const [name, number] = text.split(":");
  const edge = EDGES.find((known) => known === name);
  if (edge === undefined || !/^\d+$/.test(number ?? "")) throw new Error(`no case: ${text}`);
  return { only: { edge, number: Number(number) } };
}
