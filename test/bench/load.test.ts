// The whole harness once, as short as it goes: every workload is played and every answer is right. Says nothing of speed.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { isPeer, WORKLOADS } from "../../scripts/bench/workloads.ts";
import { descendants, isRunning } from "../support/process-table.ts";
import { waitFor } from "../support/wait-for.ts";

const ROOT = join(import.meta.dir, "..", "..");
const GATEWAY = `${process.execPath} --no-env-file ${join(ROOT, "src/main.ts")}`;

async function run(script: string, ...args: string[]) {
  const command = [process.execPath, "--no-env-file", join(ROOT, "scripts/bench", script), "--json", ...args];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

test("load measures every workload, with right answers only", async () => {
  const { exitCode, stdout, stderr } = await run(
    "load.ts",
    ...["--gateway", GATEWAY, "--no-peers", "--rounds", "1", "--block-ms", "10", "--rest-ms", "1000"],
  );
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  const { workloads, failures, bars } = JSON.parse(stdout);
  expect(failures).toEqual([]);
  for (const { name, subjects } of WORKLOADS) {
    for (const subject of subjects.filter((one) => !isPeer(one))) {
      const [round] = workloads[name][subject];
      expect(round.requests).toBeGreaterThan(0);
      expect(round.p50).toBeGreaterThan(0);
      expect(round.p99).toBeGreaterThanOrEqual(round.p50);
    }
  }
  expect(bars.length).toBeGreaterThan(10);
}, 120_000);

test("load fails where the gateway gives no right answer", async () => {
  const stranger = `${process.execPath} -e console.log(JSON.stringify({message:"listening",url:"http://127.0.0.1:9/mcp"}));setInterval(()=>{},1e3)`;
  const { exitCode, stdout } = await run(
    "load.ts",
    ...[
      "--gateway",
      stranger,
      "--no-peers",
      "--rounds",
      "1",
      "--block-ms",
      "10",
      "--rest-ms",
      "1000",
      "--only",
      "meta echo C=1",
    ],
  );
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout).failures).toContainEqual(
    expect.objectContaining({ workload: "meta echo C=1", subject: "gateway" }),
  );
}, 60_000);

test("load leaves nothing behind when it is ended", async () => {
  const command = [process.execPath, "--no-env-file", join(ROOT, "scripts/bench/load.ts")];
  const child = Bun.spawn([...command, "--gateway", GATEWAY, "--no-peers"], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  const started = await waitFor(() => {
    const below = descendants(child.pid);
    return below.some(({ command: words }) => words.includes("main.ts serve")) && below;
  });
  child.kill("SIGTERM");
  await child.exited;
  await waitFor(() => !started.some(({ pid }) => isRunning(pid)), { what: "the end of all programs" });
}, 60_000);

test("start measures every figure", async () => {
  const { exitCode, stdout, stderr } = await run(
    "start.ts",
    ...[
      "--gateway",
      GATEWAY,
      "--runs",
      "1",
      "--backends",
      "2",
      "--tools",
      "2",
      "--calls",
      "400",
      "--block-ms",
      "5",
      "--rest-ms",
      "1000",
    ],
  );
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  const figures = JSON.parse(stdout);
  for (const figure of ["versionMs", "healthMs", "firstSearchMs", "knownSearchMs"]) {
    expect(figures[figure]).toBeGreaterThan(0);
  }
  expect(figures.samplesMb).toHaveLength(20);
}, 120_000);
