// The state that a modern client carries between two rounds: it opens one call, for one client, once.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Json } from "../../src/protocol/jsonrpc.ts";
import { referenceCommand } from "../fixtures/reference/start.ts";
import { GatewayProcess, programEntry } from "./gateway-process.ts";
import { postModern } from "./modern-post.ts";

const capabilities = { elicitation: {}, sampling: {}, roots: {} };
const TOKEN = "the-first-token-0123456789";
const other = "the-second-token-9876543210";
const settings = (token: string) => ({
  auth: { token },
  backends: {
    legacy: programEntry(referenceCommand("legacy")),
    twin: programEntry(referenceCommand("legacy")),
  },
});

let gateway: GatewayProcess;
beforeAll(async () => {
  gateway = await GatewayProcess.start(settings(TOKEN));
});
afterAll(() => gateway[Symbol.asyncDispose]());

interface Asked {
  readonly requestState: string;
  readonly inputResponses: Json;
}

const tool = { name: "test_elicitation", arguments: { message: "who?" } };
const invoke = {
  name: "gateway_invoke",
  arguments: { server: "legacy", tool: tool.name, arguments: tool.arguments },
};

async function send(path: string, params: Json, token = TOKEN): Promise<Json> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await postModern(`${gateway.url}${path}`, "tools/call", params, { capabilities, headers });
  return (await response.json()) as Json;
}

/** Makes a call that asks, and prepares the answer to what it asked. */
async function ask(path = "/mcp/legacy", params: Json = tool): Promise<Asked> {
  const { result } = await send(path, params);
  expect(result).toHaveProperty("resultType", "input_required");
  const { requestState, inputRequests } = result as { requestState: string; inputRequests: Json };
  const accept = { action: "accept", content: { username: "Ada", email: "ada@example.com" } };
  const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((key) => [key, accept]));
  return { requestState, inputResponses };
}

const REFUSED = { error: { code: -32602, message: expect.stringContaining("requestState") } };

describe.each([
  ["a backend's own route", "/mcp/legacy", tool],
  ["gateway_invoke", "/mcp", invoke],
])("on %s", (_name, path, params) => {
  test("opens its call", async () => {
    const answer = await send(path, { ...params, ...(await ask(path, params)) });
    expect(JSON.stringify(answer)).toContain("Ada");
  });

  test("opens it once", async () => {
    const asked = await ask(path, params);
    expect(await send(path, { ...params, ...asked })).toHaveProperty("result");
    expect(await send(path, { ...params, ...asked })).toMatchObject(REFUSED);
  });

  test("is refused when it was changed", async () => {
    const asked = await ask(path, params);
    const { requestState } = asked;
    const [body = "", signature = ""] = requestState.split(".");
    const payload = JSON.parse(Buffer.from(body, "base64url").toString());
    const later = Buffer.from(JSON.stringify({ ...payload, e: payload.e + 1 })).toString("base64url");
    for (const wrong of [`${later}.${signature}`, `${requestState}=`, requestState.slice(0, -1), "", "x.y"]) {
      const answer = await send(path, { ...params, ...asked, requestState: wrong });
      expect(answer, wrong).toHaveProperty("error.code", -32602);
    }
    expect(await send(path, { ...params, ...asked })).toHaveProperty("result");
  });

  test("is refused with other arguments", async () => {
    const asked = await ask(path, params);
    const more = { ...params, arguments: { ...params.arguments, message: "changed" } };
    expect(await send(path, { ...more, ...asked })).toMatchObject(REFUSED);
    expect(await send(path, { ...params, ...asked })).toHaveProperty("result");
  });
});

test("is refused at another target", async () => {
  const asked = await ask("/mcp/legacy");
  expect(await send("/mcp/twin", { ...tool, ...asked })).toMatchObject(REFUSED);
  expect(await send("/mcp", { ...tool, ...asked })).toMatchObject(REFUSED);
  expect(await send("/mcp/legacy", { ...tool, ...asked })).toHaveProperty("result");
});

test("of a process that is gone is refused; so is that of another principal", async () => {
  const asked = await ask();
  await gateway.kill();
  await gateway.startAgain();
  expect(await send("/mcp/legacy", { ...tool, ...asked })).toMatchObject(REFUSED);
  const again = await ask();
  await gateway.kill();
  await gateway.startAgain(settings(other));
  const refused = await send("/mcp/legacy", { ...tool, ...again }, other);
  expect(refused).toMatchObject({ error: { message: expect.stringContaining("does not belong") } });
});
