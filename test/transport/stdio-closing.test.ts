// What is left of a child after its wire has ended: nothing. Proven with the process table.

import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { fixture, fixturePath } from "../support/fixture.ts";
import { descendants, groupMembers, isRunning } from "../support/process-table.ts";
import { StdioWire } from "../support/stdio-wire.ts";
import { waitFor } from "../support/wait-for.ts";

const slow = { exitGraceMs: 20_000, killGraceMs: 20_000 };
/** Whatever the machine does beside it: none of those graces was waited for. */
const NO_GRACE_MS = 15_000;

/** Ends the wire and tells how long that took. */
async function end(wire: StdioWire): Promise<number> {
  const startedAt = performance.now();
  await wire[Symbol.asyncDispose]();
  return performance.now() - startedAt;
}

describe("closing", () => {
  test("lets a child that listens end by itself", async () => {
    const wire = await StdioWire.start(fixture("healthy"), { limits: slow });
    await wire.request("initialize");
    expect(groupMembers(wire.pid).map(({ pid }) => pid)).toEqual([wire.pid]);
    expect(await end(wire)).toBeLessThan(NO_GRACE_MS);
    expect(groupMembers(wire.pid)).toEqual([]);
  });

  test("ends a child that ignores the end of its stdin", async () => {
    const wire = await StdioWire.start(fixture("ignores-eof"), { limits: { ...slow, exitGraceMs: 200 } });
    await wire.request("initialize");
    const tookMs = await end(wire);
    expect(tookMs).toBeGreaterThan(190);
    expect(tookMs).toBeLessThan(NO_GRACE_MS);
    expect(groupMembers(wire.pid)).toEqual([]);
  });

  test("ends a child that ignores SIGTERM too", async () => {
    const limits = { exitGraceMs: 200, killGraceMs: 300 };
    const wire = await StdioWire.start(fixture("ignores-sigterm"), { limits });
    await wire.request("initialize");
    const tookMs = await end(wire);
    expect(tookMs).toBeGreaterThan(490);
    expect(groupMembers(wire.pid)).toEqual([]);
  });

  test("ends a stopped child", async () => {
    const wire = await StdioWire.start(fixture("healthy"), {
      limits: { exitGraceMs: 100, killGraceMs: 200 },
    });
    await wire.request("initialize");
    process.kill(wire.pid, "SIGSTOP");
    await end(wire);
    expect(groupMembers(wire.pid)).toEqual([]);
  });

  test("happens once, however often and by whomever it is asked for", async () => {
    const wire = await StdioWire.start(fixture("ignores-eof"), { limits: { exitGraceMs: 100 } });
    await wire.request("initialize");
    const all = [end(wire), end(wire), end(wire)];
    await Promise.all(all);
    const later = new Promise<string>((resolve) => setTimeout(resolve, 0, "waits"));
    expect(await Promise.race([end(wire).then(() => "ended"), later])).toBe("ended");
    expect(wire.ends).toHaveLength(1);
  });

  test("of one that hangs does not delay another", async () => {
    const hanging = await StdioWire.start(fixture("ignores-sigterm"), { limits: { exitGraceMs: 1_500 } });
    const polite = await StdioWire.start(fixture("healthy"));
    await Promise.all([hanging.request("initialize"), polite.request("initialize")]);
    const slowEnd = end(hanging);
    await end(polite);
    expect(groupMembers(polite.pid)).toEqual([]);
    expect(groupMembers(hanging.pid)).not.toEqual([]);
    await slowEnd;
    expect(groupMembers(hanging.pid)).toEqual([]);
  });

  test("sends what was queued before it", async () => {
    const wire = await StdioWire.start(["sh", "-c", "cat >&2"]);
    const sent = wire.transport.send({ jsonrpc: "2.0", method: "notifications/cancelled" });
    await end(wire);
    expect(await sent).toBeUndefined();
  });
});

describe("grandchildren", () => {
  const bun = process.execPath;

  test.each([
    ["a program that waits for it", fixture("wrapper", "healthy.ts")],
    ["a wrapper's wrapper", fixture("wrapper", "wrapper.ts", "healthy.ts")],
    ["a shell", ["sh", "-c", `${bun} ${fixturePath("healthy")}; true`]],
    ["a pipeline", ["sh", "-c", `${bun} ${fixturePath("healthy")} | cat`]],
    ["a wrapper around one that ignores everything", fixture("wrapper", "ignores-sigterm.ts")],
  ])("behind %s are gone after closing", async (_what, argv) => {
    const wire = await StdioWire.start(argv, { limits: { exitGraceMs: 300, killGraceMs: 300 } });
    await wire.request("initialize");
    const started = groupMembers(wire.pid);
    expect(started.length).toBeGreaterThan(1);
    expect(descendants(process.pid).map(({ pid }) => pid)).toEqual(
      expect.arrayContaining(started.map(({ pid }) => pid)),
    );
    await end(wire);
    expect(groupMembers(wire.pid)).toEqual([]);
    for (const { pid } of started) expect(isRunning(pid)).toBe(false);
  });

  test("that outlive a child which ends by itself are gone too, without anybody asking", async () => {
    await using wire = await StdioWire.start(fixture("leaves-sleeper"), { limits: slow });
    const sleeper = Number(await wire.call("sleeper"));
    expect(isRunning(sleeper)).toBe(true);
    process.kill(wire.pid, "SIGTERM");
    await wire.ended();
    await waitFor(() => !isRunning(sleeper), { what: "the end of the grandchild" });
    await waitFor(() => groupMembers(wire.pid).length === 0, { what: "an empty group" });
  });

  test("that made a session of their own are gone too, also those that ignore SIGTERM", async () => {
    const limits = { exitGraceMs: 300, killGraceMs: 300 };
    const daemons = ["setsid sleep 1000 &", `setsid sh -c "trap '' TERM; sleep 1000; sleep 1000" &`];
    const script = `${daemons.join(" ")} exec ${bun} ${fixturePath("healthy")}`;
    const wire = await StdioWire.start(["sh", "-c", script], { limits });
    await wire.request("initialize");
    const detached = await waitFor(() => {
      const inGroup = groupMembers(wire.pid).map(({ pid }) => pid);
      const others = descendants(wire.pid).filter(({ pid }) => !inGroup.includes(pid));
      return others.length > 2 && others;
    });
    await end(wire);
    for (const { pid } of detached) expect(isRunning(pid)).toBe(false);
  });

  test("that hold the pipes are gone after closing, at once", async () => {
    const wire = await StdioWire.start(fixture("leaves-sleeper"), { limits: slow });
    const sleeper = Number(await wire.call("sleeper"));
    expect(await end(wire)).toBeLessThan(NO_GRACE_MS);
    expect(isRunning(sleeper)).toBe(false);
    expect(groupMembers(wire.pid)).toEqual([]);
  });
});

describe("open files", () => {
  const count = () => readdirSync("/dev/fd").length;

  test("are as many as before after a hundred starts and ends", async () => {
    const round = async () => {
      const wires = await Promise.all(Array.from({ length: 10 }, () => StdioWire.start(["cat"])));
      await Promise.all(wires.map((wire) => wire.ask("ping")));
      await Promise.all(wires.map((wire) => wire[Symbol.asyncDispose]()));
    };
    await round();
    const before = count();
    for (let turn = 0; turn < 9; turn++) await round();
    await waitFor(() => count() <= before + 2, { what: "the pipes to be closed" });
  });

  test("are let go of where the pipe is full, or a daemon has left the group and holds it", async () => {
    const round = async () => {
      const full = await StdioWire.start(fixture("reads-nothing"), { limits: { exitGraceMs: 50 } });
      await full.ask("ping", { text: "x".repeat(1_000_000) });
      const held = await StdioWire.start(fixture("leaves-sleeper", "detached"), {
        limits: slow,
        keepsDetached: true,
      });
      const daemon = Number(await held.call("sleeper"));
      expect(await end(held)).toBeLessThan(NO_GRACE_MS);
      await end(full);
      // It made a session of its own, and the backend keeps such processes.
      expect(isRunning(daemon)).toBe(true);
      return daemon;
    };
    const daemons = [await round()];
    const before = count();
    for (let turn = 0; turn < 3; turn++) daemons.push(await round());
    await waitFor(() => count() <= before + 1, { what: "the pipes to be closed" });
    for (const daemon of daemons) process.kill(daemon, "SIGKILL");
  });
});

test("the children of a gateway that was killed see the end of their stdin", async () => {
  const program = `${import.meta.dir}/../support/holds-children.ts`;
  const gateway = Bun.spawn([process.execPath, program, "healthy", "wrapper", "healthy"], { stdout: "pipe" });
  const reader = gateway.stdout.getReader();
  const { value } = await reader.read();
  const pids: number[] = JSON.parse(Buffer.from(value ?? []).toString());
  expect(pids).toHaveLength(3);
  expect(pids.every((pid) => groupMembers(pid).length > 0)).toBe(true);
  process.kill(gateway.pid, "SIGKILL");
  await gateway.exited;
  await waitFor(() => pids.every((pid) => groupMembers(pid).length === 0), {
    what: "the end of all the children",
  });
});
