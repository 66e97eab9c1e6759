// Who may come in: Host, Origin and token, on every route that there is, and on those that there are not.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { post } from "../support/post.ts";
import { parseMetrics, readValue } from "../support/prometheus.ts";
import { GatewayRun, runToEnd } from "../support/run-gateway.ts";
import { SdkClient } from "../support/sdk-client.ts";

setDefaultTimeout(30_000);

const TOKEN = "a-token-for-tests-0123456789";
const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "x", version: "1" } },
};
const backends = { cellar: asBackend(fixture("healthy")) };
const routes = [
  ["GET", "/health"],
  ["GET", "/metrics"],
  ["POST", "/mcp"],
  ["GET", "/mcp"],
  ["DELETE", "/mcp"],
  ["POST", "/mcp/cellar"],
  ["POST", "/cellar/mcp"],
  ["POST", "/mcp/nobody"],
  ["GET", "/sse"],
  ["GET", "/cellar/sse"],
  ["POST", "/message?sessionId=guessed"],
  ["GET", "/nothing/here/at/all"],
] as const;

function ask(url: string, method: string, headers: Record<string, string>): Promise<Response> {
  return method === "POST" ? post(url, INITIALIZE, headers) : fetch(url, { method, headers });
}

describe("on loopback", () => {
  let gateway: GatewayRun;

  beforeAll(async () => {
    gateway = await GatewayRun.start({ config: { backends } });
  });

  afterAll(() => gateway[Symbol.asyncDispose]());

  describe.each(routes)("%s %s", (method, path) => {
    test.each([
      ["Host", "evil.example.com"],
      ["Host", "localhost.evil.example.com:39400"],
      ["Origin", "https://evil.example.com"],
      ["Origin", "http://localhost.evil.example.com"],
      ["Origin", "null"],
      ["Origin", "file://"],
    ])("refuses %s: %s", async (header, value) => {
      const response = await ask(gateway.url + path, method, { [header]: value });
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({
        jsonrpc: "2.0",
        error: { message: expect.stringContaining(value) },
      });
    });

    test("lets in this machine's own", async () => {
      for (const headers of [
        { Host: "localhost" },
        { Host: "127.0.0.1:1234" },
        { Host: "[::1]:39400" },
        { Origin: "http://localhost:6274" },
        { Origin: "http://127.0.0.1:3000" },
      ]) {
        const response = await ask(gateway.url + path, method, headers);
        expect([401, 403]).not.toContain(response.status);
        await response.body?.cancel();
      }
    });
  });

  test("/metrics is text that Prometheus reads, and counts", async () => {
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    await sdk.invoke("cellar", "echo", { text: "counted" });
    await sdk.invoke("cellar", "fail");
    const response = await fetch(`${gateway.url}/metrics`);
    expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
    const families = parseMetrics(await response.text());
    expect(families.size).toBeGreaterThan(10);
    const samples = [...families.values()].flatMap((family) => family.samples);
    const calls = samples.filter(
      ({ name, labels }) =>
        name.endsWith("calls_total") && labels.backend === "cellar" && labels.method === "tools/call",
    );
    expect(calls.reduce((sum, { value }) => sum + value, 0)).toBe(2);
    expect(readValue(families, "mcp_gateway_sessions")).toBeGreaterThan(0);
  });
});

describe("with a token", () => {
  let gateway: GatewayRun;

  beforeAll(async () => {
    const config = { backends, auth: { token: "${SECRET_OF_THE_TEST}" } };
    gateway = await GatewayRun.start({
      config,
      env: { SECRET_OF_THE_TEST: TOKEN },
      args: ["--log-level", "debug"],
    });
  });

  afterAll(() => gateway[Symbol.asyncDispose]());

  const wrong = [
    ["nothing", undefined],
    ["another token", `Bearer ${TOKEN}x`],
    ["a part of the token", `Bearer ${TOKEN.slice(0, -1)}`],
    ["the token in another scheme", `Basic ${TOKEN}`],
    ["the token alone", TOKEN],
  ] as const;

  describe.each(routes.filter(([, path]) => path !== "/health"))("%s %s", (method, path) => {
    test.each(wrong)("refuses %s", async (_what, authorization) => {
      const headers = authorization === undefined ? {} : { Authorization: authorization };
      const response = await ask(gateway.url + path, method, headers);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toStartWith("Bearer");
      expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining("Bearer") } });
    });

    test("lets the token in, and still checks the origin", async () => {
      const response = await ask(gateway.url + path, method, { Authorization: `Bearer ${TOKEN}` });
      expect([401, 403]).not.toContain(response.status);
      await response.body?.cancel();
      const headers = { Authorization: `Bearer ${TOKEN}`, Origin: "https://evil.example.com" };
      expect((await ask(gateway.url + path, method, headers)).status).toBe(403);
    });
  });

  test("/health shows status and counts to everybody, and names only to those with the token", async () => {
    const open = await fetch(`${gateway.url}/health`);
    const summary = { status: "healthy", backends_total: 1, config_error: null, states: { ready: 1 } };
    expect([open.status, await open.json()]).toEqual([200, summary]);
    const full = await fetch(`${gateway.url}/health`, { headers: { Authorization: `Bearer ${TOKEN}` } });
    expect(await full.json()).toHaveProperty("backends.cellar.state", "ready");
  });

  test("a client that has it works, and nobody reads it in the log", async () => {
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`, { Authorization: `Bearer ${TOKEN}` });
    expect(await sdk.invoke("cellar", "echo", { text: "come in" })).toBe("come in");
    expect(await sdk.invoke("cellar", "env", { name: "SECRET_OF_THE_TEST" })).toBe("(unset)");
    expect(gateway.stderr).not.toContain(TOKEN);
  });
});

describe("beyond this machine", () => {
  const open = { host: "0.0.0.0", backends };

  test("the gateway does not listen without a token", async () => {
    for (const { args, config } of [
      { args: [], config: open },
      { args: ["--host", "::"], config: { backends } },
      { args: ["check"], config: open },
    ]) {
      const { exitCode, stderr, stdout } = await runToEnd(args, {
        config,
        env: { MCP_GATEWAY_TOKEN: undefined },
      });
      expect([exitCode, stdout]).toEqual([2, ""]);
      expect(stderr).toContain("auth.token");
      expect(stderr).toContain("MCP_GATEWAY_TOKEN");
      expect(stderr).toContain("auth.disabled");
    }
  });

  test("it does with one from the environment, and wants it", async () => {
    await using gateway = await GatewayRun.start({ config: open, env: { MCP_GATEWAY_TOKEN: TOKEN } });
    expect((await fetch(`${gateway.url}/metrics`)).status).toBe(401);
    const headers = { Authorization: `Bearer ${TOKEN}`, Host: "gateway.example.com" };
    expect((await fetch(`${gateway.url}/metrics`, { headers })).status).toBe(200);
    const foreign = { ...headers, Origin: "https://evil.example.com" };
    expect((await fetch(`${gateway.url}/metrics`, { headers: foreign })).status).toBe(403);
  });

  test("it does where the file says so in as many words", async () => {
    await using gateway = await GatewayRun.start({ config: { ...open, auth: { disabled: true } } });
    expect((await fetch(`${gateway.url}/metrics`)).status).toBe(200);
  });
});
