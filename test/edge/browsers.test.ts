// Pages in browsers, and clients beyond a reverse proxy: over HTTP, as they really ask.

import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "../../src/config/schema.ts";
import { MAX_PER_ADDRESS } from "../../src/edge/http-sse.ts";
import { ROUTES } from "../../src/edge/routes.ts";
import { Gateway } from "../../src/gateway.ts";
import { fixture } from "../support/fixture.ts";
import { recordLog } from "../support/log-recorder.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";

const TOKEN = "a-token-for-tests-0123456789";
const BACKEND = "s";
const INSPECTOR = "http://localhost:6274";
const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "page", version: "1" } },
});

const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-browsers-"));
let owned = new AsyncDisposableStack();
afterEach(async () => {
  await owned.disposeAsync();
  owned = new AsyncDisposableStack();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(config: ConfigInput = {}) {
  const [command = "", ...args] = fixture("healthy");
  const { log, lines } = recordLog();
  const all = { port: 0, backends: { [BACKEND]: { command, args } }, ...config };
  const gateway = owned.use(await Gateway.start(all, { stateFolder: folder, cacheFolder: folder, log }));
  return { url: gateway.url.replace("0.0.0.0", "127.0.0.1"), lines };
}

function send(url: string, headers: Record<string, string>, { method = "POST" } = {}): Promise<Response> {
  return fetch(url, {
    method,
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    },
    ...(method === "POST" ? { body: INITIALIZE } : {}),
  });
}

function ask(url: string, origin: string, more: Record<string, string> = {}): Promise<Response> {
  const wanted =
    "content-type,mcp-protocol-version,mcp-session-id,authorization,last-event-id,mcp-param-Region";
  const headers = { "access-control-request-method": "POST", "access-control-request-headers": wanted };
  return fetch(url, { method: "OPTIONS", headers: { origin, ...headers, ...more } });
}

describe.each([undefined, TOKEN])("a page, with the token %p", (token) => {
  const auth = token === undefined ? {} : { auth: { token } };
  const bearer: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };

  test("of an origin that is let in may ask, send, and read every answer", async () => {
    const allowed_origins = ["https://app.example.com", "vscode-webview://*", "null"];
    const { url } = await start({ ...auth, allowed_origins });
    for (const origin of [INSPECTOR, "https://app.example.com", "vscode-webview://1a2b", "null"]) {
      const may = await ask(`${url}/mcp`, origin);
      expect([may.status, may.headers.get("access-control-allow-origin")]).toEqual([204, origin]);
      const names = may.headers.get("access-control-allow-headers")?.split(", ");
      const needed = [
        "content-type",
        "authorization",
        "mcp-session-id",
        "mcp-protocol-version",
        "last-event-id",
      ];
      expect(names).toEqual(
        expect.arrayContaining([...needed, "mcp-method", "mcp-name", "mcp-param-region"]),
      );
      expect(may.headers.get("access-control-allow-methods")).toBe("GET, POST, DELETE");
      expect(may.headers.has("access-control-allow-credentials")).toBe(false);

      const answer = await send(`${url}/mcp`, { origin, ...bearer });
      expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
      expect(answer.headers.get("access-control-expose-headers")).toContain("Mcp-Session-Id");
      expect(answer.headers.get("vary")).toContain("Origin");
      const lost = await send(`${url}/mcp`, { origin, ...bearer, "mcp-session-id": "x" }, { method: "GET" });
      expect([lost.status, lost.headers.get("access-control-allow-origin")]).toEqual([404, origin]);
    }
    const nearby = await ask(`${url}/mcp`, INSPECTOR, { "access-control-request-private-network": "true" });
    expect(nearby.headers.get("access-control-allow-private-network")).toBe("true");
  });

  test("of any other origin gets nothing, on any route", async () => {
    const { url } = await start(auth);
    for (const route of ROUTES) {
      const path = route.path.replace(":backend", BACKEND).replace("*", "nothing");
      for (const origin of [
        "https://evil.example",
        "null",
        "vscode-webview://x",
        "http://localhost.evil.example",
      ]) {
        const may = await ask(url + path, origin);
        expect([may.status, may.headers.get("access-control-allow-origin")], path).toEqual([403, null]);
        const method = "method" in route ? route.method : "GET";
        const answer = await send(url + path, { origin, ...bearer }, { method });
        expect([answer.status, answer.headers.get("access-control-allow-origin")], path).toEqual([403, null]);
      }
    }
  });
});

test("a page with a wrong token may read that it is wrong", async () => {
  const { url } = await start({ auth: { token: TOKEN } });
  const answer = await send(`${url}/mcp`, { origin: INSPECTOR, authorization: "Bearer wrong" });
  expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([401, INSPECTOR]);
});

describe("a gateway that others reach without credentials", () => {
  const open = { host: "0.0.0.0", auth: { disabled: true } };

  test("is not for a page whose name was rebound to it", async () => {
    const { url } = await start(open);
    const evil = `evil.example:${new URL(url).port}`;
    for (const route of ROUTES) {
      const path = route.path.replace(":backend", BACKEND).replace("*", "nothing");
      const method = "method" in route ? route.method : "POST";
      const rebound = await send(url + path, { host: evil, origin: `http://${evil}` }, { method });
      expect(rebound.status, path).toBe(403);
      expect((await send(url + path, { host: evil }, { method })).status, path).toBe(403);
    }
  });

  test("is for those who name its address, or a name of the configuration", async () => {
    const { url } = await start({ ...open, allowed_hosts: ["mcp.example.com"] });
    for (const host of ["192.0.2.7:39400", "localhost", "[2001:db8::1]:80", "mcp.example.com"])
      expect((await send(`${url}/mcp`, { host })).status, host).toBe(200);
  });
});

describe("beyond a reverse proxy", () => {
  test("that keeps the public Host, the token is enough", async () => {
    const { url } = await start({ auth: { token: TOKEN } });
    for (const host of ["mcp.example.com", "host.docker.internal:39400", "box.tailnet.ts.net"]) {
      const authorized = await send(`${url}/mcp`, { host, authorization: `Bearer ${TOKEN}` });
      expect(authorized.status, host).toBe(200);
      expect((await send(`${url}/mcp`, { host })).status, host).toBe(401);
    }
  });

  test("without a token, its name must be configured", async () => {
    const { url } = await start({ public_url: "https://mcp.example.com", allowed_hosts: ["box.example"] });
    for (const host of ["mcp.example.com", "box.example:8443"])
      expect((await send(`${url}/mcp`, { host })).status, host).toBe(200);
    const other = await send(`${url}/mcp`, { host: "other.example" });
    expect(other.status).toBe(403);
    expect(await other.text()).toContain("allowed_hosts");
  });

  test("on this machine, its clients are not at this machine", async () => {
    const { url } = await start({ public_url: "https://mcp.example.com" });
    expect((await fetch(`${url}/status`)).status).toBe(200);
    for (const headers of [
      { host: "mcp.example.com" },
      { "x-forwarded-for": "10.0.0.7" },
      { forwarded: "for=10.0.0.7" },
    ])
      expect((await fetch(`${url}/status`, { headers })).status).toBe(403);
  });

  /** Takes a path off, or leaves it on, and passes the rest on. */
  function proxy(to: string, prefix: string, says: Record<string, string>, takesOff = true): string {
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      idleTimeout: 60,
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url);
        if (!pathname.startsWith(`${prefix}/`)) return new Response("nothing here", { status: 404 });
        const headers = new Headers(request.headers);
        headers.delete("host");
        for (const [name, value] of Object.entries(says)) headers.set(name, value);
        const body = request.method === "POST" ? await request.text() : null;
        const path = takesOff ? pathname.slice(prefix.length) : pathname;
        return fetch(`${to}${path}${search}`, { method: request.method, headers, body });
      },
    });
    owned.defer(() => server.stop(true));
    return `http://127.0.0.1:${server.port}${prefix}`;
  }

  test.each([
    ["that names the path it takes off", {}, { "x-forwarded-prefix": "/gw" }, true],
    ["that takes off the path of public_url", { public_url: "https://mcp.example.com/gw" }, {}, true],
    ["that leaves the path of public_url on", { public_url: "https://mcp.example.com/gw/" }, {}, false],
  ])("%s, clients of HTTP+SSE work", async (_, config, says, takesOff) => {
    const { url } = await start(config);
    const base = proxy(url, "/gw", says, takesOff);
    for (const path of ["/sse", `/${BACKEND}/sse`]) {
      await using client = await SdkClient.connect(base + path);
      expect((await client.client.listTools()).tools.length, path).toBeGreaterThan(0);
    }
    await using direct = await SdkClient.connect(`${url}/sse`);
    expect((await direct.client.listTools()).tools.length).toBeGreaterThan(0);
  });

  test.each(["//evil.example", "https://evil.example", "/a b", "gw", "/gw?x=", "/gw#", "/\\evil.example"])(
    "a prefix that is no path is not believed: %p",
    async (prefix) => {
      const { url } = await start();
      const stream = await fetch(`${url}/sse`, { headers: { "x-forwarded-prefix": prefix } });
      const { value } = (await stream.body?.getReader().read()) ?? {};
      expect(new TextDecoder().decode(value)).toMatch(
        /^event: endpoint\ndata: \/message\?sessionId=[\w-]+\n\n$/,
      );
    },
  );
});

describe("HTTP+SSE streams", () => {
  /** A stream that nobody holds is closed with the garbage. */
  const held: unknown[] = [];

  async function open(url: string, signal: AbortSignal): Promise<{ status: number; endpoint: string }> {
    const response = await fetch(`${url}/sse`, { signal });
    const reader = response.body?.getReader();
    held.push(response, reader);
    const { value } = (await reader?.read()) ?? {};
    return {
      status: response.status,
      endpoint: /data: (\S+)/.exec(new TextDecoder().decode(value))?.[1] ?? "",
    };
  }

  test("of one client that nobody uses make way for those of others, and used ones stay", async () => {
    const { url } = await start();
    const over = new AbortController();
    owned.defer(() => over.abort());
    await using honest = await SdkClient.connect(`${url}/sse`);
    const first = await open(url, over.signal);
    for (let n = 0; n < MAX_PER_ADDRESS; n++) expect((await open(url, over.signal)).status).toBe(200);
    // The oldest that nobody used is gone, and who uses his goes on.
    expect((await send(url + first.endpoint, {})).status).toBe(404);
    expect((await honest.client.listTools()).tools.length).toBeGreaterThan(0);
    await using later = await SdkClient.connect(`${url}/sse`);
    expect((await later.client.listTools()).tools.length).toBeGreaterThan(0);
  }, 30_000);

  test("of one client that are all in use are no more than its share", async () => {
    const { url } = await start();
    const over = new AbortController();
    owned.defer(() => over.abort());
    for (let n = 0; n < MAX_PER_ADDRESS; n++) {
      const { endpoint } = await open(url, over.signal);
      const ping = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });
      const headers = { "content-type": "application/json" };
      await fetch(url + endpoint, { method: "POST", headers, body: ping });
    }
    expect((await fetch(`${url}/sse`)).status).toBe(429);
  }, 30_000);
});

describe("the log", () => {
  const refusedLines = (lines: readonly { readonly message: string }[]) =>
    lines.filter(({ message }) => message === "refused a request");

  test("says who was refused and why, and never what was brought as the token", async () => {
    const { url, lines } = await start({ auth: { token: TOKEN } });
    await send(`${url}/mcp?secret=query-secret`, { authorization: "Bearer wrong-token-of-a-client" });
    await send(`${url}/mcp/nobody`, { authorization: `Bearer ${TOKEN}` });
    await send(`${url}/mcp`, { origin: "https://evil.example", authorization: `Bearer ${TOKEN}` });
    await waitFor(() => refusedLines(lines).length === 3);
    const told = refusedLines(lines);
    expect(told[0]).toMatchObject({
      method: "POST",
      route: "/mcp",
      address: "127.0.0.1",
      why: expect.stringContaining("token"),
    });
    expect(told[1]).toMatchObject({ route: "/mcp/:backend", why: expect.stringContaining('"nobody"') });
    expect(told[2]).toMatchObject({ origin: "https://evil.example", why: expect.stringContaining("Origin") });
    expect(JSON.stringify(lines)).not.toMatch(/wrong-token-of-a-client|query-secret|a-token-for-tests/);
  });

  test("is not filled by somebody who is refused again and again", async () => {
    const { url, lines } = await start({ auth: { token: TOKEN } });
    for (let n = 0; n < 200; n++) await (await fetch(`${url}/status`)).body?.cancel();
    expect(refusedLines(lines).length).toBeLessThanOrEqual(20);
  });
});
