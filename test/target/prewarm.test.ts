// A search or a list of tools starts the backend that it points at, so that the call after it finds it awake.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gateway } from "../../src/gateway.ts";
import { Prewarm } from "../../src/target/prewarm.ts";
import { makeBackend, program } from "../backend/rig.ts";
import { fixture } from "../support/fixture.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";

const backends = {
  growing: { ...program(fixture("grows-tools")), description: "grows" },
  broken: program(fixture("exits-at-once", "3")),
};
const never = new AbortController().signal;

async function startedAgain(
  more: object,
  run: (client: SdkClient, states: () => Promise<Record<string, string>>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-prewarm-"));
  try {
    for (const isSecond of [false, true]) {
      await using gateway = await Gateway.start(
        { port: 0, backends, ...more },
        { stateFolder: folder, cacheFolder: folder },
      );
      await using client = await SdkClient.connect(`${gateway.url}/mcp`);
      const states = async () => {
        const { backends: health } = (await (await fetch(`${gateway.url}/health`)).json()) as {
          backends: Record<string, { state: string; catalog: string }>;
        };
        return Object.fromEntries(
          Object.entries(health).map(([name, { state, catalog }]) => [name, `${state}, ${catalog}`]),
        );
      };
      if (isSecond) await run(client, states);
      else await client.text("gateway_search_tools", { query: "adds one more tool" });
      if (!isSecond) await waitFor(async () => (await states()).growing?.endsWith("fresh"));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the backend of the best hit is started, and its remembered tools become fresh", () =>
  startedAgain({}, async (client, states) => {
    expect(await states()).toMatchObject({ growing: "stopped, remembered" });
    expect(await client.text("gateway_list_servers")).toContain("remembered tools");
    await client.text("gateway_search_tools", { query: "adds one more tool" });
    await waitFor(async () => (await states()).growing === "ready, fresh");
    expect(await client.text("gateway_list_servers")).not.toContain("remembered");
  }));

test("so is the one whose tools are listed", () =>
  startedAgain({}, async (client, states) => {
    expect(await client.text("gateway_list_tools", { server: "growing" })).toContain("growing.grow(");
    await waitFor(async () => (await states()).growing === "ready, fresh");
  }));

test("with prewarm: false it is left asleep", () =>
  startedAgain({ prewarm: false }, async (client, states) => {
    // Whoever was never listed is asked; that is no prewarming.
    const found = await client.text("gateway_search_tools", { query: "adds one more tool" });
    expect(found).toContain("growing.grow(");
    await client.text("gateway_list_tools", { server: "growing" });
    expect(await states()).toMatchObject({ growing: "stopped, remembered" });
  }));

test("not more than two are started side by side, and none that has failed", async () => {
  const slow = () => makeBackend({ ...program(fixture("hangs-on-start")), start_timeout: "2s" });
  await using one = slow();
  await using two = slow();
  await using three = slow();
  await using failed = makeBackend(backends.broken);
  await failed.relist(never).catch(() => undefined);
  const { starts } = failed.status();
  const prewarm = new Prewarm(true);
  for (const backend of [failed, one, one, two, three]) prewarm.hint(backend);
  expect([one, two, three].map((backend) => backend.status().state)).toEqual([
    "starting",
    "starting",
    "stopped",
  ]);
  expect(failed.status()).toMatchObject({ state: "failed", starts });
});
