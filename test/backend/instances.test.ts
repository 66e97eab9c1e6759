// scope: session. A process for each client, ended with it, and bounded in number.

import { afterEach, describe, expect, jest, test } from "bun:test";
import { fixture } from "../support/fixture.ts";
import { isRunning } from "../support/process-table.ts";
import { waitFor } from "../support/wait-for.ts";
import { caller, callTool, makeBackend, program } from "./rig.ts";

const own = { ...program(fixture("healthy")), scope: "session" };
const of = (key: string, ended?: AbortSignal) => ({
  caller: caller(key, ended === undefined ? {} : { ended }),
});
const modern = (principal: string, name: string) => ({
  caller: caller(`request-${Math.random()}`, {
    era: "modern",
    revision: "2026-07-28",
    principal,
    clientInfo: { name, version: "1" },
  }),
});

const minutes = (count: number) => count * 60_000;

afterEach(() => void jest.useRealTimers());

test("a shared backend has one process for all", async () => {
  await using backend = makeBackend(program(fixture("healthy")));
  const pids = await Promise.all(["a", "b", "c"].map((key) => callTool(backend, "pid", {}, of(key))));
  expect(new Set(pids).size).toBe(1);
});

test("each session has a process of its own, and keeps it", async () => {
  await using backend = makeBackend(own);
  const [a, b, again] = await Promise.all(
    ["a", "b", "a"].map((key) => callTool(backend, "pid", {}, of(key))),
  );
  expect(b).not.toBe(a ?? "");
  expect(again).toBe(a ?? "");
  expect(backend.status()).toMatchObject({ state: "ready", starts: 2 });
});

test("clients without sessions are told apart by their credentials and their program", async () => {
  await using backend = makeBackend(own);
  const callers = [
    modern("ann", "editor"),
    modern("ann", "editor"),
    modern("bob", "editor"),
    modern("ann", "cli"),
  ];
  const pids: string[] = [];
  for (const more of callers) pids.push(await callTool(backend, "pid", {}, more));
  expect(pids[1]).toBe(pids[0] ?? "");
  expect(new Set(pids).size).toBe(3);
});

test("with the session goes its process, and no other", async () => {
  await using backend = makeBackend(own);
  const session = new AbortController();
  const pid = Number(await callTool(backend, "pid", {}, of("a", session.signal)));
  const other = Number(await callTool(backend, "pid", {}, of("b")));
  session.abort();
  await waitFor(() => !isRunning(pid));
  expect(isRunning(other)).toBe(true);
  expect(Number(await callTool(backend, "pid", {}, of("b")))).toBe(other);
});

test("each sleeps on its own, and wakes for its client", async () => {
  await using backend = makeBackend({ ...own, idle_timeout: "300ms" });
  const pid = Number(await callTool(backend, "pid", {}, of("a")));
  const busy = callTool(backend, "slow", { ms: 1_500, text: "still here" }, of("b"));
  await waitFor(() => !isRunning(pid));
  expect(await busy).toBe("still here");
  expect(Number(await callTool(backend, "pid", {}, of("a")))).not.toBe(pid);
});

test("a call that comes while its process goes to sleep is answered by the next one", async () => {
  await using backend = makeBackend({
    ...program(fixture("ignores-eof")),
    scope: "session",
    idle_timeout: "50ms",
  });
  await callTool(backend, "pid", {}, of("a"));
  await waitFor(() => backend.status().state === "draining");
  expect(await callTool(backend, "echo", { text: "in time" }, of("a"))).toBe("in time");
});

describe("where processes would never sleep", () => {
  const sleepless = { ...own, idle_timeout: 0 };

  async function runningAfter(idleMs: number, more: ReturnType<typeof of>): Promise<boolean> {
    await using backend = makeBackend(sleepless);
    jest.useFakeTimers();
    const pid = Number(await callTool(backend, "pid", {}, more));
    jest.advanceTimersByTime(idleMs);
    jest.useRealTimers();
    if (backend.status().state === "ready") return isRunning(pid);
    await waitFor(() => !isRunning(pid));
    expect(await callTool(backend, "echo", { text: "again" }, more)).toBe("again");
    return false;
  }

  test("that of a client without a session ends all the same, and comes back", async () => {
    expect(await runningAfter(minutes(29), modern("ann", "editor"))).toBe(true);
    expect(await runningAfter(minutes(31), modern("ann", "editor"))).toBe(false);
  });

  test("that of a session lives as long as the session", async () => {
    expect(await runningAfter(minutes(600), of("a", new AbortController().signal))).toBe(true);
  });
});

describe("at the cap", () => {
  test("a client without a session that was silent for a minute makes way, the longest silent first", async () => {
    await using backend = makeBackend({ ...own, max_instances: 3, idle_timeout: 0 });
    jest.useFakeTimers();
    let passed = 0;
    const pidAfter = async (seconds: number, more: ReturnType<typeof of>) => {
      jest.advanceTimersByTime((seconds - passed) * 1_000);
      passed = seconds;
      return Number(await callTool(backend, "pid", {}, more));
    };
    const session = of("session", new AbortController().signal);
    const pids = {
      session: await pidAfter(0, session),
      ann: await pidAfter(1, modern("ann", "editor")),
      bob: await pidAfter(2, modern("bob", "editor")),
    };
    await expect(pidAfter(59, modern("eve", "editor"))).rejects.toMatchObject({ kind: "backend-busy" });
    expect(await pidAfter(60, modern("ann", "editor"))).toBe(pids.ann);
    const eve = await pidAfter(63, modern("eve", "editor"));
    // Under the fake clock: by the real one the others may have been silent for longer than they were.
    await expect(pidAfter(63, modern("bob", "editor"))).rejects.toMatchObject({ kind: "backend-busy" });
    jest.useRealTimers();
    await waitFor(() => !isRunning(pids.bob));
    expect([pids.session, pids.ann, eve].every(isRunning)).toBe(true);
  });

  test("what was started for the lists, and is nobody's, makes way at once", async () => {
    await using backend = makeBackend({ ...own, max_instances: 1 });
    await backend.tools(new AbortController().signal);
    const [common = 0] = backend.pids;
    expect(isRunning(common)).toBe(true);
    expect(Number(await callTool(backend, "pid", {}, of("a")))).not.toBe(common);
    await waitFor(() => !isRunning(common));
  });

  test("nobody makes way who waits for an answer", async () => {
    await using backend = makeBackend({ ...own, max_instances: 1 });
    const answer = callTool(backend, "slow", { ms: 2_000, text: "still here" }, modern("ann", "editor"));
    await waitFor(() => backend.status().inFlight === 1);
    jest.useFakeTimers();
    jest.advanceTimersByTime(minutes(5));
    jest.useRealTimers();
    await expect(callTool(backend, "pid", {}, modern("bob", "editor"))).rejects.toMatchObject({
      kind: "backend-busy",
    });
    expect(await answer).toBe("still here");
  });

  test("one more client is told so, and what to do", async () => {
    await using backend = makeBackend({ ...own, max_instances: 2 });
    const session = new AbortController();
    await callTool(backend, "pid", {}, of("a", session.signal));
    await callTool(backend, "pid", {}, of("b"));
    await expect(callTool(backend, "pid", {}, of("c"))).rejects.toMatchObject({
      kind: "backend-busy",
      message: expect.stringMatching(/^it: 2 clients have a process of their own.*\(max_instances\)/),
    });
    session.abort();
    expect(await waitFor(() => callTool(backend, "echo", { text: "room" }, of("c")).catch(() => false))).toBe(
      "room",
    );
  });

  test("what has failed takes no place", async () => {
    await using backend = makeBackend({
      ...program(fixture("exits-at-once", "3")),
      scope: "session",
      max_instances: 1,
    });
    for (const key of ["a", "b", "c"]) {
      await expect(callTool(backend, "pid", {}, of(key))).rejects.toThrow("exit code 3");
    }
  });
});

test("when the backend is closed, no process of any client is left", async () => {
  const backend = makeBackend(own);
  const pids = await Promise.all(["a", "b", "c"].map((key) => callTool(backend, "pid", {}, of(key))));
  await backend[Symbol.asyncDispose]();
  expect(pids.map(Number).filter(isRunning)).toEqual([]);
  await expect(callTool(backend, "pid", {}, of("d"))).rejects.toMatchObject({ kind: "shutting-down" });
});

test("a question between calls goes to the client whose process it is", async () => {
  await using backend = makeBackend({ ...program(fixture("asks-at-start")), scope: "session" });
  const asked: string[] = [];
  const roots = (key: string) => ({
    caller: caller(key, { capabilities: { roots: {} } }),
    ask: () => {
      asked.push(key);
      return Promise.resolve({ roots: [{ uri: `file:///${key}` }] });
    },
  });
  expect(await callTool(backend, "roots", {}, roots("ann"))).toBe("file:///ann");
  expect(await callTool(backend, "roots", {}, roots("bob"))).toBe("file:///bob");
  expect(asked).toEqual(["ann", "bob"]);
});
