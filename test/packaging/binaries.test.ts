// The binaries in dist/: each is of the format, for the processor and of the libc that its name says. This machine's is
// always there; the others are where `scripts/build` was run, as the CI does.

import { expect, test } from "bun:test";
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { binaryName, hostTarget, TARGETS, type Target } from "../../scripts/targets.ts";
import { findBinary } from "../support/binary.ts";

const dist = dirname(await findBinary());

/** What the head of a program says it is: `linux-x64-musl` and so on. */
function targetOf(path: string): string {
  const head = Buffer.alloc(4096);
  const file = openSync(path, "r");
  readSync(file, head);
  closeSync(file);
  if (head.toString("latin1", 0, 4) === "\x7fELF") {
    const processor = { 62: "x64", 183: "arm64" }[head.readUInt16LE(18)];
    return `linux-${processor}${head.includes("/ld-musl-") ? "-musl" : ""}`;
  }
  if (head.readUInt32LE(0) === 0xfeedfacf) {
    return `macos-${{ 16777223: "x64", 16777228: "arm64" }[head.readUInt32LE(4)]}`;
  }
  if (head.toString("latin1", 0, 2) === "MZ") {
    const header = head.readUInt32LE(0x3c);
    expect(head.toString("latin1", header, header + 4)).toBe("PE\0\0");
    return `windows-${{ 34404: "x64", 43620: "arm64" }[head.readUInt16LE(header + 4)]}`;
  }
  return "nothing known";
}

test.each(TARGETS)("%s", (target) => {
  const path = join(dist, binaryName(target));
  if (!existsSync(path)) {
    console.warn(`NOT CHECKED HERE: ${binaryName(target)} (scripts/build ${target} makes it)`);
    expect(target).not.toBe(hostTarget());
    return;
  }
  expect(targetOf(path)).toBe(target);
  const megabytes = statSync(path).size / 1e6;
  console.log(`${binaryName(target)}: ${megabytes.toFixed(1)} MB`);
  expect(megabytes).toBeWithin(50, 200);
});

const runnable: Target[] = [hostTarget()];
const musl: Target = process.arch === "arm64" ? "linux-arm64-musl" : "linux-x64-musl";
if (process.platform === "linux" && !runnable.includes(musl)) runnable.push(musl);

test.each(runnable)("%s runs here", (target) => {
  const { stdout, exitCode } = run(join(dist, binaryName(target)));
  if (exitCode !== 0 && target !== hostTarget()) {
    console.warn(
      `NOT CHECKED HERE: that ${binaryName(target)} runs (no musl with a C++ library, or no such binary)`,
    );
    return;
  }
  expect(stdout).toMatch(new RegExp(`^mcp-gateway ${packageJson.version} \\(commit \\w+, ${target}\\)\n$`));
});

function run(path: string): { stdout: string; exitCode: number } {
  try {
    const { stdout, exitCode } = Bun.spawnSync([path, "--version"]);
    return { stdout: stdout.toString(), exitCode };
  } catch {
    return { stdout: "", exitCode: 127 };
  }
}
