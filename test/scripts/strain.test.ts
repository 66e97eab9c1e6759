// Each kind of hostile input in a short form: no honest call is lost, memory stays bounded, and the gateway ends in time.
// How long requests waited is printed by the script and judged by people: it is the machine's as well.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { ATTACKS } from "../../scripts/strain/attacks.ts";

const script = join(import.meta.dir, "../../scripts/strain.ts");

test.each(Object.keys(ATTACKS))(
  "%s",
  async (name) => {
    const args = ["--share", "0.05", "--clients", "4", "--only", name];
    const run = Bun.spawn([process.execPath, script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    const [printed, errors, exitCode] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
    expect(errors).toBe("");
    expect(exitCode).toBe(0);
    expect(JSON.parse(printed)).toMatchObject({ attack: name, lost: 0 });
  },
  120_000,
);
