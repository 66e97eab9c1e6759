// Measures how fast the gateway starts, what memory it takes at rest, under load and over very many calls, and how fast it
// says how it is while backends hang.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { type Question, timeToAnswer, timeToEnd } from "./cold-start.ts";
import { healthWhileHanging } from "./health.ts";
import { referenceCommand } from "./installed.ts";
import { describeMachine } from "./machine.ts";
import { resultText, searchRequest } from "./mcp-client.ts";
import { measure } from "./measure.ts";
import { growthMb, REST_MS, rssOverCalls, sessionKb, settledRssMb } from "./memory.ts";
import { gatewayCommand, toCount } from "./options.ts";
import { type Latencies, median } from "./statistics.ts";
import { Subjects, startGateway } from "./subjects.ts";
import { type Bar, barTable, digits, isMet } from "./table.ts";
import { WORKLOADS } from "./workloads.ts";

interface Options {
  readonly runs: number;
  readonly backends: number;
  readonly tools: number;
  readonly calls: number;
  readonly healths: number;
  readonly blockMs: number;
  readonly restMs: number;
  readonly gateway?: string;
  readonly json?: boolean;
}

interface Figures {
  readonly versionMs: number;
  readonly healthMs: number;
  /** Every backend is started and asked for its tools first. */
  readonly firstSearchMs: number;
  /** A gateway before this one has left its catalogue behind. */
  readonly knownSearchMs: number;
  readonly idleMb: number;
  readonly loadedMb: number;
  readonly sessionKb: number;
  readonly samplesMb: readonly number[];
  readonly hangingHealthMs: Latencies;
}

const HEALTH: Question = {
  request: (port) => `GET /health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`,
  check: ({ status, text }) => {
    if (status !== 200) throw new Error(`/health was answered with ${status}: ${text}`);
  },
};
const SEARCH: Question = {
  request: (port) => searchRequest({ port, path: "/mcp" }, 1, "read a record of the archive"),
  check: (reply) => {
    const text = resultText(reply, 1);
    if (!text.includes("read_record_")) throw new Error(`the search found no record: ${text}`);
  },
};

const options = new Command("start")
  .description("Measures how fast the built gateway starts, and what memory it takes.")
  .option("--runs <count>", "how often each start is measured; figures are medians", toCount, 15)
  .option("--backends <count>", "sleeping stdio backends that a search has to know", toCount, 20)
  .option("--tools <count>", "tools of each of them", toCount, 20)
  .option("--calls <count>", "calls in one session, over which memory must stay flat", toCount, 200_000)
  .option("--healths <count>", "requests to /health while backends hang", toCount, 4_000)
  .option("--block-ms <ms>", "how long each workload runs before memory under load is read", toCount, 300)
  .option("--rest-ms <ms>", "memory at rest has stood still for so long", toCount, REST_MS)
  .option("--gateway <command>", "another gateway than the one in dist/")
  .option("--json", "print the figures as JSON instead of a table")
  .parse()
  .opts<Options>();

const gateway = gatewayCommand(options.gateway);
const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
report({
  ...(await measureStarts()),
  ...(await measureMemory()),
  hangingHealthMs: await healthWhileHanging(gateway, join(folder, "hanging"), options.healths),
});

async function measureStarts(): Promise<
  Pick<Figures, "versionMs" | "healthMs" | "firstSearchMs" | "knownSearchMs">
> {
  const [command, ...args] = referenceCommand();
  const backend = { command, args: [...args, "stdio", "legacy", String(options.tools)] };
  const names = Array.from({ length: options.backends }, (_, index) => `archive-${index + 1}`);
  const config = { backends: Object.fromEntries(names.map((name) => [name, backend])) };
  const known = join(folder, "known");
  await timeToAnswer(gateway, config, known, SEARCH); // Leaves the catalogue that the later runs know.
  const versions: number[] = [];
  const healths: number[] = [];
  const firstSearches: number[] = [];
  const knownSearches: number[] = [];
  for (let run = 0; run < options.runs; run++) {
    versions.push(await timeToEnd([...gateway, "--version"]));
    healths.push(await timeToAnswer(gateway, config, known, HEALTH));
    knownSearches.push(await timeToAnswer(gateway, config, known, SEARCH));
    firstSearches.push(await timeToAnswer(gateway, config, join(folder, `run-${run}`), SEARCH));
  }
  return {
    versionMs: median(versions),
    healthMs: median(healths),
    firstSearchMs: median(firstSearches),
    knownSearchMs: median(knownSearches),
  };
}

async function measureMemory(): Promise<Pick<Figures, "idleMb" | "loadedMb" | "sessionKb" | "samplesMb">> {
  await using subjects = await Subjects.start(gateway, new Set(["gateway"]), join(folder, "load"));
  const program = subjects.program("gateway");
  if (program === undefined) throw new Error("a bug in the harness: the gateway was started");
  const idleMb = await settledRssMb(program);
  for (const workload of WORKLOADS.filter((one) => one.subjects.includes("gateway"))) {
    await measure(program, "gateway", workload, options.blockMs);
  }
  const loadedMb = await settledRssMb(program, options.restMs);
  const samplesMb = await rssOverCalls(program, "/mcp/stdio-legacy", options.calls);
  const [command, ...args] = referenceCommand();
  const alone = { backends: { stdio: { command, args: [...args, "stdio", "legacy"] } } };
  await using fresh = await startGateway(gateway, alone, join(folder, "sessions"));
  return { idleMb, loadedMb, samplesMb, sessionKb: await sessionKb(fresh, "/mcp/stdio", options.restMs) };
}

function report(figures: Figures): void {
  const bars = startBars(figures);
  const machine = describeMachine();
  if (options.json) {
    console.log(
      JSON.stringify({ machine, ...figures, bars: bars.map((bar) => ({ ...bar, isMet: isMet(bar) })) }),
    );
    return;
  }
  console.log(`${machine}; medians of ${options.runs} starts\n`);
  console.log(`exec to the first /health answer: ${digits(figures.healthMs)} ms`);
  console.log(`exec to the first search answered, nothing known: ${digits(figures.firstSearchMs)} ms`);
  console.log(`memory through the calls, MB: ${figures.samplesMb.map(digits).join(" ")}`);
  console.log(`\n${barTable(bars)}`);
}

function startBars(figures: Figures): Bar[] {
  const bar = (figure: string, measured: number, most: number, unit: string): Bar => ({
    figure,
    measured,
    unit,
    limit: { most },
  });
  return [
    bar("exec to --version", figures.versionMs, 30, "ms"),
    bar(`exec to first search, ${options.backends} known backends`, figures.knownSearchMs, 100, "ms"),
    bar("memory idle", figures.idleMb, 50, "MB"),
    bar("memory after the whole load", figures.loadedMb, 90, "MB"),
    bar(`growth in the second half of ${options.calls} calls`, growthMb(figures.samplesMb), 4, "MB"),
    bar("p99 of /health while 10 backends hang", figures.hangingHealthMs.p99, 10, "ms"),
    bar("memory of a session", figures.sessionKb, 5, "KB"),
  ];
}
