// `stdio`: the gateway for a client that only speaks over pipes. stdout carries messages and nothing else.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { findBinary } from "../support/binary.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend, npmServer } from "../support/npm-programs.ts";
import { ProgramRun, runToEnd } from "../support/run-gateway.ts";
import { textOf } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(30_000);

const config = {
  backends: { healthy: asBackend(fixture("healthy")), everything: asBackend(npmServer("everything")) },
};
const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "x", version: "1" } },
};

describe("the official SDK's client", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "mcp-gateway-stdio-"));
    writeFileSync(join(folder, "servers.yaml"), JSON.stringify(config));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const connect = async (...args: string[]) => {
    const client = new Client({ name: "over-pipes", version: "1" });
    const env = { PATH: process.env.PATH ?? "", HOME: folder, XDG_STATE_HOME: folder };
    const command = await findBinary();
    await client.connect(
      new StdioClientTransport({ command, args: ["stdio", ...args], env, cwd: folder, stderr: "ignore" }),
    );
    return client;
  };

  test("sees the four meta-tools", async () => {
    const client = await connect();
    expect((await client.listTools()).tools).toHaveLength(4);
    const args = { server: "healthy", tool: "echo", arguments: { text: "over pipes" } };
    expect(textOf(await client.callTool({ name: "gateway_invoke", arguments: args }))).toBe("over pipes");
    await client.close();
  });

  test("sees one backend as it is with --backend", async () => {
    const client = await connect("--backend", "everything", "-c", "servers.yaml");
    expect(client.getServerVersion()?.name).toBe("mcp-servers/everything");
    expect(textOf(await client.callTool({ name: "echo", arguments: { message: "hi" } }))).toBe("Echo: hi");
    await client.close();
  });

  test("sees all tools with --no-meta-mcp", async () => {
    const client = await connect("--no-meta-mcp");
    expect((await client.listTools()).tools.map(({ name }) => name)).toContainValues([
      "healthy__echo",
      "everything__echo",
    ]);
    await client.close();
  });
});

test("stdout carries messages alone, and the end of stdin ends everything", async () => {
  await using run = await ProgramRun.start(["stdio", "--log-level", "debug"], { config });
  run.send(INITIALIZE);
  run.send({ jsonrpc: "2.0", method: "notifications/initialized" });
  const call = {
    name: "gateway_invoke",
    arguments: { server: "healthy", tool: "echo", arguments: { text: "x" } },
  };
  run.send({ jsonrpc: "2.0", id: 2, method: "tools/call", params: call });
  await waitFor(() => run.stdout.includes('"id":2'));
  run.endInput();
  expect(await run.exited()).toBe(0);
  const messages = run.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(messages).toMatchObject([
    { jsonrpc: "2.0", id: 1, result: { protocolVersion: "2025-06-18" } },
    { jsonrpc: "2.0", id: 2, result: { content: [{ text: "x" }] } },
  ]);
  expect(run.stderr).toContain("DEBUG");
  expect(run.children).toEqual([]);
});

test("what is no message is answered as such, an empty batch too", async () => {
  await using run = await ProgramRun.start(["stdio"], { config });
  run.send([]);
  run.send({ jsonrpc: "2.0", id: 1 });
  await waitFor(() => run.stdout.split("\n").length > 2);
  const messages = run.stdout.trimEnd().split("\n");
  for (const text of messages) expect(JSON.parse(text)).toMatchObject({ id: null, error: { code: -32600 } });
});

test("a call that is in flight when stdin ends is still answered", async () => {
  await using run = await ProgramRun.start(["stdio", "--backend", "healthy"], { config });
  run.send(INITIALIZE);
  run.send({ jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "slow", arguments: { ms: 300 } } });
  run.endInput();
  expect(await run.exited()).toBe(0);
  expect(run.stdout).toContain('"text":"done"');
});

test("a call that a signal cuts off is answered", async () => {
  await using run = await ProgramRun.start(["stdio", "--backend", "healthy"], { config });
  run.send(INITIALIZE);
  run.send({
    jsonrpc: "2.0",
    id: 2,
    method: "tools/call",
    params: { name: "slow", arguments: { ms: 60_000 } },
  });
  run.send({
    jsonrpc: "2.0",
    id: 3,
    method: "tools/call",
    params: { name: "echo", arguments: { text: "x" } },
  });
  await waitFor(() => run.stdout.includes('"id":3'));
  run.signal("SIGTERM");
  expect(await run.exited()).toBe(0);
  expect(run.stdout).toMatch(/"id":2,"error":.*stopped this backend before tools\/call was answered/);
});

test.each(["SIGINT", "SIGTERM"] as const)("%s ends everything", async (signal) => {
  await using run = await ProgramRun.start(["stdio", "--backend", "healthy"], { config });
  run.send(INITIALIZE);
  await waitFor(() => run.stdout.includes('"id":1'));
  expect(run.children).toHaveLength(1);
  run.signal(signal);
  expect(await run.exited()).toBe(0);
  expect(run.children).toEqual([]);
});

test("an unknown backend: exit code 1, and those that there are, on stderr", async () => {
  const { exitCode, stdout, stderr } = await runToEnd(["stdio", "--backend", "nobody"], { config });
  expect([exitCode, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/"nobody".*healthy, everything/);
});
