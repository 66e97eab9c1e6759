// Measures search: recall and rank by kind of query against two baselines, tokens of an answer, time and memory.

import { Command } from "commander";
import { COMMITTED_SETS, type DataSet, readDataSets } from "./retrieval/data-set.ts";
import { enlarged } from "./retrieval/enlarge.ts";
import { answerCosts, evaluate } from "./retrieval/evaluate.ts";
import { FIGURES, type Figure, type KindScores } from "./retrieval/metrics.ts";
import { RANKERS } from "./retrieval/rankers.ts";
import { measureSpeed, type Speed } from "./retrieval/speed.ts";
import { median } from "./statistics.ts";
import { type Bar, barTable, columns, isMet } from "./table.ts";

interface Options {
  readonly data: string;
  readonly speed: boolean;
  readonly json: boolean;
}

const options = new Command("scripts/bench/discovery")
  .description("Measures what search finds, what an answer costs a model, and how fast it is.")
  .option("--data <folder>", "folders with catalogue.json and queries.json", COMMITTED_SETS)
  .option("--no-speed", "leave out time and memory")
  .option("--json", "print one JSON object", false)
  .parse()
  .opts<Options>();

const sets = readDataSets(options.data);
const quality = Object.entries(RANKERS).map(([name, ranker]) => ({ name, scores: evaluate(sets, ranker) }));
const costs = answerCosts(sets);
const speeds = options.speed ? measureSpeeds(sets) : [];
const bars = [...qualityBars(), ...speedBars()];
if (options.json) printJson();
else printText();
process.exitCode = bars.every(isMet) ? 0 : 1;

function measureSpeeds(all: readonly DataSet[]): Speed[] {
  const queries = all.flatMap(({ queries: asked }) => asked.map(({ query }) => query));
  const servers = all.flatMap((set) => set.servers);
  const real = servers.reduce((sum, { tools }) => sum + tools.length, 0);
  return [real, 3_000, 18_000].map((tools) => measureSpeed(enlarged(servers, tools), queries));
}

function scoresOf(name: keyof typeof RANKERS): KindScores {
  const found = quality.find((each) => each.name === name);
  if (found === undefined) throw new Error(`No ranker is called ${name}.`);
  return found.scores;
}

/** How far recall@5 of the kind that does worst lies below plain BM25. */
function worstLoss(): number {
  const ours = scoresOf("mcp-gateway");
  const theirs = scoresOf("BM25");
  return Math.max(...ours.kinds.map((kind) => theirs.of(kind)["recall@5"] - ours.of(kind)["recall@5"]));
}

function qualityBars(): Bar[] {
  const { "recall@5": recall, MRR } = scoresOf("mcp-gateway").mean();
  return [
    { figure: "mean recall@5", measured: recall, unit: "", limit: { least: 0.81 } },
    { figure: "mean MRR", measured: MRR, unit: "", limit: { least: 0.7 } },
    { figure: "recall@5 below BM25, worst kind", measured: worstLoss(), unit: "", limit: { most: 0.02 } },
    {
      figure: "answer of five, median",
      measured: median(costs.map(({ tokens }) => tokens)),
      unit: "tokens",
      limit: { most: 300 },
    },
  ];
}

function speedBars(): Bar[] {
  const [, middle, large] = speeds;
  if (middle === undefined || large === undefined) return [];
  return [
    { figure: "search of 3,000 tools, p99", measured: middle.searchMs.p99, unit: "ms", limit: { most: 3 } },
    { figure: "index of 3,000 tools", measured: middle.buildMs, unit: "ms", limit: { most: 300 } },
    { figure: "memory of 3,000 tools", measured: middle.memoryMb, unit: "MB", limit: { most: 25 } },
    { figure: "search of 18,000 tools, p99", measured: large.searchMs.p99, unit: "ms", limit: { most: 20 } },
  ];
}

function printText(): void {
  for (const figure of FIGURES) console.log(`${figure}\n${figureTable(figure)}\n`);
  console.log(`Tokens (o200k) of an answer of five lines, signature and first sentence\n${costTable()}\n`);
  if (speeds.length > 0) console.log(`Time and memory\n${speedTable()}\n`);
  console.log(barTable(bars));
}

function figureTable(figure: Figure): string {
  const { kinds } = scoresOf("mcp-gateway");
  const lines = quality.map(({ name, scores }) => [
    `  ${name}`,
    ...kinds.map((kind) => scores.of(kind)[figure].toFixed(2)),
    scores.mean()[figure].toFixed(3),
  ]);
  return columns(["", ...kinds, "mean"], lines);
}

function costTable(): string {
  const byKind = [...Map.groupBy(costs, ({ kind }) => kind)].sort(([a], [b]) => (a < b ? -1 : 1));
  const lineOf = (name: string, some: typeof costs) => {
    const tokens = some.map((cost) => cost.tokens);
    const mean = tokens.reduce((sum, each) => sum + each, 0) / tokens.length;
    return [`  ${name}`, String(median(tokens)), mean.toFixed(0), String(Math.max(...tokens))];
  };
  return columns(
    ["", "median", "mean", "most"],
    [...byKind.map(([kind, some]) => lineOf(kind, some)), lineOf("all", costs)],
  );
}

function speedTable(): string {
  const lines = speeds.map((speed) => [
    `  ${speed.tools.toLocaleString("en-US")} tools of ${speed.servers}`,
    speed.searchMs.p50.toFixed(2),
    speed.searchMs.p99.toFixed(2),
    speed.buildMs.toFixed(0),
    speed.updateMs.toFixed(2),
    speed.memoryMb.toFixed(1),
  ]);
  return columns(["", "search p50 ms", "p99 ms", "build ms", "one server changed ms", "MB"], lines);
}

function printJson(): void {
  const rows = quality.map(({ name, scores }) => ({
    name,
    mean: scores.mean(),
    kinds: Object.fromEntries(scores.kinds.map((kind) => [kind, scores.of(kind)])),
  }));
  console.log(
    JSON.stringify(
      { quality: rows, medianTokens: median(costs.map(({ tokens }) => tokens)), speeds },
      null,
      2,
    ),
  );
}
