// The MCP Inspector's command line, in each era that it can be told to speak.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { asBackend, inspectorCli, npmServer } from "../support/npm-programs.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { GatewayRun } from "../support/run-gateway.ts";

setDefaultTimeout(30_000);

let stack: AsyncDisposableStack;
let gateway: GatewayRun;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  gateway = stack.use(
    await GatewayRun.start({ config: { backends: { everything: asBackend(npmServer("everything")) } } }),
  );
});

afterAll(() => stack.disposeAsync());

const eras = [
  { era: "legacy", opening: "initialize", revision: "2025-11-25" },
  { era: "auto", opening: "server/discover", revision: "2026-07-28" },
  { era: "modern", opening: "server/discover", revision: "2026-07-28" },
];

describe.each(eras)("$era", ({ era, opening, revision }) => {
  let proxy: RecordingProxy;

  beforeAll(() => {
    proxy = RecordingProxy.start(gateway.url);
  });

  afterAll(() => proxy[Symbol.asyncDispose]());

  const inspect = (path: string, method: string, ...args: string[]) =>
    runInspector(`${proxy.url}${path}`, "--protocol-era", era, "--method", method, ...args);

  test("lists the meta-tools, searches, and invokes", async () => {
    expect((await inspect("/mcp", "tools/list")).tools).toHaveLength(4);
    const search = ["--tool-name", "gateway_search_tools", "--tool-args-json", '{"query":"add two numbers"}'];
    expect(JSON.stringify(await inspect("/mcp", "tools/call", ...search))).toContain("get-sum");
    const args = '{"server":"everything","tool":"get-sum","arguments":{"a":2,"b":3}}';
    const invoke = ["--tool-name", "gateway_invoke", "--tool-args-json", args];
    expect(await inspect("/mcp", "tools/call", ...invoke)).toMatchObject({
      content: [{ type: "text", text: "The sum of 2 and 3 is 5." }],
    });
  });

  test("sees the backend itself", async () => {
    const path = "/mcp/everything";
    const document = "demo://resource/static/document/features.md";
    const [tools, echo, resources, templates, read, prompts, prompt] = await Promise.all([
      inspect(path, "tools/list"),
      inspect(path, "tools/call", "--tool-name", "echo", "--tool-arg", "message=hi"),
      inspect("/everything/mcp", "resources/list"),
      inspect(path, "resources/templates/list"),
      inspect(path, "resources/read", "--uri", document),
      inspect(path, "prompts/list"),
      inspect(path, "prompts/get", "--prompt-name", "args-prompt", "--prompt-args", "city=Oslo"),
    ]);
    expect(JSON.stringify(tools)).toContain('"get-tiny-image"');
    expect(echo).toMatchObject({ content: [{ text: "Echo: hi" }] });
    expect(JSON.stringify(resources)).toContain(document);
    expect(JSON.stringify(templates)).toContain("demo://resource/dynamic/text/{resourceId}");
    expect(read).toMatchObject({ contents: [{ text: expect.stringContaining("# Everything Server") }] });
    expect(JSON.stringify(prompts)).toContain("args-prompt");
    expect(JSON.stringify(prompt)).toContain("Oslo");
  });

  test(`has spoken ${revision}`, () => {
    expect(proxy.methods[0]).toBe(opening);
    expect(proxy.revisions).toEqual([revision]);
    expect(proxy.exchanges.filter(({ status }) => status >= 400)).toEqual([]);
  });
});

/** The result as the Inspector prints it. */
async function runInspector(url: string, ...args: string[]): Promise<Record<string, unknown>> {
  const command = inspectorCli("--server-url", url, "--transport", "http", "--format", "json", "-q", ...args);
  const run = Bun.spawn(command, {
    cwd: gateway.run.folder,
    env: { ...process.env, HOME: gateway.run.folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, exitCode] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  if (exitCode !== 0) throw new Error(`the Inspector ended with ${exitCode}: ${stderr}${stdout}`);
  const { result } = JSON.parse(stdout);
  return result;
}
