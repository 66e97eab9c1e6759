// Other people's HTTP servers: shapes of what they say, and what must come of each. A server that would serve a call is
// reached, whatever it answers to what it does not know.

import { describe, expect, test } from "bun:test";
import {
  answer,
  eventStream,
  events,
  failure,
  json,
  MockServer,
  type Seen,
  sse,
} from "../support/mock-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { callTool, makeBackend, makeCall } from "./rig.ts";

type Reply = (seen: Seen) => Response | Promise<Response>;

const TIMEOUTS = { start_timeout: "2s", request_timeout: "2s" };

const initialized = (seen: Seen, headers: Record<string, string> = {}) =>
  json(
    answer(seen, {
      protocolVersion: "2025-06-18",
      capabilities: { tools: {} },
      serverInfo: { name: "other", version: "1" },
    }),
    { headers },
  );

const text = (words: string) => ({ content: [{ type: "text", text: words }] });

/** A legacy server, but for what `odd` answers. */
function legacyServer(odd: (seen: Seen) => Response | Promise<Response> | undefined): MockServer {
  return MockServer.start((seen) => odd(seen) ?? ordinary(seen));
}

function ordinary(seen: Seen): Response {
  if (seen.method === "DELETE") return new Response(null, { status: 204 });
  if (seen.method === "GET") return new Response(null, { status: 405 });
  const { id, method } = seen.body;
  if (id === undefined) return new Response(null, { status: 202 });
  if (method === "server/discover") return new Response(null, { status: 400 });
  if (method === "initialize") return initialized(seen);
  if (method === "tools/list") return json(answer(seen, { tools: [{ name: "go", inputSchema: {} }] }));
  return json(answer(seen, text("gone")));
}

async function callGo(server: MockServer): Promise<string> {
  await using backend = makeBackend({ url: server.url, ...TIMEOUTS });
  return await callTool(backend, "go").catch((thrown: unknown) => `error: ${String(thrown)}`);
}

const status = (code: number, init: ResponseInit = {}) => new Response(null, { ...init, status: code });
const rpc = (message: unknown, code = 200) => json(message, { status: code });
const page = (code: number) =>
  new Response("<h1>Sorry</h1>", { status: code, headers: { "Content-Type": "text/html" } });
const open = (first: string) =>
  eventStream(async (write) => {
    await write(first);
    await new Promise(() => {});
  });
const notice = { jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "hello" } };

const FIRST_ANSWERS: Readonly<Record<string, Reply>> = {
  "202": () => status(202),
  "204": () => status(204),
  "200 with nothing": () => new Response("", { headers: { "Content-Type": "application/json" } }),
  "200 without a type": () => new Response(new Uint8Array()),
  "{}": () => rpc({}),
  null: () => rpc(null),
  "[]": () => rpc([]),
  "a number": () => rpc(42),
  "plain text": () => new Response("unknown method"),
  "a page": () => page(200),
  "broken JSON": () => new Response('{"jsonrpc":', { headers: { "Content-Type": "application/json" } }),
  "an empty result": (seen) => rpc(answer(seen)),
  "a result of null": (seen) => rpc({ jsonrpc: "2.0", id: seen.body.id, result: null }),
  "a result of another kind": (seen) => rpc(answer(seen, text("unknown method"))),
  "an error": (seen) => rpc(failure(seen.body.id, -32601, "Method not found")),
  "an error of its own": (seen) => rpc(failure(seen.body.id, -32001, "what?")),
  "an error for another id": () => rpc(failure("server-error", -32600, "bad")),
  "an error for no id": () => rpc(failure(null, -32600, "bad")),
  "an error without id": () => rpc({ jsonrpc: "2.0", error: { code: -32600, message: "bad" } }),
  "an error whose id is text": (seen) => rpc(failure(String(seen.body.id), -32601, "no")),
  "an error without jsonrpc": (seen) => rpc({ id: seen.body.id, error: { code: -32601, message: "no" } }),
  "an error that is text": () => rpc({ error: "Method not found" }),
  "an error in a batch": (seen) => rpc([failure(seen.body.id, -32601, "no")]),
  "an error as an event": (seen) => events(sse(failure(seen.body.id, -32601, "no"))),
  "a stream of nothing": () => events(),
  "a stream of a comment": () => events(": hello\n\n"),
  "a stream of a notification": () => events(sse(notice)),
  "a stream of no JSON-RPC": () => events("data: what?\n\n"),
  "a stream of a comment that stays open": () => open(": hello\n\n"),
  "a stream of a notification that stays open": () => open(sse(notice)),
  "no answer": () => new Promise(() => {}),
  "301 to itself": (seen) => status(301, { headers: { location: seen.url.href } }),
  "302 to another place": () => status(302, { headers: { location: "https://login.example/" } }),
  "400": () => status(400),
  "400 with -32600": () => rpc(failure("server-error", -32600, "Unsupported protocol version"), 400),
  "400 with a sentence": () => new Response("Missing session ID", { status: 400 }),
  "402": () => status(402),
  "404 with a page": () => page(404),
  "404 with -32601": (seen) => rpc(failure(seen.body.id, -32601, "no"), 404),
  "405": () => status(405),
  "406": () => status(406),
  "409": () => status(409),
  "410": () => status(410),
  "415": () => status(415),
  "422": () => rpc({ detail: [{ msg: "unknown method" }] }, 422),
  "500 with -32601": (seen) => rpc(failure(seen.body.id, -32601, "Method not found"), 500),
  "500 with -32603": (seen) => rpc(failure(seen.body.id, -32603, "Internal error"), 500),
  "500 with an error for no id": () => rpc(failure(null, -32603, "Internal error"), 500),
  "501": () => status(501),
};

describe("a legacy server is reached that answers server/discover with", () => {
  test.each(Object.entries(FIRST_ANSWERS))("%s", async (_, reply) => {
    await using server = legacyServer((seen) =>
      seen.body.method === "server/discover" ? reply(seen) : undefined,
    );
    expect(await callGo(server)).toBe("gone");
    expect(server.seen.filter(({ body }) => body.method === "initialize")).toHaveLength(1);
  });
});

describe("nothing is concluded, and no initialize is sent, from server/discover answered with", () => {
  const CASES: Readonly<Record<string, Reply>> = {
    "401": () => status(401),
    "401 with -32601": (seen) => rpc(failure(seen.body.id, -32601, "who are you?"), 401),
    "403": () => page(403),
    "500 with a page": () => page(500),
    "502": () => status(502),
    "503": () => new Response("busy", { status: 503 }),
    "504 with JSON": () => rpc({ error: "timeout" }, 504),
  };
  test.each(Object.entries(CASES))("%s", async (name, reply) => {
    await using server = legacyServer((seen) =>
      seen.body.method === "server/discover" ? reply(seen) : undefined,
    );
    expect(await callGo(server)).toContain(name.startsWith("401 with") ? "who are you?" : name.slice(0, 3));
    expect(server.seen.some(({ body }) => body.method === "initialize")).toBe(false);
  });
});

describe("a new session is opened, and the call made in it, when the one before ends with", () => {
  const ENDS: Readonly<Record<string, Reply>> = {
    "404": () => status(404),
    "404 with a page": () => page(404),
    "404 with -32001": () => rpc(failure(null, -32001, "Session not found"), 404),
    "404 with -32600": () => rpc(failure("server-error", -32600, "Session not found"), 404),
    "404 and our id": (seen) => rpc(failure(seen.body.id, -32000, "No transport for this session"), 404),
    "410": () => status(410),
    "400 with a sentence": () => new Response("Invalid or missing session ID", { status: 400 }),
    "400 with -32000": () => rpc(failure(null, -32000, "Bad Request: No valid session ID provided"), 400),
    "400 with -32600": () => rpc(failure(null, -32600, "Session expired"), 400),
    "400 with -32015": () => rpc(failure(null, -32015, "nope"), 400),
    "401 with -32001": () => rpc(failure(null, -32001, "Session not found"), 401),
    "409 with a sentence": () => new Response("unknown session", { status: 409 }),
    "422 with a sentence": () => new Response("session has expired", { status: 422 }),
    "500 with -32001": () => rpc(failure(null, -32001, "Session not found"), 500),
    "200 with an error": (seen) => rpc(failure(seen.body.id, -32001, "Session not found")),
    "200 with an error for no id": () => rpc(failure(null, -32600, "Unknown session")),
    "200 with an error as an event": () => events(sse(failure(null, -32015, "nope"))),
  };
  test.each(Object.entries(ENDS))("%s", async (_, reply) => {
    let sessions = 0;
    await using server = legacyServer((seen) => {
      const { method } = seen.body;
      if (method === "initialize") return initialized(seen, { "Mcp-Session-Id": `s-${++sessions}` });
      const isOld = seen.headers.get("mcp-session-id") === "s-1";
      return method === "tools/call" && isOld ? reply(seen) : undefined;
    });
    expect(await callGo(server)).toBe("gone");
    expect(sessions).toBe(2);
  });
});

test.each([
  ["404 with -32601", -32601, 404],
  ["404 with -32602", -32602, 404],
  ["500 with -32603", -32603, 500],
  ["400 with -32602", -32602, 400],
])("%s in a session is an answer and not its end", async (_, code, httpStatus) => {
  await using server = legacyServer((seen) => {
    if (seen.body.method === "initialize") return initialized(seen, { "Mcp-Session-Id": "s-1" });
    return seen.body.method === "tools/call"
      ? rpc(failure(seen.body.id, code, "no such tool"), httpStatus)
      : undefined;
  });
  expect(await callGo(server)).toContain("RpcError: no such tool");
  expect(server.seen.filter(({ body }) => body.method === "initialize")).toHaveLength(1);
});

describe("Retry-After", () => {
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toUTCString();

  /** Refuses the first message of this method. */
  function refusing(method: string, code: number, retryAfter: string): MockServer {
    let isRefused = false;
    return legacyServer((seen) => {
      if (seen.body.method !== method || isRefused) return;
      isRefused = true;
      return new Response("slow down", { status: code, headers: { "Retry-After": retryAfter } });
    });
  }

  test.each([
    ["server/discover", 429, "0"],
    ["initialize", 429, "1"],
    ["initialize", 503, inSeconds(1)],
    ["notifications/initialized", 429, "0"],
    ["tools/list", 503, "0"],
    ["tools/call", 429, "1"],
    ["tools/call", 503, "0"],
  ])("of %s with %p is waited for: %s", async (method, code, retryAfter) => {
    await using server = refusing(method, code, retryAfter);
    expect(await callGo(server)).toBe("gone");
  });

  test.each([
    [429, "7", "in the next 7 s (Retry-After)"],
    [503, "7.2", "in the next 8 s (Retry-After)"],
    [429, "soon", "429 Too Many Requests: slow down"],
  ])("that is longer than the call may take is told: %p, %s", async (code, retryAfter, told) => {
    await using server = refusing("tools/call", code, retryAfter);
    expect(await callGo(server)).toContain(told);
  });

  test("at the start keeps the next attempt back for as long", async () => {
    await using server = refusing("initialize", 429, "20");
    await using backend = makeBackend({ url: server.url, ...TIMEOUTS });
    const first = await callTool(backend, "go").catch(String);
    expect(first).toContain("in the next 20 s");
    const second = await callTool(backend, "go").catch(String);
    expect(second).toMatch(/the next attempt is possible in (19|20) s/);
    expect(server.seen.filter(({ body }) => body.method === "initialize")).toHaveLength(1);
  });
});

test("an answer that comes on the GET stream after 202 is waited for while that stream is opened again", async () => {
  const streams: ((piece: string) => Promise<void>)[] = [];
  const ends: (() => void)[] = [];
  await using server = legacyServer((seen) => {
    if (seen.method === "GET") {
      return eventStream(async (write) => {
        await write("retry: 50\n\n");
        streams.push(write);
        await new Promise<void>((resolve) => void ends.push(resolve));
      });
    }
    return seen.body.method === "tools/call" ? status(202) : undefined;
  });
  await using backend = makeBackend({ url: server.url, ...TIMEOUTS });
  const [first, second] = [callTool(backend, "go"), callTool(backend, "go")];
  const asked = await waitFor(() => {
    const calls = server.seen.filter(({ body }) => body.method === "tools/call");
    return calls.length === 2 && streams.length === 1 && calls;
  });
  await streams[0]?.(sse(answer(asked[0] as Seen, text("one"))));
  expect(await first).toBe("one");
  ends[0]?.();
  const third = callTool(backend, "go"); // Its 202 comes while no stream is open.
  await waitFor(
    () => streams.length === 2 && server.seen.filter(({ body }) => body.method === "tools/call")[2],
  );
  const calls = server.seen.filter(({ body }) => body.method === "tools/call");
  for (const [index, words] of [
    [1, "two"],
    [2, "three"],
  ] as const) {
    await streams[1]?.(sse(answer(calls[index] as Seen, text(words))));
  }
  expect(await Promise.all([second, third])).toEqual(["two", "three"]);
});

describe("a server that closes each kept connection when the next request comes", () => {
  /** Closes it instead of answering, once for each of these methods. */
  function closing(...methods: string[]) {
    const asked: string[] = [];
    const left = new Set(methods);
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket, bytes) {
          const body = bytes.toString().split("\r\n\r\n")[1] ?? "";
          const message = body === "" ? {} : JSON.parse(body);
          asked.push(message.method ?? "none");
          if (left.delete(message.method)) return void socket.end();
          socket.write(rawReply(message));
        },
      },
    });
    return { url: `http://127.0.0.1:${server.port}/mcp`, asked, [Symbol.dispose]: () => server.stop(true) };
  }

  function rawReply(message: { id?: number; method?: string }): string {
    if (message.method === undefined) return "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n";
    if (message.id === undefined) return "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
    const results: Record<string, unknown> = {
      initialize: { protocolVersion: "2025-06-18", capabilities: { tools: {} } },
      "tools/list": { tools: [{ name: "go", inputSchema: {} }] },
      "tools/call": text("gone"),
    };
    const result = results[message.method];
    const reply = { jsonrpc: "2.0", id: message.id };
    const body = JSON.stringify(
      result === undefined ? { ...reply, error: { code: -32601, message: "no" } } : { ...reply, result },
    );
    return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  }

  test("is asked again in the handshake and for its lists", async () => {
    using server = closing("server/discover", "initialize", "notifications/initialized", "tools/list");
    await using backend = makeBackend({ url: server.url, ...TIMEOUTS });
    expect(await callTool(backend, "go")).toBe("gone");
    await backend.whenCompared();
    expect(backend.status()).toMatchObject({ starts: 1, toolCount: 1 });
  });

  test("is not asked again for a call that it may have begun", async () => {
    using server = closing("tools/call");
    await using backend = makeBackend({ url: server.url, ...TIMEOUTS });
    await backend.call(makeCall("tools/list"));
    expect(await callTool(backend, "go").catch(String)).toContain("closed the connection before it answered");
    expect(server.asked.filter((method) => method === "tools/call")).toHaveLength(1);
  });
});

test.each([
  ["null", null],
  ["an empty text", ""],
  ["a number", 7],
])("a list whose next page is %s has no more pages", async (_, nextCursor) => {
  await using server = legacyServer((seen) =>
    seen.body.method === "tools/list"
      ? json(answer(seen, { tools: [{ name: "go", inputSchema: {} }], nextCursor }))
      : undefined,
  );
  await using backend = makeBackend({ url: server.url, ...TIMEOUTS });
  expect(await backend.tools(new AbortController().signal)).toHaveLength(1);
  expect(await backend.list("tools/list", new AbortController().signal)).toHaveLength(1);
});

test("every request says what it takes, and after the handshake which revision it speaks", async () => {
  await using server = legacyServer((seen) =>
    seen.body.method === "initialize" ? initialized(seen, { "Mcp-Session-Id": "s-1" }) : undefined,
  );
  expect(await callGo(server)).toBe("gone");
  const said = server.seen.map(({ method, body, headers }) => [
    String(body.method ?? method),
    headers.get("accept"),
    headers.get("mcp-protocol-version"),
    headers.get("mcp-session-id"),
  ]);
  const both = "application/json, text/event-stream";
  expect(said.slice(0, 3)).toEqual([
    ["server/discover", both, "2026-07-28", null],
    ["initialize", both, null, null],
    ["notifications/initialized", both, "2025-06-18", "s-1"],
  ]);
  for (const [method, accept, revision, session] of said.slice(3)) {
    if (method === "GET") expect(accept).toBe("text/event-stream");
    else if (method !== "DELETE") expect(accept).toBe(both);
    expect([revision, session]).toEqual(["2025-06-18", "s-1"]);
  }
});
