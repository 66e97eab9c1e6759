// The Homebrew formula: its URLs and sums are those of the build, Ruby takes it, and with a stand-in for Homebrew it
// installs and passes its own test.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import packageJson from "../../package.json" with { type: "json" };
import { formula } from "../../scripts/packaging/formula.ts";
import { binaryName, hostTarget, TARGETS, type Target } from "../../scripts/targets.ts";
import { findBinary } from "../support/binary.ts";
import { verify } from "./verifier.ts";

const URL = "https://github.com/someone/mcp-gateway";
const { version } = packageJson;
const host = hostTarget();
const folder = mkdtempSync(join(tmpdir(), "formula-"));
const path = join(folder, "mcp-gateway.rb");
const sumOf = (target: Target) => new Bun.CryptoHasher("sha256").update(target).digest("hex");
const sums = TARGETS.map((target) => `${sumOf(target)}  ${binaryName(target)}\n`).join("");
const text = formula({ version, url: URL, sums });

const MACHINES = [
  ["macos", "arm", "macos-arm64"],
  ["macos", "intel", "macos-x64"],
  ["linux", "arm", "linux-arm64"],
  ["linux", "intel", "linux-x64"],
] as const;

beforeAll(() => writeFileSync(path, text));
afterAll(() => rmSync(folder, { recursive: true }));

test("names for each machine the file of the release, with its checksum", () => {
  const sources = [...text.matchAll(/url "(.*)"\n\s+sha256 "(.*)"/g)].map(([, url, sum]) => [url, sum]);
  expect(sources).toEqual(
    MACHINES.map(([, , target]) => [
      `${URL}/releases/download/v${version}/${binaryName(target)}`,
      sumOf(target),
    ]),
  );
});

test("is not written for a build that lacks one", () => {
  const without = sums.replace(/^.*macos-x64\n/m, "");
  expect(() => formula({ version, url: URL, sums: without })).toThrow(
    "SHA256SUMS has no mcp-gateway-macos-x64",
  );
});

test("is Ruby", async () => {
  const checked = await verify(["ruby", "-wc", path]);
  expect(checked?.output ?? "Syntax OK\n").toBe("Syntax OK\n");
});

describe("with a stand-in for Homebrew", () => {
  /** What the formula says on a machine, or undefined where there is no Ruby. */
  async function evaluate(system: string, processor: string, binaries = "") {
    const checked = await verify([
      "ruby",
      join(import.meta.dir, "homebrew.rb"),
      path,
      system,
      processor,
      binaries,
    ]);
    if (checked === undefined) return;
    if (checked.exitCode !== 0) throw new Error(checked.output);
    return JSON.parse(checked.stdout);
  }

  test.each(MACHINES)("%s on %s downloads %s", async (system, processor, target) => {
    const facts = await evaluate(system, processor);
    const expected = {
      version,
      sha256: sumOf(target),
      url: expect.stringContaining(`/${binaryName(target)}`),
    };
    expect(facts ?? { ...expected, url: binaryName(target) }).toMatchObject(
      facts === undefined ? { version } : expected,
    );
  });

  test("it installs this machine's binary once and for all, passes its test, and runs as a service", async () => {
    const stage = join(folder, "stage");
    mkdirSync(stage);
    const binary = await findBinary();
    try {
      linkSync(binary, join(stage, binaryName(host)));
    } catch {
      copyFileSync(binary, join(stage, binaryName(host)));
    }
    const facts = await evaluate("linux", "intel", stage);
    if (facts === undefined) return;
    expect(facts.tested).toBe(true);
    expect(parse(facts.config)).toEqual({ backends: {} });
    expect(facts.service).toEqual({
      run: ["PREFIX/bin/mcp-gateway", "--config", "PREFIX/etc/mcp-gateway/servers.yaml"],
      keep_alive: true,
      environment_variables: { PATH: "PREFIX/bin:/usr/bin:/bin" },
      log_path: "PREFIX/var/log/mcp-gateway.log",
      error_log_path: "PREFIX/var/log/mcp-gateway.log",
    });
    expect(facts.caveats).toContain("PREFIX/etc/mcp-gateway/servers.yaml");
  });
});
