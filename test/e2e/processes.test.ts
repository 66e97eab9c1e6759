// What runs, when, and what is left: the process table is asked, not the gateway.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { fixture } from "../support/fixture.ts";
import { asBackend, npmServer } from "../support/npm-programs.ts";
import { isRunning } from "../support/process-table.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(30_000);

/** npx, uvx and shells put a process between us and the server, and it hands no signal on. */
function wrapped(name: string, ...args: string[]) {
  return asBackend(fixture("wrapper", `${name}.ts`, ...args));
}

describe("nothing is left of a backend", () => {
  test("that fell asleep, its wrapper's children included; its tools stay, and a call wakes it", async () => {
    const config = { backends: { nested: { ...wrapped("leaves-sleeper"), idle_timeout: 1 } } };
    await using gateway = await GatewayRun.start({ config });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp/nested`);
    const pids = [Number(await sdk.text("pid")), Number(await sdk.text("sleeper"))];
    expect(pids.map(isRunning)).toEqual([true, true]);
    expect(gateway.run.children.length).toBeGreaterThanOrEqual(3);
    await waitFor(async () => (await gateway.backendHealth("nested")).state === "asleep");
    expect(gateway.run.children).toEqual([]);

    expect(await gateway.health()).toMatchObject({
      status: "healthy",
      backends: { nested: { running: false, restart_count: 0, tools_cached: 9 } },
    });
    expect((await sdk.client.listTools()).tools).toHaveLength(9);
    expect(gateway.run.children).toEqual([]);
    expect(await sdk.text("echo", { text: "awake" })).toBe("awake");
    expect(await gateway.backendHealth("nested")).toMatchObject({ running: true, restart_count: 1 });
  });

  test.each(["sleep", "restart", "stop", "second signal"])(
    "not even its daemons, after a %s",
    async (how) => {
      const daemon = {
        ...asBackend(fixture("leaves-sleeper", "detached")),
        idle_timeout: how === "sleep" ? 1 : 0,
      };
      await using gateway = await GatewayRun.start({ config: { backends: { daemon } } });
      await using sdk = await SdkClient.connect(`${gateway.url}/mcp/daemon`);
      const pid = Number(await sdk.text("sleeper"));
      if (how === "restart") await fetch(`${gateway.url}/backends/daemon/restart`, { method: "POST" });
      if (how === "stop" || how === "second signal") gateway.run.signal("SIGTERM");
      if (how === "second signal") gateway.run.signal("SIGINT");
      await waitFor(() => !isRunning(pid), { what: "the end of the daemon" });
    },
  );

  test("except for its daemons, if it keeps them", async () => {
    const daemon = { ...asBackend(fixture("leaves-sleeper", "detached")), keep_detached: true };
    await using gateway = await GatewayRun.start({ config: { backends: { daemon } } });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp/daemon`);
    const pid = Number(await sdk.text("sleeper"));
    gateway.run.signal("SIGTERM");
    await gateway.run.exited();
    expect(isRunning(pid)).toBe(true);
    process.kill(pid, "SIGKILL");
    await waitFor(() => !isRunning(pid));
  });

  test("that failed to start", async () => {
    const config = {
      backends: {
        hanging: { ...wrapped("hangs-on-start"), start_timeout: 1 },
        quitter: asBackend(fixture("exits-at-once")),
      },
    };
    await using gateway = await GatewayRun.start({ config });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    await Promise.all(["hanging", "quitter"].map((server) => sdk.invoke(server, "echo")));
    expect(await waitFor(() => gateway.run.children.length === 0)).toBe(true);
  });

  test("that crashed, its grandchildren included", async () => {
    await using gateway = await GatewayRun.start({
      config: { backends: { nested: wrapped("leaves-sleeper") } },
    });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    const sleeper = Number(await sdk.invoke("nested", "sleeper"));
    await sdk.invoke("nested", "crash");
    await waitFor(() => !isRunning(sleeper));
    expect(gateway.run.children).toEqual([]);
  });

  test("when the gateway stops, however stubborn they are", async () => {
    const config = {
      backends: {
        nested: wrapped("leaves-sleeper"),
        deaf: asBackend(fixture("ignores-eof")),
        stubborn: asBackend(fixture("ignores-sigterm")),
        real: asBackend(npmServer("memory")),
      },
    };
    await using gateway = await GatewayRun.start({ config });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    await Promise.all(
      Object.keys(config.backends).map((server) => sdk.text("gateway_list_tools", { server })),
    );
    expect(gateway.run.children.length).toBeGreaterThanOrEqual(6);
    gateway.run.signal("SIGTERM");
    expect(await gateway.run.exited()).toBe(0);
    expect(gateway.run.children).toEqual([]);
  });

  test("soon after the gateway was killed without a word, if they heed the end of their input", async () => {
    const config = {
      backends: { polite: asBackend(fixture("healthy")), real: asBackend(npmServer("everything")) },
    };
    await using gateway = await GatewayRun.start({ config });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    await Promise.all(
      Object.keys(config.backends).map((server) => sdk.text("gateway_list_tools", { server })),
    );
    expect(gateway.run.children).toHaveLength(2);
    gateway.run.signal("SIGKILL");
    await waitFor(() => gateway.run.children.length === 0);
  });
});

describe("idle_timeout", () => {
  test("does not end a call that takes longer, and counts from its end", async () => {
    const config = { backends: { healthy: { ...asBackend(fixture("healthy")), idle_timeout: 1 } } };
    await using gateway = await GatewayRun.start({ config });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp/healthy`);
    expect(await sdk.text("slow", { ms: 2_500, text: "took its time" })).toBe("took its time");
    expect((await gateway.backendHealth("healthy")).state).toBe("ready");
    await waitFor(async () => (await gateway.backendHealth("healthy")).state === "asleep");
  });

  test("is not put off by looks at /health and /metrics", async () => {
    const config = { backends: { healthy: { ...asBackend(fixture("healthy")), idle_timeout: 1 } } };
    await using gateway = await GatewayRun.start({ config });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp/healthy`);
    await sdk.text("pid");
    await waitFor(async () => {
      await (await fetch(`${gateway.url}/metrics`)).text();
      return (await gateway.backendHealth("healthy")).state === "asleep";
    });
    expect((await gateway.backendHealth("healthy")).restart_count).toBe(0);
  });
});

test("many first calls at once start one process", async () => {
  await using gateway = await GatewayRun.start({
    config: { backends: { healthy: asBackend(fixture("healthy")) } },
  });
  await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
  const pids = await Promise.all(Array.from({ length: 20 }, () => sdk.invoke("healthy", "pid")));
  expect(new Set(pids).size).toBe(1);
  expect(gateway.run.children).toHaveLength(1);
});

test("a tool that comes while a server runs can be found and called, and clients hear of it", async () => {
  await using gateway = await GatewayRun.start({
    config: { backends: { growing: asBackend(fixture("grows-tools")) } },
  });
  await using meta = await SdkClient.connect(`${gateway.url}/mcp`);
  await using direct = await SdkClient.connect(`${gateway.url}/mcp/growing`);
  await direct.client.listTools();
  await direct.text("grow");
  await waitFor(() => direct.listChanges > 0, { what: "tools/list_changed" });
  expect((await direct.client.listTools()).tools.map(({ name }) => name)).toContain("grown_1");
  expect(await meta.invoke("growing", "grown_1")).toBe("I am grown_1");
  expect(meta.listChanges).toBe(0);
});
