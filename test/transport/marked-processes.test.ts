// Whose a process is, told by what it has inherited. Real processes, by either way of looking at them.

import { afterEach, expect, test } from "bun:test";
import { MARK, type MarkedProcess, markedProcesses } from "../../src/transport/marked-processes.ts";
import { groupMembers } from "../support/process-table.ts";
import { waitFor } from "../support/wait-for.ts";

/** Not `sleep`, which hides its environment on macOS. */
const SLEEPER = [process.execPath, "-e", "setInterval(() => {}, 60_000)"];
const LEAVER = [process.execPath, "-e", `Bun.spawn(${JSON.stringify(SLEEPER)}).unref(); process.exit(0)`];
/** On Linux the other way works as well. */
const PLATFORMS = process.platform === "linux" ? (["linux", "darwin"] as const) : [process.platform];

const started: Bun.Subprocess[] = [];
afterEach(() => {
  for (const { pid } of started.splice(0)) process.kill(-pid, "SIGKILL");
});

function start(argv: readonly string[], env: Record<string, string>): Bun.Subprocess {
  const child = Bun.spawn([...argv], { detached: true, env });
  started.push(child);
  return child;
}

function groupsOf(found: readonly MarkedProcess[], mark: string): number[] {
  const groups = found.filter((one) => one.mark === mark).map(({ group }) => group);
  return [...new Set(groups)].sort();
}

test.each(PLATFORMS)("groups are found by the mark of their members (%s)", async (platform) => {
  const [mark, other] = [crypto.randomUUID(), crypto.randomUUID()];
  const env = { A: "a b", [MARK]: mark, Z: "z" };
  const [one, two] = [start(SLEEPER, env), start(LEAVER, env)];
  const third = start(SLEEPER, { [MARK]: other });
  start([...SLEEPER, `${MARK}=not in its environment`], {});
  await two.exited;
  await waitFor(() => groupMembers(two.pid).length === 1);
  const found = await markedProcesses(platform);
  expect(groupsOf(found, mark)).toEqual([one.pid, two.pid].sort());
  expect(groupsOf(found, other)).toEqual([third.pid]);
  expect(found.find((process) => process.mark === other)?.pid).toBe(third.pid);
});

test("Windows has none", async () => {
  expect(await markedProcesses("win32")).toEqual([]);
});
