// A short chaos run: that it is clean says a little, that it works says that it will when it is run at full size.
// It ends by its own clock, so a slow machine sees fewer faults and not a longer run.

import { expect, test } from "bun:test";
import { join } from "node:path";

const CHAOS = join(import.meta.dir, "../../scripts/chaos.ts");

test("children that crash, babble and hang, and a gateway that is killed, cost no answer and leave nothing behind", async () => {
  const sizes = ["--faults", "40", "--kills", "2", "--clients", "8", "--seconds", "10"];
  const child = Bun.spawn([process.execPath, CHAOS, ...sizes], { stdio: ["ignore", "pipe", "inherit"] });
  const [output, exitCode] = await Promise.all([child.stdout.text(), child.exited]);
  expect(JSON.parse(output)).toMatchObject({ clients: 8, lost: 0, wrong: 0, violations: [] });
  expect(exitCode).toBe(0);
}, 240_000);
