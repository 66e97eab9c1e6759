// HTTP servers that leave one kind of request without a response: every start, call and stop ends all the same.

import { describe, expect, test } from "bun:test";
import { answer, eventStream, json, MockServer, type Seen, sse } from "../support/mock-server.ts";
import { post } from "../support/post.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { UrlWire } from "../support/url-wire.ts";
import { waitFor } from "../support/wait-for.ts";
import { callTool, makeBackend } from "./rig.ts";

const NEVER = new Promise<Response>(() => {});
const TIMEOUTS = { start_timeout: "1s", request_timeout: "500ms" };

/** A legacy server that never responds to what `isIgnored` says. */
function serverWithout(isIgnored: (seen: Seen) => boolean): MockServer {
  return MockServer.start((seen) => (isIgnored(seen) ? NEVER : respond(seen)));
}

function respond(seen: Seen): Response {
  const { method, id } = seen.body;
  if (seen.method === "GET") return new Response(null, { status: 405 });
  if (seen.method === "DELETE") return new Response(null, { status: 204 });
  if (id === undefined) return new Response(null, { status: 202 });
  if (method === "server/discover") return new Response(null, { status: 400 });
  if (method === "initialize") {
    const result = {
      protocolVersion: "2025-11-25",
      capabilities: { tools: {}, logging: {}, resources: { subscribe: true } },
      serverInfo: { name: "mute", version: "1" },
    };
    return json(answer(seen, result), { headers: { "Mcp-Session-Id": "s-1" } });
  }
  if (method === "tools/list") return json(answer(seen, { tools: [{ name: "go", inputSchema: {} }] }));
  if (method === "tools/call") return json(answer(seen, { content: [{ type: "text", text: "gone" }] }));
  return json(answer(seen, { resources: [], resourceTemplates: [] }));
}

const sends = (method: string) => (seen: Seen) => seen.body.method === method;
const uses = (method: string) => (seen: Seen) => seen.method === method;

/** Resolves to what the call came to; the test's own timeout is the judge of those that never settle. */
function outcome(work: Promise<unknown>): Promise<unknown> {
  return work.catch((thrown: unknown) => (thrown instanceof Error ? thrown.message : thrown));
}

describe("a server that does not respond to", () => {
  test.each([
    ["notifications/initialized", sends("notifications/initialized"), "gone"],
    ["the GET of its stream", uses("GET"), "gone"],
    ["DELETE", uses("DELETE"), "gone"],
    ["tools/list", sends("tools/list"), "gone"],
    ["server/discover", sends("server/discover"), "gone"],
    ["notifications/cancelled", sends("notifications/cancelled"), "gone"],
    ["initialize", sends("initialize"), /no handshake within 1 s/],
    ["tools/call", sends("tools/call"), /no answer to tools\/call within 0.5 s/],
    ["anything", () => true, /no handshake within 1 s/],
  ])("%s is called, or given up in time, and stopped", async (_, isIgnored, expected) => {
    await using server = serverWithout(isIgnored);
    const backend = makeBackend({ url: server.url, ...TIMEOUTS });
    expect(await outcome(callTool(backend, "go"))).toEqual(
      typeof expected === "string" ? expected : expect.stringMatching(expected),
    );
    await backend[Symbol.asyncDispose]();
    expect(backend.status().state).toBe("stopped");
  });

  test("notifications/initialized is stopped while it starts", async () => {
    await using server = serverWithout(sends("notifications/initialized"));
    const backend = makeBackend({ url: server.url });
    const called = outcome(callTool(backend, "go"));
    await waitFor(() => server.seen.some(sends("notifications/initialized")));
    await backend[Symbol.asyncDispose]();
    expect(await called).toMatch(/closed|stopp|given up|cancel|handshake/);
    expect(backend.status().state).toBe("stopped");
  });
});

describe("a response that never begins", () => {
  test("is let go of where the message expects no answer", async () => {
    await using server = serverWithout(sends("notifications/cancelled"));
    await using wire = await UrlWire.start(server.url, { unansweredMs: 50 });
    await expect(wire.notify("notifications/cancelled")).rejects.toThrow("was given up");
    await waitFor(() => server.seen.at(-1)?.signal.aborted, { what: "the server to see it closed" });
  });

  test("is let go of on HTTP+SSE as well, and where the answer came on the stream", async () => {
    const stream = Promise.withResolvers<(piece: string) => Promise<void>>();
    await using server = MockServer.start((seen) => {
      if (seen.method !== "GET") return NEVER;
      return eventStream(async (write) => {
        await write("event: endpoint\ndata: /messages\n\n");
        stream.resolve(write);
        await NEVER;
      });
    });
    await using wire = await UrlWire.start(server.url, { kind: "sse", unansweredMs: 50 });
    await expect(wire.notify("notifications/cancelled")).rejects.toThrow("was given up");
    const asked = wire.ask("tools/call").catch((error: unknown) => error);
    await waitFor(() => server.seen.find(sends("tools/call")));
    await (await stream.promise)(sse({ jsonrpc: "2.0", id: 1, result: {} }));
    expect(await asked).toBeInstanceOf(Error);
    expect(wire.responses(1)).toHaveLength(1);
    const abandoned = wire.ask("tools/call").catch((error: unknown) => error);
    await waitFor(() => server.seen.filter(sends("tools/call"))[1]);
    wire.transport.abandon(2);
    expect(await abandoned).toBeInstanceOf(Error);
  });

  test("and only says that it will continue is a failure at once", async () => {
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket) {
          socket.write("HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000));
        },
      },
    });
    await using wire = await UrlWire.start(`http://127.0.0.1:${server.port}/`);
    await expect(wire.ask("tools/call")).rejects.toThrow("does not speak HTTP");
    server.stop(true);
  });
});

test("the gateway answers its client and obeys SIGTERM while a server ignores notifications/initialized", async () => {
  await using server = serverWithout(sends("notifications/initialized"));
  const backend = { url: server.url, start_timeout: "2s" };
  await using gateway = await GatewayRun.start({ config: { backends: { mute: backend } } });
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "x", version: "1" },
  };
  const url = `${gateway.url}/mcp/mute`;
  const reply = await post(url, { jsonrpc: "2.0", id: 1, method: "initialize", params });
  expect(await reply.text()).toContain('"name":"mute"');
  gateway.run.signal("SIGTERM");
  expect(await gateway.run.exited()).toBe(0);
});
