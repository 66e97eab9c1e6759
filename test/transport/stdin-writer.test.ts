// Sending to children that do not read, that are gone, or that go in the middle.

import { describe, expect, test } from "bun:test";
import { silentLog } from "../../src/log.ts";
import { MemoryBudget } from "../../src/memory-budget.ts";
import { SendError } from "../../src/transport/transport.ts";
import { fixture } from "../support/fixture.ts";
import { StdioWire } from "../support/stdio-wire.ts";
import { waitFor } from "../support/wait-for.ts";

async function refusal(sent: Promise<unknown>): Promise<SendError> {
  const thrown: unknown = await sent.then(
    () => "it was sent",
    (error: unknown) => error,
  );
  if (!(thrown instanceof SendError)) throw new Error(`no SendError but ${String(thrown)}`);
  return thrown;
}

describe("a child that does not read", () => {
  const megabyte = "x".repeat(1_000_000);

  test("fills a bounded queue; what is too much is refused and was not delivered", async () => {
    await using wire = await StdioWire.start(fixture("reads-nothing"), {
      limits: { queuedBytes: 10_000_000, exitGraceMs: 50 },
    });
    const sends = Array.from({ length: 12 }, () => wire.ask("tools/call", { megabyte }));
    const waiting = sends.slice(0, 9).map((sent) => sent.catch((error: unknown) => error));
    for (const sent of sends.slice(9)) {
      const error = await refusal(sent);
      expect(error.maybeDelivered).toBe(false);
      expect(error.message).toContain("does not read");
    }
    await wire[Symbol.asyncDispose]();
    await Promise.all(waiting);
  });

  test("takes from the memory budget, and gives it back at the end", async () => {
    const memory = new MemoryBudget(silentLog, 5_000_000);
    const wire = await StdioWire.start(fixture("reads-nothing"), { limits: { exitGraceMs: 50 }, memory });
    const sends = Array.from({ length: 4 }, () => wire.ask("tools/call", { megabyte }));
    const waiting = sends.map((sent) => sent.catch((error: unknown) => error));
    expect(memory.byKind.stdin).toBeGreaterThan(4_000_000);
    const error = await refusal(wire.ask("tools/call", { megabyte }));
    expect([error.maybeDelivered, error.message]).toEqual([false, expect.stringContaining("memory_limit")]);
    await wire[Symbol.asyncDispose]();
    await Promise.all(waiting);
    expect(memory.bytes).toBe(0);
  });

  test("is told nothing twice: what still waits at the end was not delivered", async () => {
    const wire = await StdioWire.start(fixture("reads-nothing"), { limits: { exitGraceMs: 50 } });
    // More than any pipe holds.
    await wire.ask("tools/call", { text: megabyte.repeat(3) });
    const second = refusal(wire.ask("ping"));
    await wire[Symbol.asyncDispose]();
    expect((await second).maybeDelivered).toBe(false);
  });

  test("gets everything in order once it reads", async () => {
    const memory = new MemoryBudget(silentLog);
    await using wire = await StdioWire.start(["sh", "-c", "sleep 0.3; exec cat"], { memory });
    const ids = await Promise.all(Array.from({ length: 8 }, () => wire.ask("tools/call", { megabyte })));
    await waitFor(() => wire.messages.length === 8, { what: "all eight" });
    expect(memory.bytes).toBe(0);
    expect(wire.messages.map((message) => "id" in message && message.id)).toEqual(ids);
  });
});

describe("a child that is gone", () => {
  test("was not told what is sent after its end", async () => {
    await using wire = await StdioWire.start(fixture("exits-at-once"));
    await wire.ended();
    const error = await refusal(wire.ask("tools/call", {}));
    expect(error).toMatchObject({ maybeDelivered: false, message: "the process ended with exit code 1" });
  });

  test("was not told what is sent while its end is being noticed", async () => {
    // A grandchild keeps stdout open, so the end is told a little later than the exit.
    await using wire = await StdioWire.start(["sh", "-c", "sleep 1000 & exit 9"]);
    await waitFor(() => isReaped(wire.pid ?? 0), { what: "the exit" });
    expect(wire.ends).toEqual([]);
    const error = await refusal(wire.ask("tools/call", {}));
    expect(error).toMatchObject({ maybeDelivered: false, message: "the process ended with exit code 9" });
  });

  test("is found by the write that it refuses, and that write was not delivered", async () => {
    await using wire = await StdioWire.start(["sh", "-c", "exec 0<&-; sleep 1000"], {
      limits: { exitGraceMs: 50 },
    });
    const error = await waitFor(() =>
      wire.ask("ping").then(
        () => undefined,
        (thrown: unknown) => thrown,
      ),
    );
    expect(error).toBeInstanceOf(SendError);
    expect(error).toMatchObject({ maybeDelivered: false });
    // The refusal comes before the end, because it knows more.
    expect(wire.ends).toEqual([]);
    expect((await wire.ended()).reason).toContain("still ran");
  });

  // Bun 1.4 turns a late EPIPE into an unhandled rejection, which ends a program and fails this file.
  test("never ends the gateway, whenever it goes", async () => {
    const payload = { text: "y".repeat(100_000) };
    for (let round = 0; round < 10; round++) {
      await using wire = await StdioWire.start([
        "sh",
        "-c",
        `exec head -c ${round * 300_000 + 1} >/dev/null`,
      ]);
      while (wire.ends.length === 0) {
        await wire
          .ask("tools/call", payload)
          .catch((error: unknown) => expect(error).toBeInstanceOf(SendError));
        await Bun.sleep(0);
      }
      // And once more into the closed pipe, on the way out.
      await wire.ask("ping").catch((error: unknown) => expect(error).toBeInstanceOf(SendError));
    }
  });

  test("never ends the gateway with a megabyte still in its pipe", async () => {
    await using wire = await StdioWire.start(fixture("reads-nothing"));
    await wire.ask("tools/call", { text: "y".repeat(1_000_000) });
    process.kill(wire.pid, "SIGKILL");
    expect((await wire.ended()).reason).toContain("SIGKILL");
  });
});

/** A process that has ended is in the table until its parent has taken notice. */
function isReaped(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}
