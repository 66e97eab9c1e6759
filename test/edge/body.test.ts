// Bodies over real sockets: whole, counted while they come, and ended if they do not.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { Bodies, type BodyLimits } from "../../src/edge/body.ts";
import { silentLog } from "../../src/log.ts";
import { MemoryBudget } from "../../src/memory-budget.ts";
import { waitFor } from "../support/wait-for.ts";

const MEGABYTE = 1024 * 1024;

let memory: MemoryBudget;
let server: Bun.Server<undefined>;
/** What is held while the answer is made. */
let heldAtAnswer: number[];
const sockets: Socket[] = [];

function serve(limitBytes: number, limits: Partial<BodyLimits> = {}): void {
  memory = new MemoryBudget(silentLog, limitBytes);
  const bodies = new Bodies(memory, limits);
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 2,
    development: false,
    fetch: (request) =>
      bodies.read(request, server, (text) => {
        heldAtAnswer.push(memory.byKind.requests);
        return new Response(text);
      }),
  });
}

beforeEach(() => {
  heldAtAnswer = [];
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.stop(true);
});

/** Says how long the body is, and sends a part of it. */
function begin(length: number | "chunked", part: string | Buffer): { head: () => string; socket: Socket } {
  const socket = connect(server.port ?? 0, "127.0.0.1");
  sockets.push(socket);
  let received = "";
  socket.on("data", (data) => {
    received += data.toString();
  });
  socket.on("close", () => {
    received += "<closed>";
  });
  socket.on("error", () => undefined);
  const size = length === "chunked" ? "Transfer-Encoding: chunked" : `Content-Length: ${length}`;
  socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\n${size}\r\n\r\n`);
  socket.write(part);
  return { head: () => received, socket };
}

describe("a body comes whole", () => {
  test.each(["", "x", "é漢😀", "\ufeff{}", "y".repeat(16 * 1024), "é漢😀".repeat(300_000)])(
    "of text %#, with its length and in chunks",
    async (text) => {
      serve(100 * MEGABYTE);
      const expected = text.replace("\ufeff", "");
      const whole = await fetch(server.url, { method: "POST", body: text });
      expect((await whole.text()) === expected).toBeTrue();
      const stream = new Blob([text]).stream();
      const chunked = await fetch(server.url, { method: "POST", body: stream });
      expect((await chunked.text()) === expected).toBeTrue();
      expect(memory.bytes).toBe(0);
    },
  );

  test("and a large one is counted until it is answered", async () => {
    serve(100 * MEGABYTE);
    await (await fetch(server.url, { method: "POST", body: "z".repeat(MEGABYTE) })).text();
    expect(heldAtAnswer).toEqual([MEGABYTE]);
    expect(memory.bytes).toBe(0);
  });
});

describe("a body that does not come to its end", () => {
  test.each([["with its length", 60 * MEGABYTE] as const, ["in chunks", "chunked"] as const])(
    "%s is counted, and ends by the deadline for progress with 408",
    async (_how, length) => {
      serve(100 * MEGABYTE, { progressMs: 300 });
      const part = "a".repeat(MEGABYTE);
      const { head } = begin(length, length === "chunked" ? `${MEGABYTE.toString(16)}\r\n${part}\r\n` : part);
      await waitFor(() => memory.byKind.bodies === 2 * MEGABYTE, { what: "the count" });
      await waitFor(() => head().includes("<closed>"), { what: "the end of the connection" });
      expect(head()).toStartWith("HTTP/1.1 408 ");
      expect(memory.bytes).toBe(0);
    },
  );

  test("but makes progress ends by the deadline for the whole", async () => {
    serve(100 * MEGABYTE, { progressMs: 60_000, wholeMs: 700 });
    const { head, socket } = begin(60 * MEGABYTE, "a");
    const dripping = setInterval(() => socket.write("a".repeat(70_000)), 20);
    await waitFor(() => head().includes("<closed>"), { what: "the end of the connection" });
    clearInterval(dripping);
    expect(head()).toStartWith("HTTP/1.1 408 ");
  });

  test("and is small is ended by the server, however it drips", async () => {
    serve(100 * MEGABYTE);
    const { head, socket } = begin(1_000, "a");
    const dripping = setInterval(() => socket.write("a"), 200);
    await waitFor(() => head().includes("<closed>"), { timeoutMs: 15_000, what: "the end" });
    clearInterval(dripping);
    expect(head()).not.toContain("200 OK");
  });

  test("loses to others when too much is held, the one that stands still for longest first", async () => {
    serve(8 * MEGABYTE);
    const part = "a".repeat(1.2 * MEGABYTE);
    const stalled = begin(10 * MEGABYTE, part);
    await waitFor(() => memory.byKind.bodies > 2 * MEGABYTE, { what: "the first" });
    const second = begin(10 * MEGABYTE, part);
    await waitFor(() => memory.byKind.bodies > 4 * MEGABYTE, { what: "the second" });
    const third = await fetch(server.url, { method: "POST", body: "b".repeat(2 * MEGABYTE) });
    expect(third.status).toBe(200);
    expect((await third.text()).length).toBe(2 * MEGABYTE);
    await waitFor(() => stalled.head().includes("<closed>"), { what: "the loss of the first" });
    expect(stalled.head()).toStartWith("HTTP/1.1 503 ");
    expect(stalled.head().toLowerCase()).toContain("retry-after: 5");
    expect(second.head()).toBe("");
  });

  test("gives back what it held when its client leaves", async () => {
    serve(100 * MEGABYTE);
    const { socket } = begin(10 * MEGABYTE, "a".repeat(MEGABYTE));
    await waitFor(() => memory.bytes > 0, { what: "the count" });
    socket.destroy();
    await waitFor(() => memory.bytes === 0, { what: "the count to end" });
  });
});
