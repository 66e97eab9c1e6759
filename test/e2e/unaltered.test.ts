// JSON passes as it was written, on every route: `scripts/fuzz --texts N` plays the same for long.

import { expect, setDefaultTimeout, test } from "bun:test";
import { fixture } from "../support/fixture.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { waitFor } from "../support/wait-for.ts";
import { play } from "../unaltered/play.ts";
import { HttpTextClient } from "../unaltered/text-client.ts";

setDefaultTimeout(120_000);

test("documents of every form pass every route unaltered, awake, asleep and after a restart", async () => {
  const { findings, compared, routes } = await play({ seed: 7, documents: 200, perCall: 20 });
  expect(findings).toEqual([]);
  expect(compared).toBeGreaterThan(200 * routes);
});

test("a server says of itself what it says, and how long and by whom it may be kept", async () => {
  const server = (era: string) => {
    const [command = "", ...args] = fixture("repeats-texts", era);
    return { command, args, idle_timeout: 1 };
  };
  const config = { backends: { old: server("legacy"), new: server("modern") } };
  await using gateway = await GatewayRun.start({ config });
  await using merged = await GatewayRun.start({ config, args: ["--no-meta-mcp"] });
  const old = await HttpTextClient.open("legacy", `${gateway.url}/mcp/old`);
  const modern = await HttpTextClient.open("modern", `${gateway.url}/mcp/new`);
  const all = await HttpTextClient.open("modern", `${merged.url}/mcp`);
  const ask = async (client: HttpTextClient, method: string, params = "") =>
    (await client.ask({ id: "1", method, params })).join("");

  const check = async () => {
    const initialized = await ask(old, "initialize", '"protocolVersion":"2025-11-25","capabilities":null');
    expect(initialized).toContain('"_meta":{"n":1.0},"vendor":[-0]');
    expect(initialized).toContain('"experimental":{"n":12345678901234567890}');
    expect(initialized).toContain('"serverInfo":{"name":"repeats-texts","version":"1","more":[1.0,1e400]}');
    const discovered = await ask(modern, "server/discover");
    expect(discovered).toContain('"ttlMs":5,"cacheScope":"private"');
    expect(discovered).toContain('"n":1.0},"vendor":[-0]');
    const listed = await ask(modern, "tools/list");
    expect(listed).toContain('"ttlMs":0,"cacheScope":"private","_meta":{"n":1.0');
    expect(await ask(old, "tools/list")).toContain('"_meta":{"n":1.0}');
    const together = JSON.parse(await ask(all, "tools/list")).result;
    expect(together).toMatchObject({ ttlMs: 0, cacheScope: "private" });
  };
  await check();
  await waitFor(async () =>
    Object.values((await gateway.health()).backends).every(({ running }) => !running),
  );
  await check();
  expect(Object.values((await gateway.health()).backends).some(({ running }) => running)).toBe(false);
});
