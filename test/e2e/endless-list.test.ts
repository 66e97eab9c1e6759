// A backend whose list has no end costs a bounded piece of memory, and nobody else waits for it.

import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { SdkClient } from "../support/sdk-client.ts";

setDefaultTimeout(60_000);

const PAGE_BYTES = 5_000_000;
const MOST_MB = 500;

test("an endless list is cut where it is too large, and its tools are there", async () => {
  await using gateway = await GatewayRun.start({
    config: {
      backends: {
        endless: asBackend(fixture("strains", "pages", String(PAGE_BYTES))),
        healthy: asBackend(fixture("healthy")),
      },
    },
  });
  await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
  const listing = sdk.client.callTool({ name: "gateway_list_tools", arguments: { server: "endless" } });
  expect(await sdk.invoke("healthy", "echo", { text: "meanwhile" })).toBe("meanwhile");
  expect(JSON.stringify(await listing)).toContain("tool_1");
  expect(gateway.stderr).toContain("a list is too large; keeping the items read so far");
  const status = readFileSync(`/proc/${gateway.run.pid}/status`, "utf8");
  expect(Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1]) / 1024).toBeLessThan(MOST_MB);
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  const held = Number(/memory_held_bytes\{holder="catalogs"\} (\d+)/.exec(metrics)?.[1]);
  expect(held).toBeGreaterThan(PAGE_BYTES);
  expect(held).toBeLessThanOrEqual(32 * 1024 * 1024);
});
