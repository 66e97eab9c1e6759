// Arrays of messages, as revision 2025-03-26 allows them: every request in one is answered, in one array.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gateway } from "../../src/gateway.ts";
import { referenceCommand } from "../fixtures/reference/start.ts";
import { asBackend } from "../support/npm-programs.ts";
import { openSession, post } from "../support/post.ts";
import { waitFor } from "../support/wait-for.ts";
import { modernMessage } from "./modern-post.ts";

const stateFolder = mkdtempSync(join(tmpdir(), "mcp-gateway-batches-"));
let gateway: Gateway;
let url: string;
let session: Record<string, string>;
beforeAll(async () => {
  const backends = { reference: asBackend(referenceCommand("legacy")) };
  gateway = await Gateway.start({ port: 0, backends }, { stateFolder });
  url = `${gateway.url}/mcp/reference`;
  session = await openSession(url, "2025-03-26");
});
afterAll(async () => {
  await gateway.close();
  rmSync(stateFolder, { recursive: true });
});

function call(id: number | string, name: string, args: object = {}) {
  return { jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: args } };
}

const send = (batch: unknown, headers = session) => post(url, batch, headers);
const initialized = { jsonrpc: "2.0", method: "notifications/initialized" };

test("are answered request by request, whatever else is in them", async () => {
  const batch = [
    call(1, "echo", { n: 1 }),
    initialized,
    call("two", "fail_with", { code: 77, message: "no" }),
    { jsonrpc: "2.0", id: 3, method: "ping" },
    { jsonrpc: "2.0", id: "gateway-99", result: {} },
    { jsonrpc: "2.0", id: 4, method: "no/such/method" },
  ];
  const response = await send(batch);
  expect(response.status).toBe(200);
  expect(response.headers.get("mcp-session-id")).toBe(session["mcp-session-id"] ?? "");
  const answers = (await response.json()) as { id: unknown }[];
  expect(answers).toMatchObject([
    { id: 1, result: { content: [{ text: '{"n":1}' }] } },
    { id: "two", error: { code: 77, message: "no" } },
    { id: 3, result: {} },
    { id: 4, error: { code: -32601 } },
  ]);
});

test("may use an id twice: each is answered", async () => {
  const answers = (await (
    await send([call(1, "echo", { n: 1 }), call(1, "echo", { n: 2 })])
  ).json()) as object[];
  expect(answers).toMatchObject([
    { id: 1, result: { content: [{ text: '{"n":1}' }] } },
    { id: 1, result: { content: [{ text: '{"n":2}' }] } },
  ]);
});

test("without a request are taken with 202 and no body", async () => {
  const response = await send([initialized, { jsonrpc: "2.0", id: 1, result: {} }]);
  expect([response.status, await response.text()]).toEqual([202, ""]);
});

test("run side by side, and a cancellation in another one ends a call", async () => {
  const key = crypto.randomUUID();
  const slow = send([call("slow one", "slow", { ms: 60_000, key }), call("quick", "echo", {})]);
  await waitFor(async () => {
    const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "slow one" } };
    await send([cancel]);
    const [log] = (await (await send([call(1, "slow_log")])).json()) as { result: unknown }[];
    return JSON.stringify(log).includes(key);
  });
  expect(await (await slow).json()).toMatchObject([{ id: "slow one" }, { id: "quick", result: {} }]);
});

describe("are refused", () => {
  test.each<[string, unknown]>([
    ["when empty", []],
    ["with something in it that is no message", [call(1, "echo"), 5]],
    ["with a batch in the batch", [[call(1, "echo")]]],
    ["with initialize in it", [{ jsonrpc: "2.0", id: 1, method: "initialize", params: {} }]],
    ["with a modern request in it", [call(1, "echo"), modernMessage("tools/call", { name: "echo" })]],
  ])("%s", async (_name, batch) => {
    const response = await send(batch);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ id: null, error: { code: -32600 } });
  });

  test("without a session", async () => {
    expect((await send([call(1, "echo")], {})).status).toBe(400);
  });
});
