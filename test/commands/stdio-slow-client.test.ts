// `stdio` with a client that does not read what it asks for, or has closed its end.

import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBinary } from "../support/binary.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(60_000);

const MEGABYTE = 1_000_000;
const FEW = 20;
/** Their answers are more than may be held. */
const MANY = 200;
/** Far less than the answers to all calls. */
const MOST_MB = 300;

let folder: string;
let gateway: ChildProcessWithoutNullStreams;
let received: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mcp-gateway-stdio-"));
  const config = { backends: { healthy: asBackend(fixture("healthy")) } };
  writeFileSync(join(folder, "servers.yaml"), JSON.stringify(config));
  const env = { PATH: process.env.PATH, HOME: folder, XDG_STATE_HOME: folder, XDG_CACHE_HOME: folder };
  received = "";
  gateway = spawn(await findBinary(), ["stdio", "--backend", "healthy"], { cwd: folder, env });
  gateway.stdin.on("error", () => undefined);
  gateway.stderr.resume();
  const clientInfo = { name: "slow", version: "1" };
  const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo };
  send({ jsonrpc: "2.0", id: "first", method: "initialize", params });
  await new Promise((resolve) => gateway.stdout.once("data", resolve));
  gateway.stdout.pause();
});
afterEach(() => {
  gateway.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function send(message: object): void {
  gateway.stdin.write(`${JSON.stringify(message)}\n`);
}

function askForMuch(calls: number): void {
  for (let id = 0; id < calls; id++) {
    const params = { name: "big", arguments: { bytes: 2 * MEGABYTE } };
    send({ jsonrpc: "2.0", id, method: "tools/call", params });
  }
}

function rssMb(): number {
  const status = readFileSync(`/proc/${gateway.pid}/status`, "utf8");
  return Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) / 1024;
}

const exited = () => new Promise<unknown>((resolve) => gateway.once("exit", resolve));

test("a client that reads nothing is not listened to, and gets all when it reads", async () => {
  askForMuch(FEW);
  const pad = "p".repeat(60_000);
  let pings = 0;
  let polls = 0;
  let isTaken = true;
  // The gateway reads what is sent until so much waits for the client that it stops.
  await waitFor(
    () => {
      polls += 1;
      if (!isTaken) return polls > 50;
      [isTaken, polls] = [false, 0];
      const ping = { jsonrpc: "2.0", id: `ping-${pings++}`, method: "ping", params: { pad } };
      gateway.stdin.write(`${JSON.stringify(ping)}\n`, () => {
        isTaken = true;
      });
      return false;
    },
    { timeoutMs: 30_000, what: "the gateway to stop reading" },
  );
  expect(rssMb()).toBeLessThan(MOST_MB);
  const answers = new Set<unknown>();
  gateway.stdout.on("data", (chunk: Buffer) => {
    const lines = (received + chunk.toString("latin1")).split("\n");
    received = lines.pop() ?? "";
    for (const line of lines) answers.add(JSON.parse(line).id);
  });
  gateway.stdout.resume();
  await waitFor(() => answers.size === FEW + pings, { timeoutMs: 30_000, what: "all answers" });
});

test("a client that has closed its end ends the gateway, with exit code 0", async () => {
  gateway.stdout.destroy();
  const end = exited();
  askForMuch(MANY);
  expect(await end).toBe(0);
});

test("a client that reads nothing at all loses the gateway when too much is held for it", async () => {
  const end = exited();
  askForMuch(MANY);
  expect(await end).toBe(0);
});

test("a client that reads nothing does not keep SIGTERM from ending the gateway", async () => {
  askForMuch(FEW);
  await waitFor(() => rssMb() > 100, { what: "answers that wait" });
  const end = exited();
  gateway.kill("SIGTERM");
  expect(await end).toBe(0);
});

test("a line that is too long is refused, and the next one is answered", async () => {
  gateway.stdin.write(
    `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"${"y".repeat(17 * MEGABYTE)}"}}\n`,
  );
  send({ jsonrpc: "2.0", id: 2, method: "ping" });
  gateway.stdout.on("data", (chunk: Buffer) => {
    received += chunk.toString();
  });
  gateway.stdout.resume();
  await waitFor(() => received.split("\n").length > 2, { what: "two answers" });
  expect(
    received
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { id: null, error: { code: -32600, message: expect.stringContaining("16 MiB") } },
    { id: 2, result: {} },
  ]);
});
