// A short chaos run and a short soak, so that both are known to work when they are run at full size.

import { expect, test } from "bun:test";
import { join } from "node:path";

async function run(script: string, ...args: string[]): Promise<{ report: unknown; exitCode: number }> {
  const path = join(import.meta.dir, "../../scripts", script);
  const child = Bun.spawn([process.execPath, path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const [output, exitCode] = await Promise.all([child.stdout.text(), child.exited]);
  return { report: JSON.parse(output), exitCode };
}

test("children that crash, babble and hang cost no answer, and leave nothing behind", async () => {
  const { report, exitCode } = await run("chaos.ts", "--faults", "80", "--kills", "0", "--clients", "10");
  expect(report).toMatchObject({ lost: 0, wrong: 0, cut: 0, violations: [] });
  expect(exitCode).toBe(0);
}, 120_000);

test("a soak makes every call, and watches what the gateway holds", async () => {
  const { report } = await run(
    "soak.ts",
    "--calls",
    "500",
    "--backends",
    "8",
    "--sessions",
    "10",
    "--rest-ms",
    "200",
  );
  // Of growth a run this short says nothing.
  expect(report).toMatchObject({ calls: 500, samples: expect.any(Array) });
  expect(JSON.stringify(report)).not.toContain("calls failed");
  expect(JSON.stringify(report)).not.toContain("left behind");
}, 120_000);
