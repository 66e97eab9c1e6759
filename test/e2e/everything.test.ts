// The whole surface of the reference server, seen through the gateway by the official SDK's client, whatever wire the
// server is on, and whichever URL and wire the client has.

import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { asBackend, npmServer } from "../support/npm-programs.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { ROOTS, SdkClient, textOf } from "../support/sdk-client.ts";
import { UrlServer } from "../support/url-server.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(30_000);

const DOCUMENT = "demo://resource/static/document/features.md";

let stack: AsyncDisposableStack;
let gateway: GatewayRun;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const [http, sse] = await Promise.all(
    ["streamableHttp", "sse"].map((mode) => UrlServer.start(npmServer("everything", mode))),
  );
  stack.use(http);
  stack.use(sse);
  gateway = stack.use(
    await GatewayRun.start({
      config: {
        backends: {
          piped: asBackend(npmServer("everything")),
          posted: { url: `${http?.origin}/mcp` },
          streamed: { url: `${sse?.origin}/sse` },
          old: asBackend(npmServer("everything")),
        },
      },
    }),
  );
});

afterAll(() => stack.disposeAsync());

const rows = [
  { backend: "piped", path: "/mcp/piped", transport: "stdio" },
  { backend: "posted", path: "/posted/mcp", transport: "http" },
  { backend: "streamed", path: "/mcp/streamed", transport: "sse" },
  { backend: "old", path: "/old/sse", transport: "stdio" },
];

describe.each(rows)("$path", ({ backend, path, transport }) => {
  let sdk: SdkClient;
  let client: SdkClient["client"];

  beforeAll(async () => {
    sdk = await SdkClient.connect(`${gateway.url}${path}`);
    client = sdk.client;
    // Some of its tools come when the handshake is over.
    await waitFor(async () => (await client.listTools()).tools.length > 15);
  });

  beforeEach(() => {
    sdk.questions.length = 0;
    sdk.logged.length = 0;
  });

  afterAll(() => sdk[Symbol.asyncDispose]());

  test("presents the server as it presents itself", async () => {
    expect(client.getServerVersion()).toEqual({
      name: "mcp-servers/everything",
      title: "Everything Reference Server",
      version: "2.0.0",
    });
    expect(client.getServerCapabilities()).toMatchObject({
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      logging: {},
      completions: {},
    });
    expect(client.getInstructions()).toContain("Everything Server");
    expect(await gateway.backendHealth(backend)).toMatchObject({
      running: true,
      restart_count: 0,
      state: "ready",
      transport,
      revision: "2025-11-25",
    });
  });

  test("lists and calls tools, with every kind of content", async () => {
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContainValues(["echo", "trigger-sampling-request", "trigger-elicitation-request"]);
    expect(await sdk.text("echo", { message: "héllo 🎉" })).toBe("Echo: héllo 🎉");
    expect(
      (await client.callTool({ name: "get-structured-content", arguments: { location: "Chicago" } }))
        .structuredContent,
    ).toEqual({ temperature: 36, conditions: "Light rain / drizzle", humidity: 82 });
    expect(await client.callTool({ name: "get-tiny-image" })).toMatchObject({
      content: [{ type: "text" }, { type: "image", mimeType: "image/png" }, { type: "text" }],
    });
    expect(await client.callTool({ name: "get-resource-links", arguments: { count: 2 } })).toMatchObject({
      content: [{ type: "text" }, { type: "resource_link" }, { type: "resource_link" }],
    });
    const annotated = { name: "get-annotated-message", arguments: { messageType: "error" } };
    expect(await client.callTool(annotated)).toMatchObject({
      content: [{ annotations: { priority: 1, audience: ["user", "assistant"] } }],
    });
  });

  test("passes on what the server says no to", async () => {
    const wrong = await client.callTool({ name: "get-sum", arguments: { a: "one", b: 2 } });
    expect(wrong.isError).toBe(true);
    expect(textOf(wrong)).toContain("Input validation error");
    await expect(client.readResource({ uri: "demo://nothing/here" })).rejects.toThrow("-32602");
    await expect(client.getPrompt({ name: "no-such-prompt" })).rejects.toThrow("-32602");
  });

  test("reads resources, templates included", async () => {
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toContain(DOCUMENT);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toContain(
      "demo://resource/dynamic/text/{resourceId}",
    );
    expect((await client.readResource({ uri: DOCUMENT })).contents).toMatchObject([
      { uri: DOCUMENT, mimeType: "text/markdown", text: expect.stringContaining("# Everything Server") },
    ]);
    const blob = "demo://resource/dynamic/blob/7";
    expect((await client.readResource({ uri: blob })).contents).toMatchObject([
      { uri: blob, blob: expect.any(String) },
    ]);
  });

  test("gets prompts, and completes their arguments in context", async () => {
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toContainValues(["simple-prompt", "args-prompt"]);
    expect(await client.getPrompt({ name: "args-prompt", arguments: { city: "Oslo" } })).toMatchObject({
      messages: [{ content: { text: expect.stringContaining("Oslo") } }],
    });
    expect(
      await client.getPrompt({
        name: "resource-prompt",
        arguments: { resourceType: "Text", resourceId: "3" },
      }),
    ).toMatchObject({ messages: [{}, { content: { type: "resource" } }] });
    const completed = await client.complete({
      ref: { type: "ref/prompt", name: "completable-prompt" },
      argument: { name: "name", value: "A" },
      context: { arguments: { department: "Engineering" } },
    });
    expect(completed.completion.values).toEqual(["Alice"]);
  });

  test("reports progress while it works", async () => {
    const progress: number[] = [];
    await client.callTool(
      { name: "trigger-long-running-operation", arguments: { duration: 0.3, steps: 3 } },
      undefined,
      { onprogress: (step) => progress.push(step.progress) },
    );
    // The SDK's client forgets a last step that comes in one read with the answer.
    expect(progress.slice(0, 2)).toEqual([1, 2]);
  });

  test("logs at the level that the client asked for", async () => {
    await client.setLoggingLevel("debug");
    await sdk.text("toggle-simulated-logging");
    await waitFor(() => sdk.logged.length > 0, { what: "a log line" });
    await sdk.text("toggle-simulated-logging");
  });

  test("samples and elicits at the client that called", async () => {
    expect(await sdk.text("trigger-sampling-request", { prompt: "say something" })).toContain(
      "sampled words",
    );
    const elicited = await client.callTool({ name: "trigger-elicitation-request" });
    expect(JSON.stringify(elicited.content)).toContain("Ada");
    expect(await sdk.text("trigger-url-elicitation", { url: "https://example.com/form" })).toContain(
      "completed the URL elicitation",
    );
    expect(sdk.questionsOfTools.map(({ method }) => method)).toEqual([
      "sampling/createMessage",
      "elicitation/create",
      "elicitation/create",
    ]);
    expect(sdk.questionsOfTools[2]).toMatchObject({
      params: { mode: "url", url: "https://example.com/form" },
    });
  });

  test("asks the client for its roots", async () => {
    expect(await sdk.text("get-roots-list")).toContain(ROOTS[0]?.uri ?? "no root");
  });

  test("tells of changes of what the client subscribed to, and of nothing else", async () => {
    await client.subscribeResource({ uri: DOCUMENT });
    await sdk.text("toggle-subscriber-updates");
    await waitFor(() => sdk.updated.length > 0, { what: "a resource update" });
    expect(sdk.updated).toEqual([DOCUMENT]);
    await sdk.text("toggle-subscriber-updates");
    await client.unsubscribeResource({ uri: DOCUMENT });
    sdk.updated.length = 0;
    await sdk.text("toggle-subscriber-updates");
    await sdk.text("toggle-subscriber-updates");
    expect(sdk.updated).toEqual([]);
  });

  test("stops waiting for what the client cancels, and goes on", async () => {
    const abort = new AbortController();
    const long = client.callTool(
      { name: "trigger-long-running-operation", arguments: { duration: 60, steps: 1 } },
      undefined,
      { signal: abort.signal },
    );
    await waitFor(async () => (await gateway.backendHealth(backend)).in_flight === 1);
    abort.abort("enough");
    await expect(long).rejects.toThrow("enough");
    await waitFor(async () => (await gateway.backendHealth(backend)).in_flight === 0);
    expect(await sdk.text("echo", { message: "still here" })).toBe("Echo: still here");
  });
});

test("a session that its client ends is gone, and the backend is not", async () => {
  await using one = await SdkClient.connect(`${gateway.url}/mcp/piped`);
  await using other = await SdkClient.connect(`${gateway.url}/piped/mcp`);
  await one.transport.terminateSession();
  await expect(one.client.listTools()).rejects.toThrow("initialize");
  expect(await other.text("echo", { message: "I stay" })).toBe("Echo: I stay");
  expect((await gateway.backendHealth("piped")).restart_count).toBe(0);
});
