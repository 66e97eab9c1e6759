// Servers that ask for roots when they have started, as the official one for files does: that question finds the client
// that it is about, and makes nobody wait for others afterwards.

import { expect, test } from "bun:test";
import type { Backend } from "../../src/backend/backend.ts";
import { TIMES } from "../../src/backend/connection/times.ts";
import type { Call } from "../../src/protocol/call.ts";
import { Notice } from "../../src/protocol/mcp.ts";
import { fixture } from "../support/fixture.ts";
import { waitFor } from "../support/wait-for.ts";
import { caller, callTool, makeBackend, program } from "./rig.ts";

/** Long enough for calls of other clients to come before the question. */
const LATE = program(fixture("asks-at-start", "300"));
const AT_ONCE = program(fixture("asks-at-start"));

class Client {
  readonly asked: string[] = [];
  readonly call: Partial<Call>;

  constructor(name: string) {
    this.call = {
      caller: caller(name, { capabilities: { roots: {} } }),
      ask: ({ method }) => {
        this.asked.push(method);
        return Promise.resolve({ roots: [{ uri: `file:///${name}` }] });
      },
    };
  }
}

/** Its process ends, and with it what it was told. */
async function killed(backend: Backend): Promise<void> {
  const { pid } = backend.status();
  if (pid === undefined) throw new Error("it is not running");
  process.kill(pid, "SIGKILL");
  await waitFor(() => backend.status().state !== "ready");
}

test("after it, a call does not wait for another one", async () => {
  await using backend = makeBackend(AT_ONCE);
  const client = new Client("first");
  expect(await callTool(backend, "roots", {}, client.call)).toBe("file:///first");
  const stop = new AbortController();
  const slow = callTool(backend, "slow", { ms: 60_000 }, { ...new Client("slow").call, signal: stop.signal });
  const ends = Promise.allSettled([slow]);
  await waitFor(() => backend.status().inFlight === 1);
  expect(await callTool(backend, "echo", { text: "beside it" }, client.call)).toBe("beside it");
  stop.abort();
  await ends;
});

test("once it is known, only who woke the server is asked, and others wait no longer than that takes", async () => {
  await using backend = makeBackend(LATE);
  expect(await callTool(backend, "roots", {}, new Client("before").call)).toBe("file:///before");
  await killed(backend);
  const [waker, other] = [new Client("waker"), new Client("other")];
  const stop = new AbortController();
  // The first call lasts for long, and must not hold the second up when the question has come.
  const first = callTool(backend, "slow", { ms: 60_000 }, { ...waker.call, signal: stop.signal });
  const ends = Promise.allSettled([first]);
  await waitFor(() => backend.status().inFlight === 1, { timeoutMs: 10_000 });
  expect(await callTool(backend, "roots", {}, other.call)).toBe("file:///waker");
  expect([waker.asked, other.asked]).toEqual([["roots/list"], []]);
  stop.abort();
  await ends;
});

test("where it does not come again, nobody waits for it for long", async () => {
  await using backend = makeBackend(program(fixture("asks-at-start", "600000")));
  // It has never asked; that it did is what is known of it from an earlier process.
  const client = new Client("client");
  expect(await callTool(backend, "ask_again", {}, client.call)).toBe("file:///client");
  await killed(backend);
  const stop = new AbortController();
  const slow = callTool(backend, "slow", { ms: 60_000 }, { ...client.call, signal: stop.signal });
  const ends = Promise.allSettled([slow]);
  await waitFor(() => backend.status().inFlight === 1, { timeoutMs: 10_000 });
  expect(await callTool(backend, "echo", { text: "beside it" }, new Client("other").call)).toBe("beside it");
  stop.abort();
  await ends;
});

test("a server that asks for roots later asks in the midst of calls: from then on each is alone", async () => {
  await using backend = makeBackend(AT_ONCE);
  const clients = ["a", "b", "c"].map((name) => new Client(name));
  const [first] = clients;
  expect(await callTool(backend, "roots", {}, first?.call)).toBe("file:///a");
  await Bun.sleep(TIMES.ROOTS_QUESTION_MS);
  expect(await callTool(backend, "ask_again", {}, first?.call)).toBe("file:///a");
  const answers = await Promise.all(clients.map(({ call }) => callTool(backend, "ask_again", {}, call)));
  expect(answers).toEqual(["file:///a", "file:///b", "file:///c"]);
});

test("clients that say that their roots have changed make the server ask anew, which makes it no asker", async () => {
  await using backend = makeBackend(AT_ONCE);
  const client = new Client("client");
  await callTool(backend, "roots", {}, client.call);
  await Bun.sleep(TIMES.ROOTS_QUESTION_MS);
  for (let times = 0; times < 2; times++)
    backend.notify({ jsonrpc: "2.0", method: Notice.rootsChanged }, caller());
  for (let times = 0; times < 2; times++)
    expect(await callTool(backend, "ask_again", {}, client.call)).toBe("file:///client");
  const stop = new AbortController();
  const slow = callTool(backend, "slow", { ms: 60_000 }, { ...client.call, signal: stop.signal });
  const ends = Promise.allSettled([slow]);
  await waitFor(() => backend.status().inFlight === 1);
  expect(await callTool(backend, "echo", { text: "beside it" }, client.call)).toBe("beside it");
  stop.abort();
  await ends;
});
