// Lines to a client that reads slowly, not at all, or is gone.

import { describe, expect, test } from "bun:test";
import { LineWriter, type Pipe } from "../../src/edge/line-writer.ts";
import { silentLog } from "../../src/log.ts";
import { MemoryBudget } from "../../src/memory-budget.ts";

/** Takes what it is given when the test says so. */
class SlowPipe implements Pipe {
  taken = "";
  #fail: ((error: Error) => void) | undefined;
  #waiting: { text: string; done: (error?: Error | null) => void } | undefined;

  write(text: string, done: (error?: Error | null) => void): void {
    expect(this.#waiting).toBeUndefined();
    this.#waiting = { text, done };
  }

  on(_event: "error", listener: (error: Error) => void): void {
    this.#fail = listener;
  }

  /** False if nothing was written. */
  take(): boolean {
    const taken = this.#waiting;
    if (taken === undefined) return false;
    this.taken += taken.text;
    this.#waiting = undefined;
    taken.done();
    return true;
  }

  breaks(): void {
    const error = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
    this.#waiting?.done(error);
    this.#fail?.(error);
  }
}

function rig(limitBytes = 100_000_000) {
  const pipe = new SlowPipe();
  const memory = new MemoryBudget(silentLog, limitBytes);
  const gone = { times: 0 };
  const writer = new LineWriter(pipe, memory, () => {
    gone.times += 1;
  });
  return { pipe, memory, writer, gone };
}

describe("lines", () => {
  test("come whole and in order, one write at a time, whatever their characters", () => {
    const { pipe, memory, writer } = rig();
    const lines = ["one", "é漢😀".repeat(300_000), "", "x".repeat(600_000), `${"x".repeat(524_286)}😀`];
    for (const line of lines) writer.write(line);
    expect(memory.byKind.unread).toBe(Buffer.byteLength(lines.join("\n")) + 1);
    while (pipe.take()) expect(memory.byKind.unread).toBeGreaterThanOrEqual(0);
    expect(pipe.taken === `${lines.join("\n")}\n`).toBeTrue();
    expect(memory.bytes).toBe(0);
  });

  test("that are not read stop the asking until they are", async () => {
    const { pipe, writer } = rig();
    writer.write("x".repeat(2_000_000));
    let isReady = false;
    const ready = writer.whenReady()?.then(() => {
      isReady = true;
    });
    pipe.take();
    await Promise.resolve();
    expect(isReady).toBeFalse();
    while (pipe.take());
    await ready;
    expect(writer.whenReady()).toBeUndefined();
  });

  test("that are never read are given up when too much is held, and the client counts as gone", async () => {
    const { memory, writer, gone } = rig(1_000_000);
    for (let n = 0; n < 30; n++) writer.write("x".repeat(50_000));
    expect(gone.times).toBe(1);
    expect(memory.bytes).toBe(0);
    await writer.whenRead();
    expect(writer.whenReady()).toBeUndefined();
  });

  test("to a client that has closed its end are dropped, which is told once", async () => {
    const { pipe, memory, writer, gone } = rig();
    writer.write("x".repeat(2_000_000));
    const waits = [writer.whenReady(), writer.whenRead()];
    pipe.breaks();
    await Promise.all(waits);
    writer.write("more");
    expect(gone.times).toBe(1);
    expect(memory.bytes).toBe(0);
    expect(pipe.taken).toBe("");
  });
});
