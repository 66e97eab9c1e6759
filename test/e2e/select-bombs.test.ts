// Expressions that would never end, sent to the compiled binary: each is answered in words, everybody else is served
// meanwhile, and SIGTERM ends the gateway.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { referenceCommand } from "../fixtures/reference/start.ts";
import { asBackend } from "../support/npm-programs.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { allText, SdkClient } from "../support/sdk-client.ts";

const BOMBS = [
  "map(&map(&map(&map(&id,$.items),$.items),$.items),items)",
  `[@,@]${"|[@,@]".repeat(60)}`,
  "pad_left('a',`1000000000`)",
  "replace('aaa','a',pad_left('b',`10000000`),`1000000000`)",
  "sort_by(items,&join('',$.items[*].to_string(id)))",
];

let gateway: GatewayRun;
let attacker: SdkClient;
let other: SdkClient;

beforeAll(async () => {
  gateway = await GatewayRun.start({ config: { backends: { s: asBackend(referenceCommand("both")) } } });
  attacker = await SdkClient.connect(`${gateway.url}/mcp`);
  other = await SdkClient.connect(`${gateway.url}/mcp/s`);
});

afterAll(async () => {
  await attacker[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

async function selectFromItems(select: string): Promise<string> {
  const result = {
    content: [],
    structuredContent: { items: Array.from({ length: 1_000 }, (_, id) => ({ id })) },
  };
  const args = { server: "s", tool: "answer_with", arguments: { result }, select, max_tokens: 50 };
  return allText(await attacker.client.callTool({ name: "gateway_invoke", arguments: args }));
}

test("bombs are answered, other clients are served, and SIGTERM ends the gateway", async () => {
  const answers = Promise.all([...BOMBS, ...BOMBS].map(selectFromItems));
  const echo = await other.client.callTool({ name: "echo", arguments: { text: "served" } });
  expect(allText(echo)).toContain("served");
  expect((await gateway.health()).status).toBe("healthy");
  for (const answer of await answers) expect(answer).toMatch(/select was not applied: it takes more than/);
  const end = Promise.all(BOMBS.map(selectFromItems)).catch(() => []);
  gateway.run.signal("SIGTERM");
  expect(await gateway.run.exited()).toBe(0);
  await end;
});
