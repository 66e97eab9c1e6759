// A client that does not read what it asked for: what waits for it is bounded, and nobody else feels it.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { fixture } from "../support/fixture.ts";
import { openSession, post } from "../support/post.ts";
import { waitFor } from "../support/wait-for.ts";
import { GatewayProcess, programEntry } from "./gateway-process.ts";

const MEGABYTES = 800;
/** Far less than is said: what waits for one client, and what the collector has not come to. */
const MOST_MB = 500;

function call(id: number, megabytes: number) {
  const params = { name: "talk", arguments: { megabytes }, _meta: { progressToken: "p" } };
  return { jsonrpc: "2.0", id, method: "tools/call", params };
}

function rssMb(pid: number): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** Sends one request on a socket of its own and reads nothing of the answer. */
function askWithoutReading(
  gateway: GatewayProcess,
  headers: Record<string, string>,
  body: string,
  path = "/mcp/talker",
) {
  const socket = connect(gateway.port, "127.0.0.1");
  let isCutOff = false;
  socket.pause();
  socket.on("error", () => {
    isCutOff = true;
  });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nContent-Type: application/json\r\n` +
      `Accept: application/json, text/event-stream\r\n${lines.join("")}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return { isCutOff: () => isCutOff, [Symbol.dispose]: () => void socket.destroy() };
}

test("a client that reads nothing costs a bounded piece of memory, and others are served meanwhile", async () => {
  await using gateway = await GatewayProcess.start({
    backends: { talker: programEntry(fixture("talks-much")) },
  });
  const url = `${gateway.url}/mcp/talker`;
  const headers = await openSession(url);
  const answer = await post(url, call(1, 1), headers);
  expect(await answer.text()).toContain('"said"');

  let mostMb = 0;
  const watch = setInterval(() => {
    mostMb = Math.max(mostMb, rssMb(gateway.pid));
  }, 5);
  using watching = new DisposableStack();
  watching.defer(() => clearInterval(watch));
  using _slow = askWithoutReading(gateway, headers, JSON.stringify(call(2, MEGABYTES)));
  const inFlight = async () =>
    (await (await fetch(`${gateway.url}/metrics`)).text()).match(/in_flight\{.*\} 1$/m);
  await waitFor(async () => (await inFlight()) !== null, { what: "the call to begin" });
  const other = await post(url, call(3, 1), await openSession(url));
  expect(await other.text()).toContain('"said"');
  await waitFor(async () => (await inFlight()) === null, { timeoutMs: 90_000, what: "the call to end" });
  expect(mostMb).toBeLessThan(MOST_MB);
}, 120_000);

const ANSWERS = 80;
const ANSWER_BYTES = 8_000_000;
/** What may wait for all clients (128 MiB), and what the process is otherwise. Without a bound it is 700 MB. */
const MOST_AT_REST_MB = 400;

test("large answers that are not read cost a bounded piece of memory together: the oldest are dropped", async () => {
  await using gateway = await GatewayProcess.start({
    backends: { healthy: programEntry(fixture("healthy")) },
  });
  const url = `${gateway.url}/mcp/healthy`;
  const headers = await openSession(url);
  const params = { name: "big", arguments: { bytes: ANSWER_BYTES } };
  const ask = (id: number) => JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params });
  using sockets = new DisposableStack();
  const slow = Array.from({ length: ANSWERS }, (_, id) =>
    sockets.use(askWithoutReading(gateway, headers, ask(id), "/mcp/healthy")),
  );
  const dropped = () => slow.filter(({ isCutOff }) => isCutOff()).length;
  // So many of 8 MB cannot wait within the bound, whatever of each the system holds.
  await waitFor(() => dropped() >= ANSWERS / 4, { timeoutMs: 60_000, what: "a quarter to be dropped" });
  await waitFor(() => rssMb(gateway.pid) < MOST_AT_REST_MB, {
    timeoutMs: 20_000,
    what: "the memory to be freed",
  });
  expect(dropped()).toBeLessThan(ANSWERS);
  expect(gateway.log).toContain("cut off a client that does not read");
  const read = await post(url, JSON.parse(ask(ANSWERS + 1)), headers);
  expect((await read.text()).length).toBeGreaterThan(ANSWER_BYTES);
}, 120_000);
