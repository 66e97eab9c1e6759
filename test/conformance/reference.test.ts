// What the suite cannot show of the reference server: its stdio and HTTP+SSE programs, and the tools that other tests use.

import { expect, test } from "bun:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport as LegacyStdio } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { type Eras, referenceCommand, startReference } from "../fixtures/reference/start.ts";
import { ENVELOPE, postModern } from "./modern-post.ts";

const IDENTITY = { name: "reference-test", version: "1.0.0" };
const MODERN = { versionNegotiation: { mode: { pin: "2026-07-28" } } } as const;

function stdioParameters(eras: Eras): { command: string; args: string[] } {
  const [command = "", ...args] = referenceCommand(eras);
  return { command, args };
}

for (const eras of ["modern", "both"] as const) {
  test(`over stdio, ${eras}: a modern client is served in its era`, async () => {
    const client = new Client(IDENTITY, MODERN);
    await client.connect(new StdioClientTransport(stdioParameters(eras)));
    const seen = await client.callTool({ name: "whoami", arguments: {} });
    expect(seen.structuredContent).toMatchObject({
      era: "modern",
      revision: "2026-07-28",
      clientInfo: IDENTITY,
    });
    await client.close();
  });
}

for (const eras of ["legacy", "both"] as const) {
  test(`over stdio, ${eras}: a legacy client is served in its era`, async () => {
    const client = new LegacyClient(IDENTITY);
    await client.connect(new LegacyStdio(stdioParameters(eras)));
    const seen = await client.callTool({ name: "whoami", arguments: {} });
    expect(seen.structuredContent).toMatchObject({
      era: "legacy",
      revision: "2025-11-25",
      clientInfo: IDENTITY,
    });
    await client.close();
  });
}

/** Sends one line to a fresh stdio program and returns the first line that it answers. */
async function firstAnswer(eras: Eras, message: object): Promise<unknown> {
  const child = Bun.spawn(referenceCommand(eras), { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.write(`${JSON.stringify(message)}\n`);
  child.stdin.flush();
  const decoder = new TextDecoder();
  let printed = "";
  for await (const chunk of child.stdout) {
    printed += decoder.decode(chunk, { stream: true });
    if (printed.includes("\n")) break;
  }
  child.kill();
  await child.exited;
  return JSON.parse(printed.slice(0, printed.indexOf("\n")));
}

test("a program of one era refuses the opening of the other", async () => {
  const initialize = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: IDENTITY },
  };
  const supported = ["2026-07-28"];
  expect(await firstAnswer("modern", initialize)).toMatchObject({
    id: 1,
    error: { code: -32022, data: { supported } },
  });
  const discover = {
    jsonrpc: "2.0",
    id: 2,
    method: "server/discover",
    params: { _meta: ENVELOPE },
  };
  expect(await firstAnswer("legacy", discover)).toMatchObject({ id: 2, error: { code: -32601 } });
});

test("over HTTP+SSE: questions, progress, old error codes", async () => {
  await using reference = await startReference("sse", "legacy");
  const client = new LegacyClient(IDENTITY, { capabilities: { elicitation: { form: {}, url: {} } } });
  await client.connect(new SSEClientTransport(new URL(reference.url)));
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({
    action: "accept",
    content: { asked: params.message },
  }));

  const questions = {
    q: { method: "elicitation/create", params: { message: "Well?", requestedSchema: FORM } },
  };
  const asked = await client.callTool({ name: "ask", arguments: { questions, state: "kept" } });
  expect(asked.structuredContent).toEqual({
    replies: { q: { action: "accept", content: { asked: "Well?" } } },
    state: { tool: "ask", round: 1, note: "kept" },
  });

  const steps: number[] = [];
  await client.callTool({ name: "slow", arguments: { ms: 30, steps: 3, key: "a" } }, undefined, {
    onprogress: ({ progress }) => steps.push(progress),
  });
  // The v1 client drops progress that arrives together with the answer, so the last one is not to be relied on.
  expect(steps.slice(0, 2)).toEqual([1, 2]);

  await expect(client.readResource({ uri: "test://none" })).rejects.toMatchObject({ code: -32002 });
  await expect(client.callTool({ name: "url_required", arguments: {} })).rejects.toMatchObject({
    code: -32042,
  });
  await client.close();
});

const FORM = { type: "object", properties: { asked: { type: "string" } } };

test("over HTTP: verbatim results, changes, cancellation, pages", async () => {
  await using reference = await startReference("http", "both", ["--page-size", "2"]);
  const client = new Client(IDENTITY, MODERN);
  await client.connect(new StreamableHTTPClientTransport(new URL(reference.url)));

  const result = { content: [{ type: "hologram", depth: 3 }], "x-field": { kept: [null] } };
  const verbatim = await postModern(reference.url, "tools/call", {
    name: "answer_with",
    arguments: { result },
  });
  expect(verbatim).toMatchObject({ result: { ...result, resultType: "complete" } });

  const first = await postModern(reference.url, "prompts/list", {});
  expect(first).toMatchObject({
    result: { prompts: [{ name: "test_simple_prompt" }, {}], nextCursor: expect.any(String) },
  });
  const listed = await client.listPrompts();
  expect(listed.prompts.map((prompt) => prompt.name)).toContain("test_input_required_result_prompt");

  const changed = Promise.withResolvers<void>();
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
    if (params.uri === "test://watched-resource") changed.resolve();
  });
  const subscription = await client.listen({ resourceSubscriptions: ["test://watched-resource"] });
  await client.callTool({ name: "touch_resource", arguments: {} });
  await changed.promise;
  await subscription.close();

  const stop = new AbortController();
  const slow = client.callTool(
    { name: "slow", arguments: { ms: 60_000, steps: 1000, key: "stopped" } },
    { signal: stop.signal, onprogress: () => stop.abort() },
  );
  await expect(slow).rejects.toThrow();
  await until(async () => {
    const { structuredContent } = await client.callTool({ name: "slow_log", arguments: {} });
    return Bun.deepEquals(structuredContent, { cancelled: ["stopped"], completed: [] });
  });
  await client.close();
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error("It did not come to hold within 5 s.");
    await Bun.sleep(20);
  }
}
