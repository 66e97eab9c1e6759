// The bytes that clients send and get are counted, whichever form the answer has.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gateway } from "../../src/index.ts";
import { SdkClient } from "../support/sdk-client.ts";

test("every body in and every answer out is counted", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bytes-"));
  await using gateway = await Gateway.start(
    { port: 0, backends: {} },
    { stateFolder: folder, cacheFolder: folder },
  );
  const count = async (direction: string) => {
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    return Number(new RegExp(`mcp_gateway_bytes_total\\{direction="${direction}"\\} (\\d+)`).exec(text)?.[1]);
  };
  expect([await count("in"), await count("out")]).toEqual([0, 0]);
  await using client = await SdkClient.connect(`${gateway.url}/mcp`);
  await client.client.listTools();
  expect(await count("in")).toBeGreaterThan(200);
  expect(await count("out")).toBeGreaterThan(1_000);
  rmSync(folder, { recursive: true });
});
