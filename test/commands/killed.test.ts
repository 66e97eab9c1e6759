// What is left of a gateway that did not get to end its children: nothing, at the latest when the next one starts.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { isRunning } from "../support/process-table.ts";
import { GatewayRun, ProgramRun } from "../support/run-gateway.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(60_000);

const backends = {
  polite: asBackend(fixture("healthy")),
  deaf: asBackend(fixture("ignores-eof")),
  stubborn: asBackend(fixture("ignores-sigterm")),
};

async function pidsOf(gateway: GatewayRun): Promise<Record<string, number>> {
  await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
  const names = Object.keys(backends);
  const pids = await Promise.all(names.map((server) => sdk.invoke(server, "pid")));
  return Object.fromEntries(names.map((name, index) => [name, Number(pids[index])]));
}

describe("kill -9", () => {
  test("ends polite children at once; the next gateway ends the others, and no living gateway's", async () => {
    await using killed = await GatewayRun.start({ config: { backends } });
    // The same state folder for all of them, as one user's gateways have it.
    const env = { XDG_STATE_HOME: killed.run.folder };
    await using beside = await GatewayRun.start({ config: { backends }, env });
    const [pids, pidsBeside] = [await pidsOf(killed), await pidsOf(beside)];
    const pages = () => readdirSync(join(killed.run.folder, "mcp-gateway", "children"));
    expect(pages()).toHaveLength(2);
    killed.run.signal("SIGKILL");
    await killed.run.exited();
    await waitFor(() => !isRunning(pids.polite ?? 0));
    expect(isRunning(pids.deaf ?? 0)).toBe(true);

    await using next = await GatewayRun.start({ config: { backends: {} }, env });
    await waitFor(() => !Object.values(pids).some(isRunning), { what: "the orphans to end" });
    expect(Object.values(pidsBeside).filter(isRunning)).toHaveLength(3);
    await waitFor(() => pages().length === 1);
    await waitFor(() => next.stderr.includes("ended a child that a killed gateway had left behind"));
  });

  // On macOS, `sleep` does not let anybody see its environment.
  test.skipIf(process.platform === "darwin")(
    "leaves what a polite child has started to the next gateway",
    async () => {
      const config = { backends: { nested: asBackend(fixture("leaves-sleeper")) } };
      await using killed = await GatewayRun.start({ config });
      await using sdk = await SdkClient.connect(`${killed.url}/mcp`);
      const pid = Number(await sdk.invoke("nested", "pid"));
      const sleeper = Number(await sdk.invoke("nested", "sleeper"));
      killed.run.signal("SIGKILL");
      await killed.run.exited();
      await waitFor(() => !isRunning(pid));
      expect(isRunning(sleeper)).toBe(true);
      const env = { XDG_STATE_HOME: killed.run.folder };
      await using _next = await GatewayRun.start({ config: { backends: {} }, env });
      await waitFor(() => !isRunning(sleeper), { what: "the orphan to end" });
    },
  );

  test("time and again leaves nothing once the next one has started", async () => {
    await using first = await GatewayRun.start({ config: { backends: {} } });
    const env = { XDG_STATE_HOME: first.run.folder };
    for (let count = 0; count < 4; count += 1) {
      await using gateway = await GatewayRun.start({ config: { backends }, env });
      const pids = Object.values(await pidsOf(gateway));
      gateway.run.signal("SIGKILL");
      await gateway.run.exited();
      await using _next = await GatewayRun.start({ config: { backends: {} }, env });
      await waitFor(() => !pids.some(isRunning), { what: "the orphans to end" });
    }
  });
});

describe("a second signal", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("%s kills the process groups of all children", async (signal) => {
    const config = { backends: { ...backends, nested: asBackend(fixture("leaves-sleeper")) } };
    await using gateway = await GatewayRun.start({ config });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    const sleeper = Number(await sdk.invoke("nested", "sleeper"));
    const { polite, deaf, stubborn } = await pidsOf(gateway);
    const pids = [polite, deaf, stubborn, sleeper].map(Number);
    const slow = sdk.invoke("deaf", "slow", { ms: 60_000 }).catch(() => "cut off");
    await waitFor(async () => (await gateway.backendHealth("deaf")).in_flight === 1);
    gateway.run.signal(signal);
    await waitFor(() => gateway.stderr.includes("a second signal stops at once"));
    // The others may have ended by now, as they were asked to.
    expect([deaf, stubborn].map(Number).every(isRunning)).toBe(true);
    gateway.run.signal(signal);
    expect(await gateway.run.exited()).toBe(130);
    await waitFor(() => !pids.some(isRunning), { timeoutMs: 5_000, what: "all of them to be gone" });
    expect(gateway.run.children).toEqual([]);
    await slow;
  });

  test("kills what a child has started and left, while the gateway is ending it", async () => {
    const config = { backends: { nested: asBackend(fixture("ignores-eof")) } };
    await using gateway = await GatewayRun.start({ config });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    const pid = Number(await sdk.invoke("nested", "pid"));
    gateway.run.signal("SIGTERM");
    await waitFor(() => gateway.stderr.includes("a second signal stops at once"));
    expect(isRunning(pid)).toBe(true);
    gateway.run.signal("SIGTERM");
    await gateway.run.exited();
    await waitFor(() => !isRunning(pid), { timeoutMs: 5_000 });
  });
});

async function startStdio(): Promise<ProgramRun> {
  const run = await ProgramRun.start(["stdio"], { config: { backends } });
  const clientInfo = { name: "c", version: "1" };
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
  run.send({ jsonrpc: "2.0", id: 1, method: "initialize", params });
  await waitFor(() => run.stdout.includes('"id":1'));
  run.send({ jsonrpc: "2.0", method: "notifications/initialized" });
  const called = { name: "gateway_invoke", arguments: { server: "deaf", tool: "pid" } };
  run.send({ jsonrpc: "2.0", id: 2, method: "tools/call", params: called });
  await waitFor(() => run.stdout.includes('"id":2'));
  expect(run.children).toHaveLength(1);
  return run;
}

describe("the gateway of one stdio client", () => {
  test("leaves nothing either, when it is killed and another gateway starts", async () => {
    await using run = await startStdio();
    run.signal("SIGKILL");
    await run.exited();
    expect(run.children).toHaveLength(1);
    const env = { XDG_STATE_HOME: run.folder };
    await using next = await GatewayRun.start({ config: { backends: {} }, env });
    await waitFor(() => run.children.length === 0);
    expect(next.run.isRunning).toBe(true);
  });

  test("kills its children at the second signal", async () => {
    await using run = await startStdio();
    await waitFor(() => {
      run.signal("SIGTERM");
      return !run.isRunning;
    });
    expect(await run.exited()).toBe(130);
    await waitFor(() => run.children.length === 0, { timeoutMs: 5_000 });
  });
});
