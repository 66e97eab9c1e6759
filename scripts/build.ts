// Builds the self-contained binaries into dist/, with their SHA256SUMS. Any machine can build all of them.

import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BytecodeOrder } from "./bytecode-order.ts";
import { signAdHoc } from "./mach-o.ts";
import type { Target } from "./targets.ts";
import { binaryName, bunTarget, hostTarget, isTarget, TARGETS } from "./targets.ts";

const root = join(import.meta.dir, "..");
const dist = join(root, "dist");

/** So many times more often than usual must code run while the gateway starts, until it is compiled. */
const START_JIT_POLICY = 50;

const targets = readTargets(process.argv.slice(2));
const commit = readCommit();
mkdirSync(dist, { recursive: true });
using order = await recordOrder();
for (const target of targets) await release(target);
await writeChecksums();

function readTargets(names: string[]): Target[] {
  const wanted = names.map((name) => (name === "host" ? hostTarget() : name));
  const unknown = wanted.filter((name) => !isTarget(name));
  if (unknown.length > 0) {
    console.error(
      `No target "${unknown.join('", "')}". There are: host, ${TARGETS.join(", ")}; none means all.`,
    );
    process.exit(2);
  }
  return wanted.length > 0 ? wanted.filter(isTarget) : TARGETS;
}

function readCommit(): string {
  const git = Bun.which("git");
  if (git === null) return "unknown";
  const { success, stdout } = Bun.spawnSync([git, "rev-parse", "--short=9", "HEAD"], { cwd: root });
  return success ? stdout.toString().trim() : "unknown";
}

/** On Windows a program cannot be asked to end, and what it has recorded is lost: there the order stays as it is. */
async function recordOrder(): Promise<BytecodeOrder | undefined> {
  if (process.platform === "win32") return undefined;
  const unordered = join(dist, `unordered-${process.pid}`);
  try {
    await build(hostTarget(), unordered, []);
    return await BytecodeOrder.record(unordered);
  } finally {
    rmSync(unordered, { force: true });
  }
}

async function release(target: Target): Promise<void> {
  const startedAt = performance.now();
  const outfile = join(dist, binaryName(target));
  rmSync(outfile, { force: true }); // a failed build leaves no stale binary behind
  await build(target, outfile, order?.files ?? []);
  const megabytes = (statSync(outfile).size / 1e6).toFixed(1);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${binaryName(target).padEnd(32)} ${megabytes.padStart(6)} MB  ${seconds.padStart(5)} s`);
}

async function build(target: Target, outfile: string, bytecodeOrder: string[]): Promise<void> {
  await Bun.build({
    entrypoints: [join(root, "src/main.ts")],
    compile: {
      target: bunTarget(target),
      outfile,
      // The caller's .env and bunfig.toml are not written for us.
      autoloadDotenv: false,
      autoloadBunfig: false,
      jitPolicy: START_JIT_POLICY,
      bytecodeOrder,
    },
    format: "esm",
    bytecode: true,
    minify: { whitespace: true, syntax: true, identifiers: true, keepNames: true }, // names for stack traces
    sourcemap: "none",
    define: { BUILD_COMMIT: JSON.stringify(commit), BUILD_TARGET: JSON.stringify(target) },
  });
  // Bun signs for arm64 only: on x64 the signature of its own runtime stays, and no longer fits the file.
  if (target === "macos-x64") writeFileSync(outfile, signAdHoc(readFileSync(outfile), "mcp-gateway"));
}

/** Covers every binary in dist/, those of earlier runs too; `sha256sum -c SHA256SUMS` checks them. */
async function writeChecksums(): Promise<void> {
  const lines: string[] = [];
  for (const name of readdirSync(dist).toSorted()) {
    if (!name.startsWith("mcp-gateway-")) continue;
    const hasher = new Bun.CryptoHasher("sha256");
    for await (const chunk of Bun.file(join(dist, name)).stream()) hasher.update(chunk);
    lines.push(`${hasher.digest("hex")}  ${name}\n`);
  }
  await Bun.write(join(dist, "SHA256SUMS"), lines.join(""));
}
