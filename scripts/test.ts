// Runs lint, types, build and tests, each even if one before it failed; ends with `N passed, N failed`.
// A step that fails counts as one failure, and so does a run in which no test ran.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

const root = join(import.meta.dir, "..");
const bun = process.execPath;
// Whatever a step starts as `bun` shall be this Bun.
const env = { ...process.env, PATH: [dirname(bun), process.env.PATH].join(delimiter) };

const steps = [
  { name: "lint", command: [bun, "node_modules/.bin/biome", "check", "--error-on-warnings", "."] },
  { name: "types", command: [bun, "node_modules/.bin/tsc", "--noEmit"] },
  { name: "build", command: [bun, "scripts/build.ts", "host"] },
];

let failed = 0;
for (const { name, command } of steps) {
  console.log(`== ${name}`);
  const step = Bun.spawn(command, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
  if ((await step.exited) === 0) continue;
  console.log(`== ${name} failed`);
  failed += 1;
}

console.log("== tests");
const tests = await runTests(process.argv.slice(2));
failed += tests.failed;
console.log(`${tests.passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function runTests(args: string[]): Promise<{ passed: number; failed: number }> {
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-test-"));
  const report = join(folder, "report.xml");
  try {
    // A timeout set in a preload holds for the first file only.
    const command = [
      bun,
      "test",
      "--timeout=30000",
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      ...args,
    ];
    const run = Bun.spawn(command, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
    const exitCode = await run.exited;
    const totals = existsSync(report)
      ? readFileSync(report, "utf8").match(/<testsuites [^>]*>/)?.[0]
      : undefined;
    const count = (what: string) => Number(totals?.match(new RegExp(` ${what}="(\\d+)"`))?.[1] ?? 0);
    const failed = count("failures");
    const passed = count("tests") - failed - count("skipped");
    if (passed + failed === 0) console.log("No test ran.");
    // A file that fails to load shows in the exit code, not in the report.
    const isClean = exitCode === 0 && passed > 0;
    return { passed, failed: isClean ? failed : Math.max(failed, 1) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
