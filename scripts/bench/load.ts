// Measures the gateway under load: all programs up at once, block after block in rotating order, round after round.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { describeLoad, loadBars, type Memory } from "./load-report.ts";
import { describeMachine } from "./machine.ts";
import { measure } from "./measure.ts";
import { REST_MS, settledRssMb } from "./memory.ts";
import { gatewayCommand, toCount } from "./options.ts";
import { Results } from "./results.ts";
import { Subjects } from "./subjects.ts";
import { barTable, isMet } from "./table.ts";
import { isPeer, type SubjectName, WORKLOADS, type Workload } from "./workloads.ts";

interface Options {
  readonly rounds: number;
  readonly blockMs: number;
  readonly restMs: number;
  readonly only?: string;
  readonly peers: boolean;
  readonly gateway?: string;
  readonly json?: boolean;
}

/**
 * Before the first round each program runs each of its workloads so often: what is compiled late is compiled then. Code
 * that serves several of them is compiled anew for each that it meets.
 */
const WARM_UP_BLOCKS = 4;

const options = new Command("load")
  .description("Measures the built gateway under load, beside a floor and its peers.")
  .option("--rounds <count>", "how often everything is measured; figures are medians", toCount, 7)
  .option("--block-ms <ms>", "how long one program is measured at a time", toCount, 500)
  .option("--only <text>", "only the workloads whose names contain this")
  .option("--no-peers", "leave the npm peers out")
  .option("--rest-ms <ms>", "memory at rest has stood still for so long", toCount, REST_MS)
  .option("--gateway <command>", "another gateway than the one in dist/")
  .option("--json", "print every measurement as JSON instead of tables")
  .parse()
  .opts<Options>();

const workloads = WORKLOADS.filter(
  ({ name }) => options.only === undefined || name.includes(options.only),
).map(withoutPeers);
const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
process.exitCode = await run();

async function run(): Promise<number> {
  const wanted = new Set<SubjectName>(workloads.flatMap(({ subjects }) => subjects));
  await using subjects = await Subjects.start(gatewayCommand(options.gateway), wanted, folder);
  const gateway = subjects.program("gateway");
  const idleMb = gateway === undefined ? Number.NaN : await settledRssMb(gateway);
  const results = new Results();
  for (let round = -WARM_UP_BLOCKS; round < options.rounds; round++) {
    process.stderr.write(round < 0 ? "warming up ...\n" : `round ${round + 1} of ${options.rounds} ...\n`);
    for (const workload of workloads) await playRound(workload, subjects, results, round);
  }
  const loadedMb = gateway === undefined ? Number.NaN : await settledRssMb(gateway, options.restMs);
  const memory = { idleMb, loadedMb };
  report(results, memory, subjects.missing);
  return results.failures.some(({ subject }) => subject === "gateway") ? 1 : 0;
}

/** Each subject once; who comes first changes from round to round. The warm-up's figures are not kept. */
async function playRound(
  workload: Workload,
  subjects: Subjects,
  results: Results,
  round: number,
): Promise<void> {
  const { name, subjects: names } = workload;
  const first = Math.max(0, round) % names.length;
  for (const subject of [...names.slice(first), ...names.slice(0, first)]) {
    const program = subjects.program(subject);
    if (program === undefined || results.hasFailed(name, subject)) continue;
    try {
      const measurement = await measure(program, subject, workload, options.blockMs);
      if (round >= 0) results.add(name, subject, measurement);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      results.failures.push({ workload: name, subject, reason });
    }
  }
}

function withoutPeers(workload: Workload): Workload {
  if (options.peers) return workload;
  return { ...workload, subjects: workload.subjects.filter((name) => !isPeer(name)) };
}

function report(results: Results, memory: Memory, missing: readonly string[]): void {
  const bars = loadBars(results, memory);
  const machine = describeMachine();
  if (options.json) {
    const told = bars.map((bar) => ({ ...bar, isMet: isMet(bar) }));
    console.log(
      JSON.stringify({ machine, rounds: options.rounds, ...results.toJSON(), memory, missing, bars: told }),
    );
    return;
  }
  console.log(`${machine}; medians of ${options.rounds} rounds\n\n${describeLoad(results)}`);
  for (const reason of missing) console.log(`\nnot measured: ${reason}`);
  console.log(`\n${barTable(bars)}`);
}
