// Pinned tools: real ones next to the four, for clients of both eras.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Json } from "../../src/protocol/jsonrpc.ts";
import { ENVELOPE, postModern } from "../conformance/modern-post.ts";
import { type RunningReference, referenceCommand, startReference } from "../fixtures/reference/start.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { post } from "../support/post.ts";
import { ROOTS, type SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { TestGateway } from "./gateway.ts";

const META_TOOLS = ["gateway_search_tools", "gateway_invoke", "gateway_list_servers", "gateway_list_tools"];

let stack: AsyncDisposableStack;
let gateway: TestGateway;
let sdk: SdkClient;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const web: RunningReference = stack.use(await startReference("http", "modern"));
  gateway = stack.use(
    await TestGateway.start({
      pinned: [
        "old.structured",
        "web.header_params",
        "grows.grown_1",
        "web.nothing",
        "nobody.echo",
        "dotted.name.echo",
        "web.structured",
        "web.ask_name",
        "web.structured_list",
        "web.roots",
        "old.roots",
      ],
      backends: {
        old: asBackend(referenceCommand("legacy")),
        web: { url: web.url },
        grows: asBackend(fixture("grows-tools")),
        "dotted.name": asBackend(fixture("healthy")),
        unpinned: asBackend(fixture("grows-tools")),
      },
    }),
  );
  sdk = stack.use(await gateway.connect());
});

afterAll(() => stack.disposeAsync());

async function names(client: SdkClient = sdk): Promise<string[]> {
  return (await client.client.listTools()).tools.map(({ name }) => name);
}

test("stand after the four in their order, those left out that do not exist", async () => {
  const [dotted] = (await names()).filter((name) => name.startsWith("dotted"));
  expect(dotted).toMatch(/^dotted_name__echo_[0-9a-f]{8}$/);
  expect(await names()).toEqual([
    ...META_TOOLS,
    "old__structured",
    "web__header_params",
    dotted ?? "",
    "web__structured",
    "web__structured_list",
    "web__roots",
    "old__roots",
  ]);
});

test("that do not exist are warned of, once", () => {
  const warnings = gateway.lines.filter(({ message }) => message === "left out a pinned tool");
  expect(warnings.map(({ pinned, reason }) => [pinned, reason])).toEqual([
    ["grows.grown_1", "grows has no such tool"],
    ["web.nothing", "web has no such tool"],
    ["nobody.echo", "no enabled backend has that name"],
    ["web.ask_name", "web has no such tool"],
  ]);
});

test("have the definition of the backend, word for word", async () => {
  const raw = async (path: string) => {
    const reply = await postModern(`${gateway.url}/mcp${path}`, "tools/list", {});
    const tools: unknown = Object(Object(reply).result).tools;
    return Array.isArray(tools) ? tools : [];
  };
  const pinned = (await raw("")).find(({ name }) => name === "web__header_params");
  const direct = (await raw("/web")).find(({ name }) => name === "header_params");
  expect(direct).toHaveProperty("inputSchema.properties.city.x-mcp-header", "City");
  expect(pinned).toEqual({ ...direct, name: "web__header_params" });
});

describe("are called by a client", () => {
  test.each(["old__structured", "web__structured"])("of the legacy era: %s", async (name) => {
    // The SDK holds the answer to the outputSchema that it has listed.
    await sdk.client.listTools();
    const result = await sdk.client.callTool({ name, arguments: { city: "Bergen" } });
    expect(result.structuredContent).toEqual({ city: "Bergen", degrees: 21.5 });
  });

  test.each(["old__structured", "web__structured"])("of the modern era: %s", async (name) => {
    const reply = await postModern(`${gateway.url}/mcp`, "tools/call", {
      name,
      arguments: { city: "Bergen" },
    });
    expect(reply).toMatchObject({
      result: { resultType: "complete", structuredContent: { city: "Bergen", degrees: 21.5 } },
    });
  });

  test("of the legacy era, which wants an object where a modern tool has a list", async () => {
    const { tools } = await sdk.client.listTools();
    const tool = tools.find(({ name }) => name === "web__structured_list");
    expect(tool?.outputSchema).toMatchObject({ type: "object", required: ["result"] });
    const result = await sdk.client.callTool({ name: "web__structured_list" });
    expect(result.structuredContent).toEqual({ result: [1, 2, 3] });
  });

  test.each(["old__roots", "web__roots"])("that is asked back, in the words of its era: %s", async (name) => {
    const legacy = await sdk.client.callTool({ name, arguments: {} });
    expect(legacy.structuredContent).toEqual({ roots: ROOTS });
    const first = await callModern({ name, arguments: {} });
    expect(first).toMatchObject({ resultType: "input_required" });
    const { requestState, inputRequests } = first;
    const [[key, asked] = ["", undefined]] = Object.entries(Object(inputRequests));
    expect(asked).toMatchObject({ method: "roots/list" });
    const inputResponses = { [key]: { roots: ROOTS } };
    const again = {
      name,
      arguments: {},
      inputResponses,
      ...(requestState === undefined ? {} : { requestState }),
    };
    expect(await callModern(again)).toMatchObject({ structuredContent: { roots: ROOTS } });
  });

  test("by shortened names, too", async () => {
    const dotted = (await names()).find((name) => name.startsWith("dotted"));
    expect(await sdk.text(dotted ?? "", { text: "hi" })).toBe("hi");
  });

  test("with arguments mirrored in headers, which are checked and sent on", async () => {
    const params = { name: "web__header_params", arguments: { city: "Oslo", count: 3 } };
    const headers = { "Mcp-Param-City": "Oslo", "Mcp-Param-Count": "3" };
    const url = `${gateway.url}/mcp`;
    expect(await postModern(url, "tools/call", params, headers)).toMatchObject({
      result: { structuredContent: { headers: { "mcp-param-city": "Oslo", "mcp-param-count": "3" } } },
    });
    expect(await postModern(url, "tools/call", params, { "Mcp-Param-City": "Oslo" })).toMatchObject({
      error: { code: -32020 },
    });
    const { structuredContent } = await sdk.client.callTool(params);
    expect(structuredContent).toMatchObject({ headers: { "mcp-param-city": "Oslo" } });
  });
});

describe("that come and go", () => {
  test("are told of and listed, and what is not pinned is no news", async () => {
    expect(sdk.client.getServerCapabilities()?.tools).toEqual({ listChanged: true });
    const before = sdk.listChanges;
    await sdk.invoke("unpinned", "grow");
    await sdk.invoke("grows", "grow");
    await waitFor(() => sdk.listChanges > before, { what: "tools/list_changed" });
    expect(await names()).toContain("grows__grown_1");
    expect(await sdk.text("grows__grown_1")).toBe("I am grown_1");
    await sdk.invoke("grows", "shrink");
    await waitFor(() => sdk.listChanges > before + 1, { what: "a second tools/list_changed" });
    expect(await names()).not.toContain("grows__grown_1");
    expect(sdk.listChanges).toBe(before + 2);
  });

  test("are told of to a modern client that listens", async () => {
    const discovered = await postModern(`${gateway.url}/mcp`, "server/discover", {});
    expect(discovered).toMatchObject({ result: { capabilities: { tools: { listChanged: true } } } });
    using client = await listen(`${gateway.url}/mcp`);
    await sdk.invoke("unpinned", "grow");
    await sdk.invoke("grows", "grow");
    await waitFor(() => client.heard().includes("notifications/tools/list_changed"), { what: "the news" });
    const listed = await postModern(`${gateway.url}/mcp`, "tools/list", {});
    expect(JSON.stringify(listed)).toContain("grows__grown_1");
    expect(client.heard().split("notifications/tools/list_changed")).toHaveLength(2);
  });
});

/** A call by a modern client that has roots; its result. */
async function callModern(params: { readonly name: string } & Json): Promise<Json> {
  const _meta = { ...ENVELOPE, "io.modelcontextprotocol/clientCapabilities": { roots: {} } };
  const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { ...params, _meta } };
  const response = await post(`${gateway.url}/mcp`, message, {
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call",
    "Mcp-Name": params.name,
    accept: "application/json",
  });
  const reply: unknown = await response.json();
  return Object(reply).result;
}

/** Listens for changed tools; resolves when the gateway has acknowledged that. */
async function listen(url: string): Promise<Disposable & { heard(): string }> {
  const left = new AbortController();
  const params = { notifications: { toolsListChanged: true }, _meta: ENVELOPE };
  const response = await fetch(url, {
    method: "POST",
    signal: left.signal,
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      "MCP-Protocol-Version": "2026-07-28",
      "Mcp-Method": "subscriptions/listen",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params }),
  });
  let text = "";
  const read = async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
  };
  read().catch(() => {}); // It ends by being left.
  await waitFor(() => text.includes('"toolsListChanged":true'), { what: "the acknowledgement" });
  return { heard: () => text, [Symbol.dispose]: () => left.abort() };
}

test("without any, the tools never change and that is what is declared", async () => {
  await using plain = await TestGateway.start({ backends: { grows: asBackend(fixture("grows-tools")) } });
  await using client = await plain.connect();
  expect(client.client.getServerCapabilities()?.tools).toEqual({});
  expect(await names(client)).toEqual(META_TOOLS);
  await client.invoke("grows", "grow");
  await client.invoke("grows", "grown_1");
  expect(client.listChanges).toBe(0);
});
