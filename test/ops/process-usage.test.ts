// What processes take, measured on real ones that take it; by /proc and by ps, which have to agree.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { measure, residentNow } from "../../src/ops/process-usage.ts";
import { startOf } from "../../src/transport/process-identity.ts";
import { groupMembers } from "../support/process-table.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(30_000);

const started: Bun.Subprocess[] = [];
/** The systems whose way works here. */
const PLATFORMS: readonly NodeJS.Platform[] = process.platform === "linux" ? ["linux", "darwin"] : ["darwin"];
const BALLAST = 150e6;
/** Takes memory and processor time, and then sleeps. */
const PROGRAM = `const ballast = Buffer.alloc(${BALLAST}, 1);
const used = () => { const { user, system } = process.cpuUsage(); return user + system; };
while (used() < 700_000) for (let turn = 0; turn < 1e6; turn++);
console.log("ready"); setInterval(() => ballast.length, 60_000);`;

afterEach(() => {
  for (const { pid } of started.splice(0)) process.kill(-pid, "SIGKILL");
});

async function startFamily(): Promise<number> {
  const words = ["/bin/sh", "-c", '"$0" -e "$1" & wait', process.execPath, PROGRAM];
  const child = Bun.spawn(words, { detached: true, stdout: "pipe" });
  started.push(child);
  const { value } = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("ready\n");
  return child.pid;
}

test.each([...PLATFORMS])("memory and processor time of a whole family, as %s tells it", async (platform) => {
  const root = await startFamily();
  const usage = (await measure([root], platform)).get(root);
  expect(usage?.processes).toBe(2);
  expect(usage?.memoryBytes).toBeGreaterThan(BALLAST);
  expect(usage?.memoryBytes).toBeLessThan(BALLAST + 200e6);
  expect(usage?.cpuSeconds).toBeGreaterThanOrEqual(platform === "linux" ? 0.5 : 0);
  expect(usage?.cpuSeconds).toBeLessThan(20);
});

test("at once, the memory of a process and its children", async () => {
  const root = await startFamily();
  const bytes = residentNow(root);
  if (process.platform !== "linux") return expect(bytes).toBeUndefined();
  expect(bytes).toBeGreaterThan(BALLAST);
  expect(residentNow(4_194_303)).toBeUndefined();
});

test("of what is not there, nothing; and nothing is looked at where nobody is asked for", async () => {
  expect(await measure([4_194_303])).toEqual(new Map());
  expect(await measure([])).toEqual(new Map());
  expect(await measure([process.pid], "win32")).toEqual(new Map());
});

test.each([...PLATFORMS])(
  "a start time, as %s tells it, is the same each time and another's for another",
  async (platform) => {
    const child = Bun.spawn(["/bin/sh", "-c", "sleep 600 & wait"], { detached: true });
    started.push(child);
    await waitFor(() => groupMembers(child.pid).length === 2);
    const start = startOf(child.pid, platform);
    expect(start).toMatch(/\d/);
    expect(startOf(child.pid, platform)).toBe(start ?? "");
    expect(startOf(process.pid, platform)).not.toBe(start);
    expect(startOf(4_194_303, platform)).toBeUndefined();
  },
);
