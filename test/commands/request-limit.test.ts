// More requests to one URL at a time than Bun lets a process have by itself; and how the program comes to be able to.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { request } from "node:http";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { openSession } from "../support/post.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(60_000);

/** Beyond the 256 of Bun. */
const CALLS = 400;
const waiting: (() => void)[] = [];
let server: Bun.Server<undefined>;
const nearUrl = () => `http://127.0.0.1:${server.port}/mcp`;
/** The same by fetch, which has the limit; loopback addresses are reached by sockets of ours. */
const farUrl = () => `http://0.0.0.0:${server.port}/mcp`;

interface RpcRequest {
  readonly id?: number;
  readonly method: string;
}

/** A legacy server whose one tool answers when it is told to. */
async function answer(post: Request): Promise<Response> {
  if (post.method !== "POST") return new Response(null, { status: 405 });
  const { id, method } = (await post.json()) as RpcRequest;
  if (id === undefined) return new Response(null, { status: 202 });
  const reply = (body: object) => Response.json({ jsonrpc: "2.0", id, ...body });
  if (method === "initialize") {
    const serverInfo = { name: "waits", version: "1" };
    return reply({ result: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo } });
  }
  if (method === "tools/list")
    return reply({ result: { tools: [{ name: "wait", inputSchema: { type: "object" } }] } });
  if (method !== "tools/call") return reply({ error: { code: -32601, message: "Method not found" } });
  await new Promise<void>((resolve) => waiting.push(resolve));
  return reply({ result: { content: [{ type: "text", text: "waited" }] } });
}

beforeAll(() => {
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", idleTimeout: 0, fetch: answer });
});
afterAll(() => server.stop(true));

/** By node:http, which has no such limit: the test has to make as many requests as the gateway. */
function call(url: string, session: Record<string, string>, id: number): Promise<string> {
  const params = { name: "wait", arguments: {} };
  const body = JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params });
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: "POST",
        agent: false,
        headers: {
          ...session,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
        },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += String(chunk);
        });
        response.on("end", () => resolve(text));
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

test.each([
  ["by fetch", farUrl],
  ["by sockets", nearUrl],
])(
  `${CALLS} calls are with a URL backend at a time (%s), and the program is still the process that was started`,
  async (_by, at) => {
    const config = { backends: { remote: { http_url: at() } } };
    await using gateway = await GatewayRun.start({ config });
    const url = `${gateway.url}/mcp/remote`;
    const session = await openSession(url);
    const calls = Array.from({ length: CALLS }, (_, id) => call(url, session, id));
    await waitFor(() => waiting.length === CALLS, { what: `${CALLS} calls at a time`, timeoutMs: 20_000 });
    for (const release of waiting.splice(0)) release();
    const answers = await Promise.all(calls);
    expect(answers.filter((text) => text.includes("waited"))).toHaveLength(CALLS);
    const status: unknown = await (await fetch(`${gateway.url}/status`)).json();
    expect(status).toMatchObject({ pid: gateway.run.pid });
    expect(gateway.stderr).not.toContain("Experimental");
    gateway.run.signal("SIGTERM");
    expect(await gateway.run.exited()).toBe(0);
  },
);

test("what a person has set is left as it is, and children hear nothing of it", async () => {
  const config = {
    backends: { remote: { http_url: farUrl() }, local: asBackend(fixture("healthy")) },
  };
  await using gateway = await GatewayRun.start({ config, env: { BUN_CONFIG_MAX_HTTP_REQUESTS: "20" } });
  await using sdk = await SdkClient.connect(`${gateway.url}/mcp/local`);
  expect(await sdk.text("env")).not.toContain("BUN_CONFIG");
  const url = `${gateway.url}/mcp/remote`;
  const session = await openSession(url);
  const calls = Array.from({ length: 40 }, (_, id) => call(url, session, id));
  await waitFor(() => waiting.length >= 18, { what: "the first calls" });
  expect(waiting.length).toBeLessThanOrEqual(20);
  const release = setInterval(() => {
    for (const answerNow of waiting.splice(0)) answerNow();
  }, 20);
  const answers = await Promise.all(calls);
  clearInterval(release);
  expect(answers.filter((text) => text.includes("waited"))).toHaveLength(40);
});
