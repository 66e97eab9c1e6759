// A gateway that starts over thirty sleeping backends which an earlier run of it has known: everything is answered at
// once, no child is started for it, and a child that is started later corrects what has changed.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixture } from "../support/fixture.ts";
import { findFreePort, GatewayRun, ProgramRun } from "../support/run-gateway.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { TAG, taggedProcesses } from "../support/tagged-processes.ts";
import { waitFor } from "../support/wait-for.ts";

const COUNT = 30;
const SECRET = "hush-hush-4711";
const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-remembered-"));
const env = { XDG_CACHE_HOME: folder };
/** The same in every run: what a backend gets is a part of what it is. */
const tag = crypto.randomUUID();
const names = Array.from({ length: COUNT }, (_, index) => `server-${index}`);

function config(): { prewarm: boolean; backends: Record<string, object> } {
  const backends = names.map((name) => {
    const release = join(folder, `${name}.json`);
    const [command = "", ...args] = fixture("tools-from-file", release);
    return [name, { command, args, env: { [TAG]: tag } }];
  });
  return { prewarm: false, backends: Object.fromEntries(backends) };
}

function publish(name: string, version: string): void {
  const tools = { [`paint_${name.replace("-", "_")}`]: `Paints a wall for ${name} in the colour ${version}` };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ version, tools }));
}

beforeAll(async () => {
  for (const name of names) publish(name, "1.0");
  await using gateway = await GatewayRun.start({ config: config(), env: { ...env, TOKEN: SECRET } });
  await using client = await SdkClient.connect(`${gateway.url}/mcp`);
  await client.text("gateway_search_tools", { query: "paint" });
  await waitFor(async () => {
    const { backends } = await gateway.health();
    return Object.values(backends).every(({ tools_cached }) => tools_cached > 0);
  });
}, 60_000);

afterAll(() => {
  rmSync(folder, { recursive: true });
  expect(taggedProcesses(tag)).toEqual([]);
});

test("each backend has one file, for its owner alone", () => {
  const kept = readdirSync(join(folder, "mcp-gateway", "catalogs-2"));
  expect(kept).toHaveLength(COUNT);
  for (const name of kept) {
    expect(readFileSync(join(folder, "mcp-gateway", "catalogs-2", name), "utf8")).not.toContain(SECRET);
  }
});

test("from exec to the answer of a search no child is needed, and little time", async () => {
  const port = findFreePort();
  const startedMs = performance.now();
  await using _run = await ProgramRun.start(["-p", String(port)], { config: config(), env });
  const text = await waitFor(() => search(port));
  const tookMs = performance.now() - startedMs;
  console.log(`a search answered ${Math.round(tookMs)} ms after exec, over ${COUNT} remembered backends`);
  expect(text).toContain("server-7.paint_server_7(");
  expect(taggedProcesses(tag)).toEqual([]);
  expect(tookMs).toBeLessThan(2_000); // A loaded machine's; the promise is 150 ms.
});

test("a client is introduced and shown the tools of a backend that sleeps", async () => {
  await using gateway = await GatewayRun.start({ config: config(), env });
  await using client = await SdkClient.connect(`${gateway.url}/mcp/server-3`);
  expect(client.client.getServerVersion()).toEqual({ name: "tools-from-file", version: "1.0" });
  const { tools } = await client.client.listTools();
  expect(tools.map(({ name }) => name)).toContain("paint_server_3");
  expect(taggedProcesses(tag)).toEqual([]);
  expect(await gateway.backendHealth("server-3")).toMatchObject({
    state: "stopped",
    restart_count: 0,
    catalog: "remembered",
    catalog_listed_at: expect.stringMatching(/^\d{4}-/),
  });
});

test("what has changed meanwhile is told when the backend runs", async () => {
  publish("server-5", "2.0");
  await using gateway = await GatewayRun.start({ config: config(), env });
  await using client = await SdkClient.connect(`${gateway.url}/mcp/server-5`);
  const before = await client.client.listTools();
  expect(JSON.stringify(before)).toContain("the colour 1.0");
  await client.client.callTool({ name: "paint_server_5", arguments: {} });
  await waitFor(() => client.listChanges > 0);
  expect(JSON.stringify(await client.client.listTools())).toContain("the colour 2.0");
  expect(gateway.stderr).toContain("server 1.0 → 2.0; tools changed: paint_server_5");
  expect(await gateway.backendHealth("server-5")).toMatchObject({ catalog: "fresh" });
});

test("a check says what has changed since the last good start, and forgets nothing", async () => {
  publish("server-6", "3.0");
  for (const _time of ["first", "second"]) {
    await using run = await ProgramRun.start(["check", "--connect"], { config: config(), env });
    run.endInput();
    await run.exited();
    expect(run.stdout).toContain("server-6: changed since the last good start on ");
    expect(run.stdout).toContain("server 1.0 → 3.0; tools changed: paint_server_6");
    expect(run.stdout).not.toContain("server-7: changed");
  }
});

async function search(port: number): Promise<string | undefined> {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const name = "gateway_search_tools";
  const params = { name, arguments: { query: "paint a wall", limit: COUNT }, _meta: meta };
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": name,
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
  const response = await fetch(`http://127.0.0.1:${port}/mcp`, { method: "POST", headers, body }).catch(
    () => undefined,
  );
  return response?.text();
}
