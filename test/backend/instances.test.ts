// scope: session. A process for each client, ended with it, and bounded in number.

import { describe, expect, test } from "bun:test";
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

describe("at the cap", () => {
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
