// `mcp-gateway status` and `mcp-gateway restart` against running gateways and real processes, and who may ask for them.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { Value } from "@sinclair/typebox/value";
import { Gateway } from "../../src/gateway.ts";
import { GatewayStatus } from "../../src/ops/status.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { descendants, isRunning } from "../support/process-table.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(30_000);

const main = join(import.meta.dir, "../../src/main.ts");
const folder = mkdtempSync(join(tmpdir(), "status-"));
const TOKEN = "status-test-token-4711";
const owned = new AsyncDisposableStack();
const healthy = asBackend(fixture("healthy"));
const [shell, ...rest] = ["/bin/sh", "-c", '"$0" "$@"', ...fixture("healthy")];
let gateway: Gateway;
let sdk: SdkClient;

beforeAll(async () => {
  const options = { stateFolder: folder, cacheFolder: folder };
  const backends = {
    healthy,
    nested: { command: shell ?? "", args: rest },
    sleeper: { ...healthy, idle_timeout: 0.2 },
    missing: { command: join(folder, "not-yet") },
    off: { ...healthy, enabled: false },
    remote: { http_url: "http://127.0.0.1:9/mcp" },
  };
  gateway = owned.use(await Gateway.start({ port: 0, backends }, options));
  sdk = owned.use(await SdkClient.connect(`${gateway.url}/mcp`));
});

afterAll(async () => {
  await owned.disposeAsync();
  rmSync(folder, { recursive: true });
});

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, main, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { stdout, stderr, exitCode };
}

async function readStatus(): Promise<GatewayStatus> {
  const { stdout } = await run(["status", "--url", gateway.url, "--json"]);
  const reply: unknown = JSON.parse(stdout);
  if (!Value.Check(GatewayStatus, reply)) throw new Error(`not a status: ${stdout}`);
  return reply;
}

async function backendStatus(name: string) {
  const found = (await readStatus()).backends[name];
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

describe("status", () => {
  test("tells of each backend its processes and what they take, grandchildren included", async () => {
    const [alone, nested] = await Promise.all(["healthy", "nested"].map((name) => sdk.invoke(name, "pid")));
    const status = await readStatus();
    expect(status).toMatchObject({ pid: process.pid, config_error: null });
    expect(status.backends.healthy).toMatchObject({ state: "ready", pids: [Number(alone)], processes: 1 });
    const [root = 0] = status.backends.nested?.pids ?? [];
    expect(descendants(root).map(({ pid }) => pid)).toEqual([Number(nested)]);
    expect(status.backends.nested?.processes).toBe(2);
    for (const backend of [status.backends.healthy, status.backends.nested]) {
      expect(backend?.memory_bytes).toBeGreaterThan(5e6);
      expect(backend?.memory_bytes).toBeLessThan(1e9);
      expect(backend?.cpu_seconds).toBeNumber();
    }
    expect(status.totals.backends_memory_bytes).toBeGreaterThan(10e6);
  });

  test("counts calls: all of them, those that failed, and tools that said that they went wrong", async () => {
    const before = (await backendStatus("healthy")).calls;
    await sdk.invoke("healthy", "echo", { text: "x" });
    await sdk.invoke("healthy", "fail");
    await sdk.invoke("healthy", "crash");
    const { calls, last_error: error, tools, definition_bytes: bytes } = await backendStatus("healthy");
    expect(calls.total - before.total).toBe(3);
    expect(calls.failed - before.failed).toBe(1);
    expect(calls.tool_errors - before.tool_errors).toBe(1);
    expect(error).toContain("the database is on fire");
    expect(tools).toBe(8);
    expect(bytes).toBeGreaterThan(400);
  });

  test("says what sleeping saves, and starts nothing by looking", async () => {
    const pid = Number(await sdk.invoke("sleeper", "pid"));
    await waitFor(() => !isRunning(pid));
    const { sleeper, off, remote } = (await readStatus()).backends;
    expect(sleeper).toMatchObject({ state: "asleep", pids: [], memory_bytes: null, starts: 1 });
    expect(sleeper?.sleep_saves_bytes).toBeGreaterThan(5e6);
    expect((await readStatus()).totals.sleep_saves_bytes).toBe(sleeper?.sleep_saves_bytes ?? 0);
    expect(off).toMatchObject({ state: "disabled", starts: 0, tools: null });
    expect(remote).toMatchObject({ transport: "http", starts: 0, pids: [] });
  });

  test("is a table for people", async () => {
    const { stdout, stderr, exitCode } = await run(["status", "--url", `${gateway.url}/mcp`]);
    expect(stdout).toContain(`at ${gateway.url}, pid ${process.pid}`);
    expect(stdout).toMatch(/ {2}sleeper +asleep +- +- +- +1 +0 +8 +[\d.]+ kB +[\d.]+ MB\n/);
    expect(stdout).toMatch(/kB of definitions; mcp-gateway tokens counts what they cost a model/);
    expect([stderr, exitCode]).toEqual(["", 0]);
  });

  test("says where nobody answers, and exits with 1", async () => {
    const { stdout, stderr, exitCode } = await run(["status", "--url", "http://127.0.0.1:9"]);
    expect([stdout, exitCode]).toEqual(["", 1]);
    expect(stderr).toBe(
      "Error: no gateway answers at http://127.0.0.1:9/status: nothing listens there. " +
        "Start the gateway, or say with --url where it listens.\n",
    );
  });
});

describe("restart", () => {
  test("ends the process and starts another one, and calls in flight finish on the old one", async () => {
    const pid = Number(await sdk.invoke("healthy", "pid"));
    const slow = sdk.invoke("healthy", "slow", { ms: 4_000, text: "to the end" });
    await waitFor(async () => (await backendStatus("healthy")).calls.in_flight === 1);
    const { stdout, stderr, exitCode } = await run(["restart", "healthy", "--url", gateway.url]);
    expect(stdout).toMatch(/^healthy is ready \(\d+ ms\)\n$/);
    expect([stderr, exitCode]).toEqual(["", 0]);
    expect(Number(await sdk.invoke("healthy", "pid"))).not.toBe(pid);
    expect(await slow).toBe("to the end");
    await waitFor(() => !isRunning(pid));
  });

  test("is counted: 0 after the first start, 1 after a restart, in status and health alike", async () => {
    await sdk.invoke("nested", "pid");
    const counts = async () => {
      const health: unknown = await (await fetch(`${gateway.url}/health`)).json();
      const of = Object(health).backends.nested.restart_count;
      const { starts, restart_count } = await backendStatus("nested");
      return [starts, restart_count, of];
    };
    expect(await counts()).toEqual([1, 0, 0]);
    await run(["restart", "nested", "--url", gateway.url]);
    expect(await counts()).toEqual([2, 1, 1]);
    await run(["restart", "nested", "--url", gateway.url]);
    expect(await counts()).toEqual([3, 2, 2]);
  });

  test("tries again what had failed for good, and says why where it fails still", async () => {
    expect(await sdk.invoke("missing", "echo", { text: "x" })).toContain("not-yet");
    const failed = await run(["restart", "missing", "--url", gateway.url]);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain("not-yet");
    writeFileSync(join(folder, "not-yet"), `#!/bin/sh\nexec ${fixture("healthy").join(" ")}\n`, {
      mode: 0o755,
    });
    expect(existsSync(join(folder, "not-yet"))).toBe(true);
    expect((await run(["restart", "missing", "--url", gateway.url])).exitCode).toBe(0);
    expect(await sdk.invoke("missing", "echo", { text: "mended" })).toBe("mended");
  });

  test.each([
    ["nobody", /Unknown backend "nobody"; known are healthy/],
    ["off", /off is disabled/],
    ["../mcp", /Not the name of a backend|Unknown backend|Nothing at/],
  ])("of %p says why it cannot be", async (name, words) => {
    const { stderr, exitCode } = await run(["restart", name, "--url", gateway.url]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(words);
  });
});

describe("both", () => {
  test("want the token where there is one, and find it in the environment or the configuration", async () => {
    await using closed = await Gateway.start(
      { port: 0, auth: { token: TOKEN }, backends: { healthy } },
      { stateFolder: folder, cacheFolder: folder },
    );
    const refused = await run(["status", "--url", closed.url]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("wants its token");
    expect(refused.stderr).toContain("MCP_GATEWAY_TOKEN");
    expect((await run(["status", "--url", closed.url], { MCP_GATEWAY_TOKEN: TOKEN })).exitCode).toBe(0);
    const config = join(folder, "closed.yaml");
    const { port } = new URL(closed.url);
    writeFileSync(config, `port: ${port}\nauth: {token: ${TOKEN}}\nbackends: {}\n`);
    expect((await run(["restart", "healthy", "-c", config])).stdout).toContain("healthy is ready");
  });

  test("are refused to pages of other origins", async () => {
    const url = `${gateway.url}/backends/healthy/restart`;
    const headers = { origin: "http://evil.example" };
    expect((await fetch(url, { method: "POST", headers })).status).toBe(403);
    expect((await fetch(`${gateway.url}/status`, { headers })).status).toBe(403);
  });

  test("are refused to other machines where there is no token", async () => {
    await using everywhere = await Gateway.start(
      { port: 0, host: "0.0.0.0", auth: { disabled: true }, backends: { healthy } },
      { stateFolder: folder, cacheFolder: folder },
    );
    const { port } = new URL(everywhere.url);
    const address = Object.values(networkInterfaces())
      .flatMap((interfaces) => interfaces ?? [])
      .find(({ internal, family }) => !internal && family === "IPv4")?.address;
    expect((await fetch(`http://127.0.0.1:${port}/status`)).status).toBe(200);
    const afar = await fetch(`http://${address}:${port}/status`);
    expect(afar.status).toBe(403);
    expect(await afar.text()).toContain("auth.token");
    const restart = `http://${address}:${port}/backends/healthy/restart`;
    expect((await fetch(restart, { method: "POST" })).status).toBe(403);
    expect((await fetch(`http://${address}:${port}/health`)).status).toBe(200);
  });
});
