// Streamable HTTP as it goes wrong: what is refused, what is lost, and what each failure says about it.

import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { SendError, StartError } from "../../src/transport/transport.ts";
import {
  answer,
  eventStream,
  events,
  failure,
  json,
  MockServer,
  rawServer,
  sse,
} from "../support/mock-server.ts";
import { UrlWire, type UrlWireOptions } from "../support/url-wire.ts";

async function refusal(url: string, options: UrlWireOptions = {}): Promise<SendError> {
  await using wire = await UrlWire.start(url, options);
  return await refused(wire);
}

async function refused(wire: UrlWire): Promise<SendError> {
  const error = await wire.ask("tools/call").then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof SendError) return error;
  throw new Error(`expected a SendError and got ${error}`);
}

async function loss(
  respond: Parameters<typeof MockServer.start>[0],
  options: UrlWireOptions = {},
): Promise<SendError> {
  await using server = MockServer.start(respond);
  await using wire = await UrlWire.start(server.url, options);
  const error = await wire.lossOf(await wire.ask("tools/call"));
  expect(wire.messages).toEqual([]);
  expect(wire.lost.size).toBe(1);
  return error;
}

describe("a refused message", () => {
  test.each([
    ...[400, 401, 403, 404, 405, 406, 413, 415, 429].map((status) => [status, false] as const),
    ...[408, 409, 500, 502, 503, 504].map((status) => [status, true] as const),
  ])("with status %p says whether it may have been acted on: %p", async (status, maybeDelivered) => {
    await using server = MockServer.start(() => new Response("Sorry.", { status }));
    const error = await refusal(server.url);
    expect(error).toMatchObject({ status, maybeDelivered, body: "Sorry.", sessionExpired: false });
    expect(error.message).toStartWith(`POST ${server.url} was answered with ${status}`);
    expect(error.message).toContain(": Sorry.");
  });

  test("keeps the JSON-RPC error in its body, and puts its words into the message", async () => {
    await using server = MockServer.start((seen) => {
      const body = failure(seen.body.id, -32020, "HeaderMismatch: Mcp-Name");
      return json(body, { status: 400 });
    });
    const error = await refusal(server.url);
    expect(JSON.parse(error.body ?? "")).toEqual(failure(1, -32020, "HeaderMismatch: Mcp-Name"));
    expect(error.message).toEndWith("400 Bad Request: HeaderMismatch: Mcp-Name");
  });

  test("keeps 4 KiB of a long body, and shows no page, no query and no password to people", async () => {
    const page = `<html>${"x".repeat(100_000)}</html>`;
    await using server = MockServer.start(
      () => new Response(page, { status: 502, headers: { "Content-Type": "text/html" } }),
    );
    const error = await refusal(`${server.url.replace("//", "//user:hunter2@")}?key=hunter3`);
    expect(error.body).toBe(page.slice(0, 4096));
    expect(error.message).toBe(`POST ${server.url} was answered with 502 Bad Gateway.`);
  });

  test("does not wait for a body that never ends", async () => {
    await using server = MockServer.start(() => {
      const stream = eventStream(async (write) => {
        await write("half a");
        await new Promise(() => {});
      });
      return new Response(stream.body, { status: 500 });
    });
    expect(await refusal(server.url)).toMatchObject({ status: 500, body: "half a" });
  });

  test("says what to check when credentials or the path are wrong", async () => {
    await using server = MockServer.start(
      (seen) => new Response(null, { status: seen.url.pathname === "/mcp" ? 401 : 404 }),
    );
    expect((await refusal(server.url)).message).toEndWith(
      "Check the Authorization header under `headers` of this backend.",
    );
    expect((await refusal(`${server.origin}/x`)).message).toEndWith(
      "Check http_url and transport of this backend.",
    );
  });
});

describe("a connection that fails", () => {
  test("because nobody listens, has delivered nothing", async () => {
    const server = MockServer.start(() => new Response());
    const { url } = server;
    await server[Symbol.asyncDispose]();
    const error = await refusal(url);
    expect(error).toMatchObject({ maybeDelivered: false, status: undefined });
    expect(error.message).toBe(
      `POST ${url} failed: nothing listens there. Start the server, or correct http_url. (ECONNREFUSED)`,
    );
  });

  test("because the name is unknown, has delivered nothing", async () => {
    const error = await refusal("http://no-such-host.invalid/mcp");
    expect(error.maybeDelivered).toBe(false);
    expect(error.message).toContain("the host name cannot be resolved");
  });

  test("because that port speaks no TLS, has delivered nothing", async () => {
    await using server = MockServer.start(() => new Response());
    const error = await refusal(server.url.replace("http:", "https:"));
    expect(error.maybeDelivered).toBe(false);
    expect(error.message).toContain("the TLS handshake failed");
  });

  test.each(["end", "reset"] as const)(
    "after the request was read (%s), may have delivered it, and is not tried again",
    async (after) => {
      using server = rawServer("", after);
      expect(await refusal(server.url)).toMatchObject({ maybeDelivered: true, sessionExpired: false });
      expect(server.requests).toHaveLength(1);
    },
  );

  test("on a socket that worked before, is not tried again either", async () => {
    const body = '{"jsonrpc":"2.0","id":1,"result":{}}';
    const ok = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    let count = 0;
    const requests: string[] = [];
    using server = Bun.listen({
      port: 0,
      hostname: "127.0.0.1",
      socket: {
        data(socket, data) {
          requests.push(data.toString());
          if (++count === 1) socket.write(ok);
          else socket.end();
        },
      },
    });
    await using wire = await UrlWire.start(`http://127.0.0.1:${server.port}/`);
    await wire.request("ping");
    expect(await refused(wire)).toMatchObject({ maybeDelivered: true });
    expect(requests).toHaveLength(2);
  });

  test("because what answers is no HTTP server, says so", async () => {
    using server = rawServer("SSH-2.0-OpenSSH_9.9\r\n", "end");
    expect((await refusal(server.url)).message).toContain("the server does not speak HTTP");
  });
});

describe("settings that can never work", () => {
  test.each([
    ["no URL", "not a url", {}, "http_url is no http:// or https:// URL"],
    ["another scheme", "ftp://127.0.0.1/", {}, "http_url is no http:// or https:// URL"],
    [
      "a header value with a line break",
      "http://127.0.0.1/",
      { "X-Key": "hunter2\nX: y" },
      'the header "X-Key" has',
    ],
    ["a header name with a space", "http://127.0.0.1/", { "X Key": "hunter2" }, 'the header "X Key" has'],
  ])(
    "%s: refused at the start, for good, with no secret in the reason",
    async (_name, url, headers, reason) => {
      const error = await UrlWire.start(url, { headers: { ...headers } }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StartError);
      expect(error).toMatchObject({ end: { permanent: true, reason: expect.stringContaining(reason) } });
      expect(String(error)).not.toContain("hunter2");
    },
  );
});

describe("a lost answer", () => {
  test.each([
    [
      "a page",
      () => new Response("<html>Welcome</html>", { headers: { "Content-Type": "text/html" } }),
      "is no JSON-RPC, but text/html: <html>Welcome</html>",
    ],
    [
      "broken JSON",
      () => new Response('{"jsonrpc":"2.0","id":1,"resu'),
      'is no JSON-RPC, but text/plain: {"jsonrpc"',
    ],
    ["JSON of another kind", () => json({ ok: true }), "is no JSON-RPC, but application/json"],
    ["an empty batch", () => json([]), "is no JSON-RPC, but application/json"],
    ["deep JSON", () => new Response("[".repeat(200_000)), "is no JSON-RPC"],
    [
      "nothing",
      () => new Response("", { headers: { "Content-Type": "application/json" } }),
      "is empty (status 200)",
    ],
    ["202 with nothing", () => new Response(null, { status: 202 }), "is empty (status 202)"],
    ["an empty stream", () => events(), "ended without the answer"],
    [
      "a stream with half an event",
      () => events('data: {"jsonrpc":"2.0","id":1,"result":{}}\n'),
      "ended without the answer",
    ],
  ])("%s: told for its request", async (_name, respond, why) => {
    const error = await loss(respond);
    expect(error).toMatchObject({ maybeDelivered: true, sessionExpired: false });
    expect(error.message).toStartWith("The response to POST http://127.0.0.1:");
    expect(error.message).toContain(why);
  });

  test("an answer to another request is passed on, and the own one is told as lost", async () => {
    await using server = MockServer.start(() => json({ jsonrpc: "2.0", id: 99, result: {} }));
    await using wire = await UrlWire.start(server.url);
    expect((await wire.lossOf(await wire.ask("tools/call"))).message).toContain("holds no answer to it");
    expect(wire.incoming.map(({ message, origin }) => [message, origin])).toEqual([
      [{ jsonrpc: "2.0", id: 99, result: {} }, 1],
    ]);
  });

  test("a JSON body that breaks off", async () => {
    using server = rawServer(
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"js',
      "end",
    );
    await using wire = await UrlWire.start(server.url);
    const error = await wire.lossOf(await wire.ask("tools/call"));
    expect(error.message).toContain("broke off before it was complete");
    expect(error.maybeDelivered).toBe(true);
  });

  test.each(["end", "reset"] as const)(
    "a stream that breaks off without an id to resume after (%s)",
    async (after) => {
      const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
      using server = rawServer(`${head}9\r\ndata: {}\n\r\n`, after);
      await using wire = await UrlWire.start(server.url);
      const error = await wire.lossOf(await wire.ask("tools/call"));
      expect(error.message).toContain("broke off before the answer came");
      expect(server.requests).toHaveLength(1);
    },
  );

  const long = { jsonrpc: "2.0", id: 1, result: { text: "x".repeat(200_000) } };
  test.each([
    ["of declared length", () => json(long)],
    ["of unknown length", () => new Response(eventStream((write) => write(JSON.stringify(long))).body)],
    [
      "that was compressed",
      () => new Response(gzipSync(JSON.stringify(long)), { headers: { "Content-Encoding": "gzip" } }),
    ],
    ["in an event", () => events("id: 1\nretry: 1\ndata:\n\n", sse(long))],
    [
      "in an event that never ends",
      () =>
        eventStream(async (write) => {
          for (let turn = 0; turn < 200; turn++) await write("data: ".padEnd(1000, "x"));
          await new Promise(() => {});
        }),
    ],
  ])("a message over the limit %s: told, and not asked for again", async (_name, respond) => {
    const error = await loss(respond, { maxMessageLength: 100_000 });
    expect(error.message).toContain("holds too much: one message is larger than 100000 characters");
  });
});

describe("a session that the server has lost", () => {
  const initialized = async (url: string) => {
    const wire = await UrlWire.start(url);
    await wire.shakeHands();
    return wire;
  };
  const server = (respond: Parameters<typeof MockServer.start>[0], sessionId = "s-1") =>
    MockServer.start((seen) => {
      if (seen.body.method !== "tools/call") {
        return json(answer(seen), { headers: sessionId === "" ? {} : { "Mcp-Session-Id": sessionId } });
      }
      return respond(seen);
    });

  test.each([
    ["404, as the specification wants", 404, "Not here"],
    ["404 with an error", 404, JSON.stringify(failure(null, -32001, "Session not found"))],
    ["400 with -32015", 400, JSON.stringify(failure(null, -32015, "nope"))],
    [
      "400, the official SDK's example",
      400,
      JSON.stringify(failure(null, -32000, "Bad Request: No valid session ID provided")),
    ],
    [
      "400, the official SDK after a restart",
      400,
      JSON.stringify(failure(null, -32000, "Bad Request: Server not initialized")),
    ],
    ["400 with a sentence", 400, "Invalid session ID"],
    ["400 with another", 400, "session has expired"],
  ])("is known by %s", async (_name, status, body) => {
    await using mock = server(() => new Response(body, { status }));
    await using wire = await initialized(mock.url);
    expect(await refused(wire)).toMatchObject({ sessionExpired: true, maybeDelivered: false, status });
  });

  test.each([
    ["-32015", () => failure(1, -32015, "whatever")],
    ["-32001 and words", () => failure(null, -32001, "Session not found")],
    ["-32600 and words", () => failure(null, -32600, "Unknown session: s-1")],
  ])("is known by 200 with %s, as JSON and as an event", async (_name, error) => {
    for (const wrap of [json, (message: unknown) => events(sse(message))]) {
      await using mock = server((seen) => {
        const message = error();
        return wrap(message.id === null ? message : { ...message, id: seen.body.id });
      });
      await using wire = await initialized(mock.url);
      const id = await wire.ask("tools/call");
      expect(await wire.lossOf(id)).toMatchObject({ sessionExpired: true, maybeDelivered: false });
      expect(wire.responses(id)).toEqual([]);
    }
  });

  test.each([
    ["404 for a wire without session", 404, "Session not found", ""],
    ["a generic -32600", 400, JSON.stringify(failure(null, -32600, "Invalid Request")), "s-1"],
    ["a 401 that speaks of sessions", 401, "session expired, log in again", "s-1"],
  ])("is not seen in %s", async (_name, status, body, sessionId) => {
    await using mock = server(() => new Response(body, { status }), sessionId);
    await using wire = await initialized(mock.url);
    expect(await refused(wire)).toMatchObject({ sessionExpired: false, status });
  });

  test("is not seen in an answer where there was none", async () => {
    await using mock = server((seen) => json(failure(seen.body.id, -32001, "Session not found")), "");
    await using wire = await initialized(mock.url);
    expect(await wire.request("tools/call")).toMatchObject({ error: { code: -32001 } });
  });

  test.each([
    ["a tool's own trouble with its sessions", -32602, "Browser session not found"],
    ["a generic -32600", -32600, "Invalid Request"],
    ["a server-defined error of another kind", -32000, "The session was busy"],
  ])("is not seen in %s: that is an answer", async (_name, code, text) => {
    await using mock = server((seen) => json(failure(seen.body.id, code, text)));
    await using wire = await initialized(mock.url);
    expect(await wire.request("tools/call")).toMatchObject({ error: { code, message: text } });
  });
});
