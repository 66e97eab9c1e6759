// Prints what the conformance suite finds, row by row: the score without the gateway beside the score through it.
// --direct leaves out all that needs the gateway; other arguments choose the rows whose names contain one of them.

import {
  CLIENT_RUNS,
  type ClientRun,
  DIRECT_ROWS,
  GATEWAY_ROWS,
  type Row,
} from "../test/conformance/rows.ts";
import { isPassed, nameOf, playClientRun, playRow, Stage } from "../test/conformance/run.ts";
import { describe, type Score } from "../test/conformance/score.ts";
import { playAll } from "../test/support/play-all.ts";

const AT_ONCE = 2;
const HEADINGS = ["row", "direct", "gateway", "as expected", "verdict"];

interface Pair {
  readonly direct?: Score;
  readonly gateway?: Score;
}

const args = process.argv.slice(2);
const isDirect = args.includes("--direct");
const wanted = args.filter((arg) => !arg.startsWith("--"));
const isWanted = (name: string) => wanted.length === 0 || wanted.some((part) => name.includes(part));

await using stage = new Stage();
const routes = (isDirect ? [] : GATEWAY_ROWS).filter(({ name }) => isWanted(name));
// A row through the gateway is read beside the same row without it.
const controls = DIRECT_ROWS.filter(
  (row) => isWanted(row.name) || routes.some((route) => controlOf(route) === row),
);
const runs = CLIENT_RUNS.filter((run) => isWanted(`client-${nameOf(run)}`));

const scores = playAll([...controls, ...routes], AT_ONCE, (row) => playRow(row, stage));
const controlRuns = playAll(runs, 1, (run) => playClientRun(run, "direct"));
const gatewayRuns = playAll(isDirect ? [] : runs, 1, (run) => playClientRun(run, "gateway"));

const table = new Map<string, Pair>();
for (const row of controls) table.set(row.name, { direct: await scoreOf(row) });
for (const row of routes) {
  const control = controlOf(row);
  const direct = control === undefined ? {} : { direct: await scoreOf(control) };
  table.set(row.name, { ...direct, gateway: await scoreOf(row) });
}
for (const run of runs) table.set(`client-${nameOf(run)}`, await pairOf(run));
print(table);
process.exitCode = [...table.values()].flatMap(inPair).every(isPassed) ? 0 : 1;

/** The direct row of the same backend and revision, where there is one: HTTP+SSE and translations have none. */
function controlOf(row: Row): Row | undefined {
  return DIRECT_ROWS.find(({ backend, revision }) => backend === row.backend && revision === row.revision);
}

async function scoreOf(row: Row): Promise<Score> {
  const score = await scores.get(row);
  if (score === undefined) throw new Error(`${row.name} was not played.`);
  return score;
}

async function pairOf(run: ClientRun): Promise<Pair> {
  const [direct, gateway] = await Promise.all([controlRuns.get(run), gatewayRuns.get(run)]);
  return { ...(direct !== undefined && { direct }), ...(gateway !== undefined && { gateway }) };
}

function inPair({ direct, gateway }: Pair): Score[] {
  return [direct, gateway].filter((score) => score !== undefined);
}

function print(pairs: ReadonlyMap<string, Pair>): void {
  const lines = [...pairs].map(([name, pair]) => [
    name,
    showScore(pair.direct),
    showScore(pair.gateway),
    String((pair.gateway ?? pair.direct)?.expected.length || "-"),
    inPair(pair).every(isPassed) ? "ok" : "FAILED",
  ]);
  const widths = HEADINGS.map((heading, at) =>
    Math.max(...[HEADINGS, ...lines].map((line) => (line[at] ?? heading).length)),
  );
  for (const line of [HEADINGS, ...lines]) {
    console.log(
      line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  }
  for (const [name, pair] of pairs) {
    for (const score of inPair(pair).filter((one) => !isPassed(one)))
      console.log(`\n${name}\n${describe(score)}`);
  }
}

function showScore(score: Score | undefined): string {
  if (score === undefined) return "-";
  return `${score.passed}/${score.total} (${score.checksPassed}/${score.checksTotal})`;
}
