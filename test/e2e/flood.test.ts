// A flood of calls to the compiled binary: what one backend cannot take is refused at once, with a reason and advice, and
// nobody else waits for it.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { post } from "../support/post.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { waitFor } from "../support/wait-for.ts";

const CALLS = 300;
/** The one that runs, and those that may wait for it. */
const TAKEN = 101;

let gateway: GatewayRun;

beforeAll(async () => {
  const healthy = asBackend(fixture("healthy"));
  gateway = await GatewayRun.start({
    config: { backends: { flooded: { ...healthy, max_concurrency: 1 }, other: healthy } },
  });
});

afterAll(() => gateway[Symbol.asyncDispose]());

async function call(backend: string, name: string, args: object, signal?: AbortSignal): Promise<string> {
  const method = "tools/call";
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const message = { jsonrpc: "2.0", id: 1, method, params: { name, arguments: args, _meta } };
  const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": method, "mcp-name": name };
  const response = await post(`${gateway.url}/mcp/${backend}`, message, headers, signal);
  return response.text();
}

test("what is too much is refused with advice, others are served meanwhile, and afterwards all is as before", async () => {
  const abort = new AbortController();
  const refused: string[] = [];
  const flood = Array.from({ length: CALLS }, () =>
    call("flooded", "slow", { ms: 60_000 }, abort.signal).then((text) => void refused.push(text)),
  );
  const ends = Promise.allSettled(flood);
  await waitFor(() => refused.length === CALLS - TAKEN, { what: "the refusals" });
  const { error } = JSON.parse(refused[0] ?? "{}");
  expect(error).toMatchObject({ code: -32000 });
  expect(error.message).toBe(
    "flooded is busy: 1 calls run (max_concurrency) and 100 wait. Nothing was sent; try again in some seconds.",
  );
  expect(new Set(refused).size).toBe(1);
  expect(await call("other", "echo", { text: "served" })).toContain("served");
  expect((await gateway.backendHealth("flooded")).in_flight).toBe(1);
  abort.abort();
  await ends;
  expect(refused.length).toBe(CALLS - TAKEN);
  const isFree = async () => (await gateway.backendHealth("flooded")).in_flight === 0;
  await waitFor(isFree, { what: "the flood to be over" });
  expect(await call("flooded", "echo", { text: "free again" })).toContain("free again");
});
