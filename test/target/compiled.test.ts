// What behaves in a compiled program as it does from source only if nothing was left out of it: patterns, JMESPath, pins.

import { expect, test } from "bun:test";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { SdkClient, textOf } from "../support/sdk-client.ts";

test("rules, pins, parts and selections work in the compiled gateway", async () => {
  const tools = { deny: ["{crash,e*}"], rename: { slow: "wait" } };
  await using gateway = await GatewayRun.start({
    config: {
      pinned: ["healthy.wait", "healthy.crash"],
      max_result_tokens: 100,
      backends: { healthy: { ...asBackend(fixture("healthy")), tools } },
    },
  });
  await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
  const names = (await sdk.client.listTools()).tools.map(({ name }) => name);
  expect(names.slice(4)).toEqual(["healthy__wait"]);
  expect(gateway.stderr).toContain("left out a pinned tool");
  expect(await sdk.text("healthy__wait", { ms: 1, text: "waited" })).toBe("waited");
  const invoke = (args: object) =>
    sdk.client.callTool({ name: "gateway_invoke", arguments: { server: "healthy", ...args } });
  expect((await invoke({ tool: "echo", arguments: { text: "x" } })).isError).toBe(true);
  const json = JSON.stringify({ items: [{ id: 1 }, { id: 2 }] });
  const wait = { tool: "wait", arguments: { ms: 1, text: json } };
  expect(textOf(await invoke({ ...wait, select: "items[].id" }))).toBe("[1,2]");
  expect(textOf(await invoke({ tool: "big", arguments: { bytes: 1_000 } }))).toHaveLength(400);
});
