// Three gateways behind a balancer that knows nothing: clients of either era come and go through all of them.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { fixture } from "../support/fixture.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { SdkClient } from "../support/sdk-client.ts";

const REPLICAS = 3;
const stack = new AsyncDisposableStack();
const balancers: Balancer[] = [];
let shared: GatewayRun[];

beforeAll(async () => {
  shared = await startReplicas({ SESSION_KEY: "a key that all replicas share" });
});
afterAll(() => stack.disposeAsync());
afterEach(() => {
  for (const balancer of balancers.splice(0)) balancer[Symbol.dispose]();
});

/** One after the other, each with a state of its own, as on machines of their own. */
async function startReplicas(env: Record<string, string>): Promise<GatewayRun[]> {
  const [command, ...args] = fixture("runs-demo");
  const auth = env.SESSION_KEY === undefined ? {} : { auth: { session_key: "${SESSION_KEY}" } };
  const config = { ...auth, backends: { demo: { command, args } } };
  const runs: GatewayRun[] = [];
  for (let at = 0; at < REPLICAS; at++) runs.push(stack.use(await GatewayRun.start({ config, env })));
  return runs;
}

/** Hands each request to the next replica, whoever sent it. */
class Balancer implements Disposable {
  readonly served: number[];
  readonly #server: Bun.Server<undefined>;

  constructor(replicas: readonly GatewayRun[]) {
    this.served = replicas.map(() => 0);
    let next = 0;
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      idleTimeout: 0,
      fetch: async (request) => {
        const at = next++ % replicas.length;
        this.served[at] = (this.served[at] ?? 0) + 1;
        const { pathname } = new URL(request.url);
        const headers = new Headers(request.headers);
        headers.delete("host");
        const { method, signal } = request;
        const body = method === "POST" ? await request.text() : null;
        return await fetch(`${replicas[at]?.url}${pathname}`, { method, headers, body, signal });
      },
    });
    balancers.push(this);
  }

  get url(): string {
    return `${this.#server.url.origin}/mcp`;
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }
}

describe("with one key", () => {
  test("a legacy session that one opened goes on at every other", async () => {
    const balancer = new Balancer(shared);
    await using client = await SdkClient.connect(`${balancer.url}/demo`);
    const session = client.transport.sessionId;
    expect(session).toBeString();
    for (let round = 0; round < 3 * REPLICAS; round++) {
      expect(await client.text("query_json", { json: `[${round}]`, pointer: "/0" })).toBe(String(round));
    }
    expect(client.transport.sessionId).toBe(session);
    for (const count of balancer.served) expect(count).toBeGreaterThanOrEqual(3);
    const wentOn = shared.filter(({ stderr }) => stderr.includes("a session goes on"));
    expect(wentOn).toHaveLength(REPLICAS - 1);
  });

  test("a modern client notices nothing", async () => {
    const balancer = new Balancer(shared);
    const client = new Client(
      { name: "modern", version: "1" },
      { versionNegotiation: { mode: { pin: "2026-07-28" } } },
    );
    await client.connect(new StreamableHTTPClientTransport(new URL(balancer.url)));
    for (let round = 0; round < 2 * REPLICAS; round++) {
      const args = { server: "demo", tool: "query_json", arguments: { json: `[${round}]`, pointer: "/0" } };
      const { content, isError } = await client.callTool({ name: "gateway_invoke", arguments: args });
      expect([isError ?? false, content]).toEqual([false, [{ type: "text", text: String(round) }]]);
    }
    for (const count of balancer.served) expect(count).toBeGreaterThanOrEqual(2);
    await client.close();
  });
});

test("without it, a session ends where the next replica begins", async () => {
  const balancer = new Balancer(await startReplicas({}));
  await expect(SdkClient.connect(`${balancer.url}/demo`)).rejects.toThrow(/session/i);
});
