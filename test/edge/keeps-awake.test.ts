// What counts as use although no call is on its way to the backend: a question that waits for its answer, and a resource
// that somebody watches. Looking at /health does not.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { isObject, type Json } from "../../src/protocol/jsonrpc.ts";
import { referenceCommand } from "../fixtures/reference/start.ts";
import { waitFor } from "../support/wait-for.ts";
import { GatewayProcess, programEntry } from "./gateway-process.ts";
import { postModern } from "./modern-post.ts";

const IDLE_MS = 300;
const capabilities = { elicitation: {} };

let gateway: GatewayProcess;
beforeAll(async () => {
  const entry = { ...programEntry(referenceCommand("legacy")), idle_timeout: IDLE_MS / 1_000 };
  gateway = await GatewayProcess.start({ backends: { asks: entry, watched: entry } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

async function stateOf(name: string): Promise<unknown> {
  const health = (await (await fetch(`${gateway.url}/health`)).json()) as { backends: Record<string, Json> };
  return health.backends[name]?.state;
}

/** Far longer than what makes it sleep, and looked at all the while. */
async function expectAwake(name: string): Promise<void> {
  for (const untilMs = performance.now() + 5 * IDLE_MS; performance.now() < untilMs; await Bun.sleep(20)) {
    expect(await stateOf(name)).toBe("ready");
  }
}

async function call(name: string, more: Json = {}): Promise<Json> {
  const params = { name: "test_elicitation", arguments: { message: "who?" }, ...more };
  const response = await postModern(`${gateway.url}/mcp/${name}`, "tools/call", params, { capabilities });
  const { result } = (await response.json()) as Json;
  if (!isObject(result)) throw new Error("no result");
  return result;
}

test("a question that was put to a client", async () => {
  const { inputRequests, requestState } = await call("asks");
  await expectAwake("asks");
  const [key = ""] = Object.keys(isObject(inputRequests) ? inputRequests : {});
  const accept = { action: "accept", content: { username: "Ada", email: "ada@example.com" } };
  expect(JSON.stringify(await call("asks", { requestState, inputResponses: { [key]: accept } }))).toContain(
    "Ada",
  );
  await waitFor(async () => (await stateOf("asks")) === "asleep");
});

test("a resource that a client watches, as long as it does", async () => {
  const gone = new AbortController();
  const wanted = { notifications: { resourceSubscriptions: ["test://static-text"] } };
  const url = `${gateway.url}/mcp/watched`;
  const response = await postModern(url, "subscriptions/listen", wanted, { signal: gone.signal });
  const acknowledged = await response.body?.getReader().read();
  expect(new TextDecoder().decode(acknowledged?.value)).toContain("test://static-text");
  await expectAwake("watched");
  gone.abort();
  await waitFor(async () => (await stateOf("watched")) === "asleep");
});
