// mcp-remote, with which a client that only knows stdio reaches the gateway: it passes everything on, both ways.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { CreateMessageRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { asBackend, mcpRemote, npmServer } from "../support/npm-programs.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { textOf } from "../support/sdk-client.ts";

setDefaultTimeout(30_000);

let stack: AsyncDisposableStack;
let gateway: GatewayRun;
let proxy: RecordingProxy;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  gateway = stack.use(
    await GatewayRun.start({ config: { backends: { everything: asBackend(npmServer("everything")) } } }),
  );
  proxy = stack.use(RecordingProxy.start(gateway.url));
});

afterAll(() => stack.disposeAsync());

describe("through mcp-remote", () => {
  test("the meta-tools list, search and invoke", async () => {
    const client = await connect("/mcp");
    expect((await client.listTools()).tools).toHaveLength(4);
    const query = { name: "gateway_search_tools", arguments: { query: "add two numbers" } };
    expect(textOf(await client.callTool(query))).toContain("get-sum");
    const invoke = { server: "everything", tool: "get-sum", arguments: { a: 2, b: 3 } };
    expect(textOf(await client.callTool({ name: "gateway_invoke", arguments: invoke }))).toBe(
      "The sum of 2 and 3 is 5.",
    );
    await client.close();
  });

  test("a backend shows its whole surface, its questions included", async () => {
    const client = await connect("/mcp/everything");
    expect(client.getServerVersion()?.name).toBe("mcp-servers/everything");
    expect(client.getInstructions()).toContain("Everything Server");
    expect((await client.listResources()).resources.length).toBeGreaterThan(3);
    expect((await client.listPrompts()).prompts.length).toBeGreaterThan(2);
    const steps: number[] = [];
    await client.callTool(
      { name: "trigger-long-running-operation", arguments: { duration: 0.3, steps: 3 } },
      undefined,
      { onprogress: ({ progress }) => steps.push(progress) },
    );
    // The SDK's client forgets a last step that comes in one read with the answer.
    expect(steps.slice(0, 2)).toEqual([1, 2]);
    const sampled = await client.callTool({ name: "trigger-sampling-request", arguments: { prompt: "hm" } });
    expect(textOf(sampled)).toContain("sampled words");
    await client.close();
  });

  test("spoke 2025-11-25, and had every message taken", () => {
    expect(proxy.methods[0]).toBe("initialize");
    expect(proxy.revisions).toEqual(["2025-11-25"]);
    const posts = proxy.exchanges.filter(({ verb }) => verb === "POST");
    expect(posts.filter(({ status }) => status !== 200 && status !== 202)).toEqual([]);
    const probes = proxy.exchanges.filter(({ verb, revision }) => verb === "GET" && revision === null);
    expect(new Set(probes.map(({ status }) => status))).toEqual(new Set([404, 405]));
  });
});

async function connect(path: string): Promise<Client> {
  const [command = "", ...args] = mcpRemote(`${proxy.url}${path}`);
  const client = new Client({ name: "behind-mcp-remote", version: "1" }, { capabilities: { sampling: {} } });
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    role: "assistant",
    model: "test-model",
    content: { type: "text", text: "sampled words" },
  }));
  const { folder } = gateway.run;
  const env = { PATH: process.env.PATH ?? "", HOME: folder, MCP_REMOTE_CONFIG_DIR: folder };
  await client.connect(new StdioClientTransport({ command, args, env, cwd: folder, stderr: "ignore" }));
  return client;
}
