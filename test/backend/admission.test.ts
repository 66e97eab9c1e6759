// max_concurrency: how many calls a backend gets at a time, and what becomes of the others.

import { expect, test } from "bun:test";
import { fixture } from "../support/fixture.ts";
import { waitFor } from "../support/wait-for.ts";
import { callTool, makeBackend, makeCall, program } from "./rig.ts";

const healthy = program(fixture("healthy"));

test("no more calls run than may, and all are answered", async () => {
  await using backend = makeBackend({ ...healthy, max_concurrency: 3 });
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, backend.status().inFlight);
  }, 1);
  const texts = Array.from({ length: 12 }, (_, index) => `call ${index}`);
  const answers = await Promise.all(texts.map((text) => callTool(backend, "slow", { ms: 30, text })));
  clearInterval(watch);
  expect(answers).toEqual(texts);
  expect(most).toBe(3);
});

test("without a limit they all run side by side", async () => {
  await using backend = makeBackend(healthy);
  const calls = Array.from({ length: 30 }, () => callTool(backend, "slow", { ms: 500 }));
  await waitFor(() => backend.status().inFlight === 30);
  await Promise.all(calls);
});

test("a queue that is full refuses at once and says when to come again", async () => {
  await using backend = makeBackend({ ...healthy, max_concurrency: 1 });
  const abort = new AbortController();
  const more = { signal: abort.signal };
  const held = Array.from({ length: 101 }, () => callTool(backend, "slow", { ms: 60_000 }, more));
  const ends = Promise.allSettled(held);
  await expect(callTool(backend, "echo", { text: "one too many" })).rejects.toMatchObject({
    kind: "backend-busy",
    message:
      "it is busy: 1 calls run (max_concurrency) and 100 wait. Nothing was sent; try again in some seconds.",
  });
  abort.abort();
  await ends;
  expect(await callTool(backend, "echo", { text: "free again" })).toBe("free again");
});

test("a flood is refused at its ten thousandth call, and what came before it goes on", async () => {
  await using backend = makeBackend(healthy);
  const abort = new AbortController();
  const flood = Array.from({ length: 10_000 }, () =>
    callTool(backend, "slow", { ms: 60_000 }, { signal: abort.signal }),
  );
  const ends = Promise.allSettled(flood);
  await expect(callTool(backend, "echo", { text: "one too many" })).rejects.toMatchObject({
    kind: "backend-busy",
    message: "it is busy: 10000 calls run. Nothing was sent; try again in some seconds.",
  });
  abort.abort();
  await ends;
  expect(await callTool(backend, "echo", { text: "free again" })).toBe("free again");
});

test("a call that is cancelled in the queue is never sent, and the next one takes its turn", async () => {
  await using backend = makeBackend({ ...healthy, max_concurrency: 1 });
  const first = callTool(backend, "slow", { ms: 300, text: "first" });
  const abort = new AbortController();
  const second = callTool(backend, "crash", {}, { signal: abort.signal });
  const third = callTool(backend, "echo", { text: "third" });
  abort.abort();
  await expect(second).rejects.toMatchObject({ kind: "call-cancelled" });
  expect(await Promise.all([first, third])).toEqual(["first", "third"]);
});

test("a call waits for its turn no longer than for an answer", async () => {
  await using backend = makeBackend({ ...healthy, max_concurrency: 1, request_timeout: "300ms" });
  await callTool(backend, "echo", { text: "up" });
  const abort = new AbortController();
  // Its progress renews its own time, and no other's.
  const params = { name: "progress", arguments: { ms: 50, steps: 1_000 }, _meta: { progressToken: 1 } };
  const busy = backend.call(makeCall("tools/call", params, { signal: abort.signal }));
  const ends = Promise.allSettled([busy]);
  await expect(callTool(backend, "echo", { text: "late" })).rejects.toMatchObject({
    kind: "backend-busy",
    message: expect.stringContaining(
      "the call waited 0.3 s for its turn (request_timeout) and was never sent",
    ),
  });
  abort.abort();
  await ends;
});
