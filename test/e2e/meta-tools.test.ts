// Four real servers behind the four meta-tools, as a model's client uses them: find, look closer, call.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { fixture } from "../support/fixture.ts";
import { asBackend, npmServer } from "../support/npm-programs.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { allText, SdkClient, textOf } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(30_000);

const MAX_TOKENS = 400;

let stack: AsyncDisposableStack;
let gateway: GatewayRun;
let sdk: SdkClient;
let folder: string;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  folder = mkdtempSync(join(tmpdir(), "mcp-gateway-files-"));
  stack.defer(() => rmSync(folder, { recursive: true }));
  gateway = stack.use(
    await GatewayRun.start({
      config: {
        backends: {
          everything: asBackend(npmServer("everything")),
          files: { ...asBackend(npmServer("filesystem", folder)), description: "files of one folder" },
          memory: {
            ...asBackend(npmServer("memory")),
            env: { MEMORY_FILE_PATH: join(folder, "memory.json") },
          },
          thinking: asBackend(npmServer("sequential-thinking")),
        },
      },
    }),
  );
  sdk = stack.use(await SdkClient.connect(`${gateway.url}/mcp`));
});

afterAll(() => stack.disposeAsync());

test("a client connects, and sees four tools, before any server has been started", async () => {
  const { tools } = await sdk.client.listTools();
  expect(tools.map(({ name }) => name).toSorted()).toEqual([
    "gateway_invoke",
    "gateway_list_servers",
    "gateway_list_tools",
    "gateway_search_tools",
  ]);
  const { backends } = await gateway.health();
  expect(Object.values(backends).map(({ restart_count }) => restart_count)).toEqual([0, 0, 0, 0]);
});

test("a search starts the servers that it does not know, and finds a tool that can be called at once", async () => {
  const found = await sdk.text("gateway_search_tools", { query: "read a file from disk", limit: 3 });
  expect(found.split("\n")[0]).toContain("files.read");
  await Bun.write(join(folder, "notes.txt"), "found me");
  const path = join(folder, "notes.txt");
  expect(await sdk.invoke("files", "read_text_file", { path })).toBe("found me");
  // What nobody calls sleeps again as soon as it is listed.
  await waitFor(async () => (await gateway.backendHealth("thinking")).state === "asleep");
  expect(await gateway.backendHealth("thinking")).toMatchObject({ tools_cached: 1 });
});

test("each server is listed with what it is for, and its tools with their arguments", async () => {
  const servers = (await sdk.text("gateway_list_servers")).split("\n");
  expect(servers.map((line) => /^\w+/.exec(line)?.[0])).toEqual([
    "everything",
    "files",
    "memory",
    "thinking",
  ]);
  expect(servers[1]).toContain("files of one folder");
  const tools = await sdk.text("gateway_list_tools", { server: "memory" });
  expect(tools.split("\n").length).toBe(9);
  expect(tools).toContain("memory.search_nodes(");
  const one = await sdk.text("gateway_list_tools", { server: "memory", tool: "search_nodes" });
  expect(one).toContain('"query":{"type":"string"');
});

test("a server keeps its state from call to call, as it runs once", async () => {
  const entities = [{ name: "Ada", entityType: "person", observations: ["wrote the first program"] }];
  await sdk.invoke("memory", "create_entities", { entities });
  const { restart_count } = await gateway.backendHealth("memory");
  await using other = await SdkClient.connect(`${gateway.url}/mcp`);
  expect(await other.invoke("memory", "search_nodes", { query: "first program" })).toContain('"Ada"');
  expect((await gateway.backendHealth("memory")).restart_count).toBe(restart_count);
});

describe("gateway_invoke", () => {
  test("returns the result as the server gave it, with links that can be read here", async () => {
    const direct = await SdkClient.connect(`${gateway.url}/mcp/everything`);
    await using _ = direct;
    for (const [tool, args] of [
      ["get-tiny-image", {}],
      ["get-structured-content", { location: "New York" }],
      ["get-resource-links", { count: 2 }],
      ["get-annotated-message", { messageType: "debug", includeImage: true }],
      ["get-sum", { a: 1, b: 2 }],
    ] as const) {
      const invoked = await sdk.client.callTool({
        name: "gateway_invoke",
        arguments: { server: "everything", tool, arguments: args },
      });
      const given: unknown = await direct.client.callTool({ name: tool, arguments: args });
      const readable = JSON.stringify(given).replaceAll('"demo://', '"gateway:everything:demo://');
      expect(invoked).toEqual(JSON.parse(readable));
    }
    const link = "gateway:everything:demo://resource/dynamic/text/2";
    const { contents } = await sdk.client.readResource({ uri: link });
    expect(contents).toMatchObject([{ uri: link, mimeType: "text/plain" }]);
  });

  test("takes arguments that came as text", async () => {
    const args = { server: "everything", tool: "echo", arguments: '{"message":"from text"}' };
    expect(await sdk.text("gateway_invoke", args)).toBe("Echo: from text");
  });

  test("samples and elicits at the client behind it", async () => {
    sdk.questions.length = 0;
    expect(await sdk.invoke("everything", "trigger-sampling-request", { prompt: "hm" })).toContain(
      "sampled words",
    );
    expect(await sdk.invoke("everything", "trigger-elicitation-request")).toContain("User provided");
    expect(sdk.questionsOfTools.map(({ method }) => method)).toEqual([
      "sampling/createMessage",
      "elicitation/create",
    ]);
  });

  test("reports progress of the tool behind it", async () => {
    const steps: number[] = [];
    const args = {
      server: "everything",
      tool: "trigger-long-running-operation",
      arguments: { duration: 0.3, steps: 3 },
    };
    await sdk.client.callTool({ name: "gateway_invoke", arguments: args }, undefined, {
      onprogress: ({ progress }) => steps.push(progress),
    });
    // The SDK's client forgets a last step that comes in one read with the answer.
    expect(steps.slice(0, 2)).toEqual([1, 2]);
  });
});

describe("a failure says what to do next:", () => {
  const failures = [
    {
      title: "an unknown server, with those that there are",
      args: { server: "filez", tool: "read_file" },
      words: /"filez".*everything, files, memory, thinking/,
    },
    {
      title: "an unknown tool, with the nearest",
      args: { server: "files", tool: "read_txt_file" },
      words: /"read_txt_file".*files\.read_text_file\(/s,
    },
    {
      title: "wrong arguments, with the signature",
      args: { server: "everything", tool: "get-sum", arguments: { a: 1 } },
      words: /\bb\b.*everything\.get-sum\(/s,
    },
  ];
  test.each(failures)("$title", async ({ args, words }) => {
    const result = await sdk.client.callTool({ name: "gateway_invoke", arguments: args });
    expect(result.isError).toBe(true);
    expect(allText(result)).toMatch(words);
  });

  test("a missing argument of the meta-tool itself, with an example", async () => {
    const result = await sdk.client.callTool({ name: "gateway_search_tools", arguments: { question: "x" } });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain('{"query": ');
  });
});

describe("the definitions cost a model fewer than 400 tokens", () => {
  test("with four servers", async () => {
    expect(await tokensOf(gateway)).toBeLessThan(MAX_TOKENS);
  });

  test("with thirty servers of long names", async () => {
    const names = Array.from({ length: 30 }, (_, index) => `department-of-paperwork-${index}.production`);
    const healthy = asBackend(fixture("healthy"));
    const config = { backends: Object.fromEntries(names.map((name) => [name, healthy])) };
    await using crowd = await GatewayRun.start({ config });
    expect(await tokensOf(crowd)).toBeLessThan(MAX_TOKENS);
  });
});

/** Of the whole answer to tools/list, as it comes off the wire. */
async function tokensOf({ url }: GatewayRun): Promise<number> {
  await using client = await SdkClient.connect(`${url}/mcp`);
  const response = await fetch(`${url}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json", "mcp-session-id": client.transport.sessionId ?? "" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }),
  });
  const text = await response.text();
  expect(text).toContain("gateway_search_tools");
  return encode(text).length;
}
