// What is started only to be listed: few at a time, and not for longer than that takes. Real processes.

import { expect, setDefaultTimeout, test } from "bun:test";
import { Backend } from "../../src/backend/backend.ts";
import { StartTurns } from "../../src/backend/start-turns.ts";
import type { StateName } from "../../src/backend/state.ts";
import { silentLog } from "../../src/log.ts";
import { fixture } from "../support/fixture.ts";
import { isRunning } from "../support/process-table.ts";
import { waitFor } from "../support/wait-for.ts";
import { callTool, configOf, type Entry, makeBackend, program } from "./rig.ts";

setDefaultTimeout(30_000);

const LIST = "tools/list";
const never = new AbortController().signal;
const healthy = program(fixture("healthy"));
const HOLDING: readonly StateName[] = ["starting", "ready", "draining"];

test("as many are started at a time as may be, and each sleeps when it is listed", async () => {
  const states = new Map<string, StateName>();
  let most = 0;
  const observe = {
    stateChanged: (name: string, state: StateName) => {
      states.set(name, state);
      most = Math.max(most, [...states.values()].filter((one) => HOLDING.includes(one)).length);
    },
    started: () => undefined,
    inFlightChanged: () => undefined,
    callFinished: () => undefined,
    answeredFromCatalog: () => undefined,
  };
  const options = {
    identity: { name: "mcp-gateway", version: "test" },
    log: silentLog,
    startTurns: new StartTurns(() => 2),
    observe,
  };
  await using stack = new AsyncDisposableStack();
  const backends = ["a", "b", "c", "d", "e"].map((name) =>
    stack.use(new Backend(configOf(name, healthy), options)),
  );
  const lists = await Promise.all(backends.map((backend) => backend.glance(LIST, never)));
  expect(lists.every((tools) => tools.length > 0)).toBe(true);
  await waitFor(() => [...states.values()].every((state) => state === "asleep"), { what: "all to sleep" });
  expect(most).toBe(2);
});

test("a call that comes meanwhile keeps it awake", async () => {
  await using backend = makeBackend(healthy);
  const [tools, pid] = await Promise.all([backend.glance(LIST, never), callTool(backend, "pid")]);
  expect(tools.length).toBeGreaterThan(0);
  await backend.whenCompared();
  expect(isRunning(Number(pid))).toBe(true);
  expect(await callTool(backend, "pid")).toBe(pid);
});

test.each<[string, Entry]>([
  ["is kept alive", { keep_alive: true }],
  ["never sleeps", { idle_timeout: 0 }],
])("what %s stays awake", async (_, more) => {
  await using backend = makeBackend({ ...healthy, ...more });
  await backend.glance(LIST, never);
  await backend.whenCompared();
  expect(backend.status().state).toBe("ready");
});

test("two lists of one server start one process, which sleeps after the second", async () => {
  await using backend = makeBackend(healthy);
  await Promise.all([backend.glance(LIST, never), backend.glance("prompts/list", never)]);
  await waitFor(() => backend.status().state === "asleep");
  expect(backend.status().starts).toBe(1);
});

test("goes on when nobody waits any more", async () => {
  const slow = ["sh", "-c", `sleep 0.5; exec ${fixture("healthy").join(" ")}`];
  await using backend = makeBackend(program(slow));
  await expect(backend.glance(LIST, AbortSignal.timeout(50))).rejects.toMatchObject({
    kind: "call-cancelled",
  });
  await waitFor(() => (backend.catalog.list(LIST)?.length ?? 0) > 0, { what: "the list" });
  await waitFor(() => backend.status().state === "asleep");
});

test("why it cannot be started is told to all who wait, and asked anew next time", async () => {
  await using backend = makeBackend({ command: "no-such-program-anywhere" });
  const both = await Promise.allSettled([backend.glance(LIST, never), backend.glance(LIST, never)]);
  for (const one of both)
    expect(String(one.status === "rejected" && one.reason)).toContain("no-such-program");
  await expect(backend.glance(LIST, never)).rejects.toThrow("no-such-program");
});
