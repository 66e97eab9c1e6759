// Gateways among the backends of gateways: a chain works, and one that leads back to its beginning is refused in words.

import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Via } from "../../src/backend/via.ts";
import type { ConfigInput } from "../../src/config/schema.ts";
import { Gateway } from "../../src/gateway.ts";
import { fixture } from "../support/fixture.ts";
import { findFreePort } from "../support/run-gateway.ts";
import { SdkClient } from "../support/sdk-client.ts";

type Backends = NonNullable<ConfigInput["backends"]>;

const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-loops-"));
const [command = "", ...args] = fixture("healthy");
const tool = { command, args };
let owned: AsyncDisposableStack;
beforeEach(() => {
  owned = new AsyncDisposableStack();
});
afterEach(() => owned.disposeAsync());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(port: number, backends: Backends, more: ConfigInput = {}): Promise<string> {
  const options = { stateFolder: join(folder, String(port)), cacheFolder: join(folder, String(port)) };
  const config = { port, start_timeout: "20s", request_timeout: "20s", backends, ...more };
  return owned.use(await Gateway.start(config, options)).url;
}

describe("a gateway that lists itself is refused", () => {
  test.each(["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "workshop.localhost"])(
    "as %s",
    async (name) => {
      const port = findFreePort();
      // Whatever resolves to this machine may be used, as a name that a proxy or a hosts file gives it.
      const host = name === "workshop.localhost" ? "127.0.0.1" : name;
      const routes = ["/mcp", "/mcp/tool", "/sse", "/tool/sse"];
      const selves = routes.map((route, n) => [`self${n}`, { http_url: `http://${host}:${port}${route}` }]);
      const url = await start(
        port,
        { tool, ...Object.fromEntries(selves) },
        { allowed_hosts: ["::ffff:7f00:1"] },
      );
      for (const [n, route] of routes.entries()) {
        await using client = await SdkClient.connect(`${url}/mcp`);
        const call = { name: "gateway_list_tools", arguments: { server: `self${n}` } };
        const text = JSON.stringify(await client.client.callTool(call));
        expect(text, route).toContain(`self${n}`);
        expect(text, route).toContain("this gateway would serve itself");
      }
      await using client = await SdkClient.connect(`${url}/mcp/tool`);
      expect((await client.client.listTools()).tools.length).toBeGreaterThan(0);
    },
    60_000,
  );
});

describe.each([{ enable_meta_mcp: false }, { enable_meta_mcp: true }])("two gateways, %j,", (more) => {
  test("that list each other are refused, and serve what else they have", async () => {
    const [a, b] = [findFreePort(), findFreePort()];
    const first = await start(a, { tool, other: { http_url: `http://127.0.0.1:${b}/mcp` } }, more);
    const second = await start(b, { tool, other: { http_url: `http://127.0.0.1:${a}/mcp` } }, more);
    for (const url of [first, second]) {
      await using client = await SdkClient.connect(`${url}/mcp`);
      const listed = (await client.client.listTools()).tools.map(({ name }) => name);
      if (more.enable_meta_mcp) {
        const search = { name: "gateway_search_tools", arguments: { query: "say something back" } };
        expect(JSON.stringify(await client.client.callTool(search))).toContain("tool.echo");
      } else {
        expect(listed).toContain("tool__echo");
        expect(listed.some((name) => name.startsWith("other__other__other"))).toBe(false);
      }
    }
  }, 60_000);
});

test("two gateways that use a backend of each other are no loop", async () => {
  const [a, b] = [findFreePort(), findFreePort()];
  const first = await start(a, { mine: tool, theirs: { http_url: `http://127.0.0.1:${b}/mcp/mine` } });
  const second = await start(b, { mine: tool, theirs: { http_url: `http://127.0.0.1:${a}/mcp/mine` } });
  for (let n = 0; n < 2; n++) {
    for (const url of [first, second]) {
      await using client = await SdkClient.connect(`${url}/mcp/theirs`);
      const answer = await client.client.callTool({ name: "echo", arguments: { text: "hello" } });
      expect(JSON.stringify(answer)).toContain("hello");
    }
  }
}, 60_000);

describe("what a request to a backend carries", () => {
  const from = (...ids: string[]) => new Headers({ "mcp-gateway-via": ids.join(", ") });

  test("is our own id, and those of gateways that ask for this backend", () => {
    const via = new Via("own-gateway");
    expect(via.headerFor("x")).toBe("own-gateway");
    expect(via.isLoop(from("gateway-a", "gateway-b"), "x")).toBe(false);
    expect(via.isLoop(from("gateway-c"))).toBe(false);
    expect(via.headerFor("x")).toBe("own-gateway, gateway-c, gateway-a, gateway-b");
    expect(via.headerFor("y")).toBe("own-gateway, gateway-c");
    expect(via.isLoop(from("gateway-a", "own-gateway"), "x")).toBe(true);
    expect(via.isLoop(new Headers(), "x")).toBe(false);
  });

  test("leaves out who has not asked for ten minutes, and what is no id", () => {
    let nowMs = 0;
    const via = new Via("own-gateway", () => nowMs);
    via.isLoop(from("gateway-a", "x\u00e9", "short", "", "y".repeat(99)), "x");
    expect(via.headerFor("x")).toBe("own-gateway, gateway-a");
    nowMs = 600_001;
    expect(via.headerFor("x")).toBe("own-gateway");
  });

  test("is bounded", () => {
    const via = new Via("own-gateway");
    for (let n = 0; n < 1_000; n++) via.isLoop(from(`gateway-${n}`), "x");
    expect(via.headerFor("x").split(", ").length).toBeLessThanOrEqual(65);
  });
});
