// Text to one client over a real server: whole, in order, counted while it waits, and gone where the client is.

import { afterAll, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { ClientStream } from "../../src/edge/client-stream.ts";
import { silentLog } from "../../src/log.ts";
import { MemoryBudget } from "../../src/memory-budget.ts";
import { waitFor } from "../support/wait-for.ts";

const MEGABYTE = 1024 * 1024;
/** More than what the system holds for a client that does not read. */
const MUCH = "x".repeat(24 * MEGABYTE);

let current: ClientStream | undefined;
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  development: false,
  fetch: () => new Response(current?.stream),
});
afterAll(() => server.stop(true));

function open(onGone?: () => void, memory = new MemoryBudget(silentLog)): ClientStream {
  current = new ClientStream({ memory, onGone });
  return current;
}

/** A client that reads the first bytes of its answer and then no more; resolves when it has them. */
async function stare(): Promise<Socket & { isReset: boolean }> {
  const socket = Object.assign(connect(server.port ?? 0, "127.0.0.1"), { isReset: false });
  const begun = Promise.withResolvers<void>();
  socket.once("data", () => {
    socket.pause();
    begun.resolve();
  });
  socket.on("error", () => {
    socket.isReset = true;
  });
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await begun.promise;
  return socket;
}

test("a long text comes whole, wherever its characters lie", async () => {
  for (let shift = 0; shift < 4; shift++) {
    const text = "x".repeat(shift) + "é漢😀".repeat(200_000);
    const out = open();
    out.write(text);
    out.close();
    expect((await (await fetch(server.url)).text()) === text).toBe(true);
    expect(out.waitingBytes).toBe(0);
  }
});

test("what is written piece by piece comes at once and in order", async () => {
  const out = open();
  const response = fetch(server.url);
  out.write("one ");
  const reader = (await response).body?.getReader();
  const first = await reader?.read();
  expect(Buffer.from(first?.value ?? []).toString()).toBe("one ");
  out.write("two ");
  out.write("three");
  out.close();
  expect(out.write("late")).toBe(false);
  let rest = "";
  for (let chunk = await reader?.read(); chunk?.done === false; chunk = await reader?.read())
    rest += Buffer.from(chunk.value).toString();
  expect(rest).toBe("two three");
});

test("what a client does not read is counted until it does", async () => {
  const out = open();
  out.write(MUCH);
  out.close();
  const socket = await stare();
  expect(out.waitingBytes).toBe(MUCH.length);
  socket.resume();
  await waitFor(() => out.waitingBytes === 0, { what: "the client to read" });
  socket.destroy();
});

test("a client that leaves is told of once, and nothing waits for it", async () => {
  let left = 0;
  const out = open(() => left++);
  out.write(MUCH);
  const socket = await stare();
  socket.destroy();
  await waitFor(() => left === 1, { what: "the client to be seen leaving" });
  out.cutOff();
  expect(left).toBe(1);
  expect(out.waitingBytes).toBe(0);
  expect(out.write("more")).toBe(false);
});

test("a client that is cut off loses its connection, and never takes a part for the whole", async () => {
  let left = 0;
  const out = open(() => left++);
  out.write(MUCH);
  out.close();
  const socket = await stare();
  out.cutOff();
  await waitFor(() => socket.isReset, { what: "the connection to be reset" });
  expect(left).toBe(0);
});

test("who would exceed the bound for all makes room by the one that reads nothing", async () => {
  const memory = new MemoryBudget(silentLog, 1.5 * MUCH.length);
  const first = open(undefined, memory);
  first.write(MUCH);
  const socket = await stare();
  const second = open(undefined, memory);
  second.write(MUCH);
  second.close();
  expect(first.waitingBytes).toBe(0);
  expect((await (await fetch(server.url)).text()).length).toBe(MUCH.length);
  await waitFor(() => socket.isReset, { what: "the connection to be reset" });
});
