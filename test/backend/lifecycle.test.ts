// When a backend runs: kept alive, warm, asleep, and how it is left alone when it keeps failing.

import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { backoffMs } from "../../src/backend/state.ts";
import { fixture } from "../support/fixture.ts";
import { isRunning } from "../support/process-table.ts";
import { waitFor } from "../support/wait-for.ts";
import { IDLE_MS, type MadeCall, pass, settle, World } from "./lifecycle-world.ts";
import { callTool, makeBackend, program, TestFolder } from "./rig.ts";

function errorOf({ outcomes }: MadeCall): string {
  const [outcome] = outcomes;
  if (outcome === undefined || !("error" in outcome)) return "";
  return outcome.error instanceof Error ? outcome.error.message : String(outcome.error);
}

describe("with a clock of our own", () => {
  beforeEach(() => void jest.useFakeTimers({ now: Date.UTC(2026, 0, 2, 3, 4, 5) }));
  afterEach(() => void jest.useRealTimers());

  async function running(world: World): Promise<void> {
    void world.lifecycle.prestart();
    await settle();
    world.start?.succeed();
    await settle();
  }

  test("what is kept alive does not sleep", async () => {
    const world = new World({ keep_alive: true });
    await running(world);
    await pass(IDLE_MS * 1_000);
    expect(world.lifecycle.state).toBe("ready");
    await world.dispose();
  });

  test("what is kept alive and dies is started again with nobody asking, at first at once", async () => {
    const world = new World({ keep_alive: true });
    await running(world);
    world.serving?.crash();
    await pass(1);
    expect([world.lifecycle.state, world.lifecycle.starts]).toEqual(["starting", 2]);
    world.start?.fail(false);
    await pass(1);
    expect(world.lifecycle.state).toBe("failed");
    await pass(backoffMs(2, () => 1));
    expect(world.lifecycle.state).toBe("starting");
    await world.dispose();
    expect(world.alive).toEqual([]);
  });

  test("what is not kept alive stays down until somebody asks", async () => {
    const world = new World();
    await running(world);
    world.serving?.crash();
    await pass(3_600_000);
    expect([world.lifecycle.state, world.lifecycle.starts]).toEqual(["failed", 1]);
    await world.dispose();
  });

  test("a crash fails the calls in flight with exit code and last words", async () => {
    const world = new World();
    await running(world);
    const calls = [world.call(), world.call()];
    await settle();
    world.serving?.crash();
    await settle();
    for (const call of calls) {
      expect(errorOf(call)).toBe("it: the process ended with exit code 9\nIts last words:\n  ouch");
    }
    await world.dispose();
  });

  test("a crash loop is said to be one: how often, since when, and when to come again", async () => {
    const world = new World();
    for (let times = 0; times < 3; times++) {
      await pass(60_000);
      world.call();
      await settle();
      world.start?.fail(false);
      await settle();
    }
    const refused = world.call();
    await settle();
    expect(errorOf(refused)).toMatch(
      /^it keeps failing and is left alone for now\. it: the handshake failed\n\(3 failures in a row since 03:05:05 UTC; the next attempt is possible in [12] s\)$/,
    );
    expect(world.lifecycle.starts).toBe(3);
    await world.dispose();
  });

  test("only a call that succeeds closes the breaker; a start alone does not", async () => {
    const world = new World();
    const crashAfterStart = async () => {
      await pass(60_000);
      const call = world.call();
      await settle();
      world.start?.succeed();
      await settle();
      world.serving?.crash();
      await settle();
      return call;
    };
    for (let times = 0; times < 4; times++) await crashAfterStart();
    const refused = world.call();
    await settle();
    expect(errorOf(refused)).toContain("4 failures in a row");

    await pass(60_000);
    const good = world.call();
    await settle();
    world.start?.succeed();
    await settle();
    world.serving?.answerOldest();
    await settle();
    expect(good.outcomes).toEqual([{ answer: good.id }]);
    world.serving?.crash();
    await settle();
    world.call();
    await settle();
    expect(world.lifecycle.state).toBe("starting");
    await world.dispose();
  });

  test("while half open, many calls make one start", async () => {
    const world = new World();
    world.call();
    await settle();
    world.start?.fail(false);
    await settle();
    await pass(60_000);
    for (let times = 0; times < 20; times++) world.call();
    await settle();
    expect(world.lifecycle.starts).toBe(2);
    world.start?.succeed();
    await settle();
    expect(world.serving?.asked.size).toBe(20);
    await world.dispose();
  });

  test("a process that ran for long was no part of a loop", async () => {
    const world = new World({ idle_timeout: 0 });
    for (let times = 0; times < 5; times++) {
      world.call();
      await settle();
      expect(world.lifecycle.state).toBe("starting");
      world.start?.succeed();
      await settle();
      await pass(10 * 60_000);
      world.serving?.crash();
      await settle();
    }
    await world.dispose();
  });
});

test("the wait doubles, with jitter, up to half a minute", () => {
  const most = Array.from({ length: 10 }, (_, index) => backoffMs(index + 1, () => 1));
  expect(most).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  for (let times = 0; times < 100; times++) {
    const waitMs = backoffMs(3);
    expect(waitMs).toBeGreaterThanOrEqual(1_500);
    expect(waitMs).toBeLessThanOrEqual(2_000);
  }
});

test("what is warm runs before anybody asks; what is not does not", async () => {
  await using warm = makeBackend({ ...program(fixture("healthy")), warm: true });
  await using cold = makeBackend(program(fixture("healthy")));
  await waitFor(() => warm.status().state === "ready");
  expect(cold.status()).toMatchObject({ state: "stopped", starts: 0 });
});

test("a real process that is kept alive comes back by itself when it is killed", async () => {
  await using backend = makeBackend({
    ...program(fixture("healthy")),
    keep_alive: true,
    idle_timeout: "10ms",
  });
  const pid = Number(await callTool(backend, "pid"));
  process.kill(pid, "SIGKILL");
  const next = await waitFor(() => {
    const { state, pid: now } = backend.status();
    return state === "ready" && now !== pid && now;
  });
  expect([isRunning(pid), isRunning(next)]).toEqual([false, true]);
});

test("a program that does not exist is looked for once", async () => {
  await using backend = makeBackend({ command: "no-such-program-anywhere", keep_alive: true });
  for (let times = 0; times < 3; times++) {
    await expect(callTool(backend, "echo")).rejects.toThrow("no-such-program-anywhere");
  }
  expect(backend.status()).toMatchObject({ state: "failed", starts: 1 });
});

test("a program that appears, or becomes executable, is started by the next call", async () => {
  using folder = new TestFolder();
  const path = join(folder.path, "late-server");
  await using backend = makeBackend({ command: "late-server", env: { PATH: folder.path } });
  await expect(callTool(backend, "echo")).rejects.toThrow("no such program on the PATH");
  const [bun = "", ...args] = fixture("healthy");
  await Bun.write(path, `#!/bin/sh\nexec "${bun}" ${args.map((arg) => `"${arg}"`).join(" ")}\n`);
  for (let times = 0; times < 3; times++) {
    await expect(callTool(backend, "echo")).rejects.toThrow("not executable");
  }
  // The first call after the file had come was worth a try; those after it were not.
  expect(backend.status()).toMatchObject({ state: "failed", starts: 2 });
  await chmod(path, 0o755);
  const texts = ["a", "b", "c"];
  expect(await Promise.all(texts.map((text) => callTool(backend, "echo", { text })))).toEqual(texts);
  expect(backend.status()).toMatchObject({ state: "ready", starts: 3 });
});

test("what has failed is not prestarted", async () => {
  await using backend = makeBackend(program(fixture("exits-at-once", "3")));
  await expect(callTool(backend, "echo")).rejects.toThrow("exit code 3");
  const { starts } = backend.status();
  await backend.prestart();
  expect(backend.status()).toMatchObject({ state: "failed", starts });
});
