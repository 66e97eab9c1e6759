// What a model reads when it searches: who was not searched in few words, what was left out and how to see it, and that
// nothing fits.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { type SdkClient, textOf } from "../support/sdk-client.ts";
import { TestGateway } from "./gateway.ts";

const PROPERTIES = Object.fromEntries(
  Array.from({ length: 20 }, (_, i) => [`parameter_${i}`, { type: "string", default: `value ${i}` }]),
);
const TOOLS = {
  "tools/list": {
    tools: [
      {
        name: "query_ledger",
        description: "Queries the ledger of invoices.",
        inputSchema: { type: "object", properties: PROPERTIES },
      },
      { name: "paint", description: "Paints.", inputSchema: { type: "object", properties: {} } },
    ],
  },
};

let gateway: TestGateway;
let sdk: SdkClient;

beforeAll(async () => {
  gateway = await TestGateway.start({
    backends: {
      books: asBackend(fixture("answers-as-told", JSON.stringify(TOOLS))),
      broken: { command: "no-such-program-anywhere" },
      worse: { command: "no-such-program-either" },
    },
  });
  sdk = await gateway.connect();
});

afterAll(async () => {
  await sdk[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

async function ask(name: string, args: object): Promise<string> {
  return textOf(await sdk.client.callTool({ name, arguments: { ...args } }));
}

test("servers that failed are named, and nothing more is said of them", async () => {
  for (const _again of [1, 2]) {
    const lines = (await ask("gateway_search_tools", { query: "ledger of invoices" })).split("\n");
    expect(lines.at(-1)).toBe("(not searched: broken, worse: failed)");
  }
  expect(await ask("gateway_list_servers", {})).toMatch(/broken .*no-such-program-anywhere/);
});

test("parameters that are left out are counted, and the call that shows them is said once", async () => {
  const lines = (await ask("gateway_search_tools", { query: "ledger of invoices parameter_19" })).split("\n");
  expect(lines[0]).toMatch(/^books\.query_ledger\(.*… \d+ more\) — Queries/);
  expect(lines.filter((line) => line.includes("gateway_list_tools"))).toEqual([
    '(… n more: parameters that gateway_list_tools {"server":"books","tool":"query_ledger"} shows)',
  ]);
  const whole = await ask("gateway_list_tools", { server: "books", tool: "query_ledger" });
  expect(whole).toContain("parameter_19");
  expect(await ask("gateway_list_tools", { server: "books" })).toContain("(… n more:");
});

test("a query that nothing fits is told so, and what is near", async () => {
  const [head] = (await ask("gateway_search_tools", { query: "paint my bicycle green tomorrow" })).split(
    "\n",
  );
  expect(head).toBe('No tool fits "paint my bicycle green tomorrow" well. The nearest:');
  expect(await ask("gateway_search_tools", { query: "zebra" })).toStartWith(
    'No tool fits "zebra". Servers: books,',
  );
});
