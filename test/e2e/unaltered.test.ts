// JSON passes as it was written, on every route: `scripts/fuzz --texts N` plays the same for long.

import { expect, setDefaultTimeout, test } from "bun:test";
import { fixture } from "../support/fixture.ts";
import { openSession } from "../support/post.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { waitFor } from "../support/wait-for.ts";
import { findMarked, marked } from "../unaltered/documents.ts";
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

test("documents pass in the odder places as well", async () => {
  const [command = "", ...args] = fixture("repeats-texts", "legacy");
  const [modern = "", ...modernArgs] = fixture("repeats-texts", "modern");
  const config = { backends: { old: { command, args }, new: { command: modern, args: modernArgs } } };
  await using gateway = await GatewayRun.start({ config });
  const document = marked(3, ['{"2":1.0,"1":[1e400,-0],"k":12345678901234567890,"k":"\\u00e9\\/"}']);
  const expectBack = (text: string) => expect(findMarked(text).get(3)).toEqual([document]);

  const session = { "content-type": "application/json", ...(await openSession(`${gateway.url}/mcp/old`)) };
  const post = async (body: string) =>
    (await fetch(`${gateway.url}/mcp/old`, { method: "POST", headers: session, body })).text();
  const call = `{"jsonrpc":"2.0","id":12345678901234567890,"method":"tools/call","params":{"name":"say","arguments":${document}}}`;
  const batch = await post(`[ ${call} ,{"jsonrpc":"2.0","id":2,"method":"ping","params":null}]`);
  expectBack(batch);
  expect(batch).toContain('"id":12345678901234567890,');
  expectBack(await post(call.replace('"params":{', '\r\n"params": {\n')));
  expectBack(await post(`{"jsonrpc":"2.0","id":1,"method":"vendor/none","params":{"x":${document}}}`));

  for (const era of ["legacy", "modern"] as const) {
    const client = await HttpTextClient.open(era, `${gateway.url}/mcp`);
    const ask = async (method: string, name: string, params: string) =>
      (await client.ask({ id: "1", method, name, params })).join("");
    for (const server of ["old", "new"]) {
      const uri = `gateway:${server}:doc:1`;
      expectBack(await ask("resources/read", uri, `"uri":"${uri}","x":${document}`));
      const text = JSON.stringify(document);
      const asText = `{"server":"${server}","tool":"say","arguments":${text}}`;
      expectBack(await ask("tools/call", "gateway_invoke", `"name":"gateway_invoke","arguments":${asText}`));
      const beside = `{"server":"${server}","tool":"say","select":null,${document.slice(1)}`;
      const said = await ask("tools/call", "gateway_invoke", `"name":"gateway_invoke","arguments":${beside}`);
      expectBack(said);
    }
  }
});
