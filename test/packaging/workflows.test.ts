// The workflows: who may do what in them, that they name what is there, and that the parts of them which are programs
// do what they are for.

import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import packageJson from "../../package.json" with { type: "json" };
import { binaryName, hostTarget, TARGETS } from "../../scripts/targets.ts";
import { findBinary } from "../support/binary.ts";
import { verify } from "./verifier.ts";

const root = join(import.meta.dir, "../..");
const folder = mkdtempSync(join(tmpdir(), "workflows-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<string, { permissions?: Record<string, string>; steps: Step[]; strategy?: { matrix: Matrix } }>
  >;
}

interface Matrix {
  readonly include: readonly Readonly<Record<string, string>>[];
}

const textOf = (name: string) => readFileSync(join(root, ".github/workflows", `${name}.yml`), "utf8");
const read = (name: string): Workflow => parse(textOf(name));
const stepsOf = ({ jobs }: Workflow) => Object.values(jobs).flatMap(({ steps }) => steps);

describe.each(["ci", "release"])("%s", (name) => {
  const workflow = read(name);

  test("takes every action by its commit, with the version beside it, and each in one version", () => {
    const lines = textOf(name)
      .split("\n")
      .filter((line) => line.includes("uses:"));
    expect(lines.length).toBe(stepsOf(workflow).filter(({ uses }) => uses !== undefined).length);
    for (const line of lines) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    const pins = new Set(lines.map((line) => line.split("uses: ")[1]));
    expect(new Set([...pins].map((pin) => pin?.split("@")[0])).size).toBe(pins.size);
  });

  test("gives a job the right to write only where it has something to write", () => {
    expect(Object.values(workflow.permissions).filter((right) => right !== "read")).toEqual([]);
    const rights = Object.entries(workflow.jobs).flatMap(([job, { permissions = {} }]) =>
      Object.entries(permissions)
        .filter(([, right]) => right === "write")
        .map(([scope]) => `${job}: ${scope}`),
    );
    const attesting = (job: string) => [`${job}: id-token`, `${job}: attestations`];
    expect(rights.toSorted()).toEqual(
      name === "ci"
        ? []
        : [
            ...["publish: contents", ...attesting("publish")],
            ...["image: packages", ...attesting("image")],
            "npm: id-token",
          ].toSorted(),
    );
  });

  test("leaves no credentials behind for its steps, and puts no expression into a script", () => {
    for (const { uses = "", run = "", with: inputs } of stepsOf(workflow)) {
      if (uses.startsWith("actions/checkout@") && inputs?.repository === undefined) {
        expect(inputs).toMatchObject({ "persist-credentials": false });
      }
      expect(run).not.toContain("${{");
    }
  });

  test("names scripts that are there", () => {
    const scripts = stepsOf(workflow).flatMap(({ run = "" }) => run.match(/scripts\/[\w./-]+/g) ?? []);
    expect(scripts.length).toBeGreaterThan(3);
    for (const script of scripts) expect([script, existsSync(join(root, script))]).toEqual([script, true]);
  });

  test("pleases actionlint", async () => {
    const checked = await verify(["actionlint", "-no-color", join(root, ".github/workflows", `${name}.yml`)]);
    expect(checked?.output ?? "").toBe("");
  });
});

describe("the release", () => {
  const { jobs } = read("release");

  test("tries every binary before anything is published", () => {
    const tried = jobs.try?.strategy?.matrix.include.map(({ binary }) => binary);
    expect(tried?.toSorted()).toEqual(TARGETS.map(binaryName).toSorted());
    const publishing = parse(textOf("release")).jobs;
    for (const job of ["publish", "image"]) expect(publishing[job].needs).toContain("try");
    for (const job of ["npm", "tap"]) expect(publishing[job].needs).toContain("publish");
  });

  /** Runs a step of the release as the workflow would, in a folder of its own. */
  async function runStep(job: string, name: string, env: Record<string, string>) {
    const script = jobs[job]?.steps.find((step) => step.name === name)?.run;
    if (script === undefined) throw new Error(`no step "${name}" in ${job}`);
    const cwd = mkdtempSync(join(folder, "step-"));
    mkdirSync(join(cwd, "release"));
    copyFileSync(await findBinary(), join(cwd, "release", binaryName(hostTarget())));
    chmodSync(join(cwd, "release", binaryName(hostTarget())), 0o644);
    const output = join(cwd, "output");
    const run = Bun.spawn(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], {
      cwd,
      env: { ...process.env, HOME: cwd, GITHUB_OUTPUT: output, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr, exitCode] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
    return { stdout, stderr, exitCode, output: existsSync(output) ? readFileSync(output, "utf8") : "" };
  }

  // Alpine's binary is tried in a container, which takes an engine.
  if (!hostTarget().endsWith("musl")) {
    test.each([
      ["its version", packageJson.version, 0],
      ["another version", "0.0.1", 1],
    ])("tries a binary: %s", async (_, VERSION, expected) => {
      const env = { BINARY: binaryName(hostTarget()), VERSION };
      const { stdout, stderr, exitCode } = await runStep("try", "Start it, ask it how it is, stop it", env);
      expect([exitCode, stderr.includes("listens on http://127.0.0.1:39499/mcp")]).toEqual([
        expected,
        expected === 0,
      ]);
      expect(stdout.includes("http://127.0.0.1:39499 is healthy")).toBe(expected === 0);
    });
  }

  test.each([
    ["2.1.3", "", ["2.1.3", "2.1", "2", "latest"]],
    ["2.1.3", "-runtimes", ["2.1.3-runtimes", "2.1-runtimes", "2-runtimes", "runtimes"]],
    ["2.2.0-rc.1", "", ["2.2.0-rc.1"]],
  ])("names the image of %s%s", async (VERSION, SUFFIX, expected) => {
    const env = { VERSION, SUFFIX, GITHUB_REPOSITORY: "Someone/MCP-Gateway" };
    const { output, stderr, exitCode } = await runStep("image", "Name the image", env);
    expect([stderr, exitCode]).toEqual(["", 0]);
    const image = "ghcr.io/someone/mcp-gateway";
    const tags = expected.map((tag) => `${image}:${tag}\n`).join("");
    expect(output).toBe(`image=${image}\ntags<<END\n${tags}END\n`);
  });
});
