// HTTP+SSE (2024-11-05) against mock servers: the endpoint event, POSTs beside the stream, the end of the stream.

import { describe, expect, test } from "bun:test";
import { silentLog } from "../../src/log.ts";
import { HttpSseTransport } from "../../src/transport/http-sse.ts";
import { StartError } from "../../src/transport/transport.ts";
import {
  answer,
  eventStream,
  events,
  gate,
  json,
  MockServer,
  type Seen,
  sse,
  type Write,
} from "../support/mock-server.ts";
import { UrlWire, type UrlWireOptions } from "../support/url-wire.ts";
import { waitFor } from "../support/wait-for.ts";

const notice = { jsonrpc: "2.0", method: "notifications/message", params: {} };

interface Script {
  /** What the endpoint event says. */
  readonly endpoint?: string;
  /** What a POST is answered with; its answer on the stream is the mock's business. */
  readonly post?: (seen: Seen) => Response | undefined;
}

/** A server whose streams stay open until the test ends them. */
class SseServer implements AsyncDisposable {
  readonly mock: MockServer;
  readonly streams: { write: Write; end: PromiseWithResolvers<void> }[] = [];

  constructor({ endpoint = "/messages?session_id=1", post }: Script = {}) {
    this.mock = MockServer.start((seen) => {
      if (seen.method === "GET") return this.#stream(endpoint);
      const response = post?.(seen);
      if (response !== undefined) return response;
      if (seen.body.id !== undefined) void this.say(sse(answer(seen), "event: message\n"));
      return new Response("Accepted", { status: 202 });
    });
  }

  get url(): string {
    return `${this.mock.origin}/sse`;
  }

  /** Writes to the newest stream. */
  async say(text: string): Promise<void> {
    const stream = this.streams.at(-1);
    if (stream === undefined) throw new Error("no stream is open");
    await stream.write(text);
  }

  #stream(endpoint: string): Response {
    return eventStream(async (write) => {
      const end = gate();
      this.streams.push({ write, end });
      await write(`event: endpoint\r\ndata: ${endpoint}\r\n\r\n`);
      await end.promise;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.mock[Symbol.asyncDispose]();
  }
}

async function startsOnly(write: Write): Promise<void> {
  await write(": hello\n\n");
  await new Promise(() => {});
}

async function startFailure(url: string, options: UrlWireOptions = {}): Promise<StartError> {
  const thrown = await UrlWire.start(url, { kind: "sse", ...options }).catch((error: unknown) => error);
  if (thrown instanceof StartError) return thrown;
  throw new Error(`expected a StartError and got ${thrown}`);
}

describe("a wire over HTTP+SSE", () => {
  test("posts to the endpoint that the server names, and hears everything on the stream", async () => {
    await using server = new SseServer();
    await using wire = await UrlWire.start(server.url, {
      kind: "sse",
      headers: { Authorization: "Bearer secret-token" },
    });
    await wire.shakeHands("2024-11-05");
    await server.say(`: ping\n\n${sse(notice)}event: other\ndata: x\n\ndata: no JSON\n\n`);
    expect(await wire.request("tools/list")).toEqual({ jsonrpc: "2.0", id: 2, result: {} });
    expect(wire.methods).toEqual(["response", "notifications/message", "response"]);
    expect(wire.incoming.map(({ origin }) => origin)).toEqual([undefined, undefined, undefined]);
    expect(wire.incoming[0]?.message).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
    expect(wire.logged).toContainEqual(expect.objectContaining({ level: "WARNING", data: "no JSON" }));
    const posts = server.mock.of("POST");
    expect(posts.map(({ url }) => url.pathname + url.search)).toEqual(
      Array(3).fill("/messages?session_id=1"),
    );
    expect(posts.map(({ headers }) => headers.get("mcp-protocol-version"))).toEqual([
      null,
      "2024-11-05",
      "2024-11-05",
    ]);
    for (const { headers } of server.mock.seen)
      expect(headers.get("authorization")).toBe("Bearer secret-token");
    expect(server.mock.of("GET").map(({ headers }) => headers.get("accept"))).toEqual(["text/event-stream"]);
  });

  test.each([
    ["an absolute path", "/messages?id=1", "/messages?id=1"],
    ["a relative path", "messages", "/messages"],
    ["only a query", "?id=1", "/sse?id=1"],
  ])("resolves %s against its own URL", async (_name, endpoint, expected) => {
    await using server = new SseServer({ endpoint });
    await using wire = await UrlWire.start(server.url, { kind: "sse" });
    await wire.request("ping");
    const { url } = server.mock.of("POST")[0] ?? {};
    expect(`${url?.pathname}${url?.search}`).toBe(expected);
  });

  test("accepts the whole URL of the endpoint, and keeps to the first", async () => {
    await using server = new SseServer({ endpoint: "" });
    const opened = UrlWire.start(server.url, { kind: "sse" });
    await waitFor(() => server.streams.length === 1);
    const { origin } = server.mock;
    await server.say(`event: endpoint\ndata: ${origin}/first\n\nevent: endpoint\ndata: ${origin}/second\n\n`);
    await using wire = await opened;
    await wire.request("ping");
    // An empty endpoint is the stream's own URL; it came first of the three.
    expect(server.mock.of("POST")[0]?.url.pathname).toBe("/sse");
  });

  test("passes on what comes in the response to a POST, as some servers answer there", async () => {
    await using server = new SseServer({ post: (seen) => json(answer(seen)) });
    await using wire = await UrlWire.start(server.url, { kind: "sse" });
    expect(await wire.request("tools/list")).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
    expect(wire.incoming[0]?.origin).toBe(1);
  });

  test("refuses a message that the server refuses, and lives on", async () => {
    const statuses = [500, 413, 404, 400];
    await using server = new SseServer({
      post: () => (statuses.length === 0 ? undefined : new Response("no", { status: statuses.shift() ?? 0 })),
    });
    await using wire = await UrlWire.start(server.url, { kind: "sse" });
    const refuse = () => wire.ask("tools/call").catch((thrown: unknown) => thrown);
    expect(await refuse()).toMatchObject({ status: 500, maybeDelivered: true, sessionExpired: false });
    expect(await refuse()).toMatchObject({ status: 413, maybeDelivered: false, sessionExpired: false });
    expect(await refuse()).toMatchObject({ status: 404, maybeDelivered: false, sessionExpired: true });
    expect(await refuse()).toMatchObject({ status: 400, maybeDelivered: false, sessionExpired: false });
    expect(await wire.request("tools/call")).toMatchObject({ result: {} });
    expect(wire.ends).toEqual([]);
  });
});

describe("the end of the stream", () => {
  test("is the end of the wire", async () => {
    await using server = new SseServer();
    await using wire = await UrlWire.start(server.url, { kind: "sse" });
    server.streams[0]?.end.resolve();
    expect(await wire.ended()).toEqual({
      reason: `the event stream of GET ${server.url} ended`,
      permanent: false,
    });
    expect(await wire.ask("tools/call").catch((thrown: unknown) => thrown)).toMatchObject({
      maybeDelivered: false,
    });
    await wire.transport[Symbol.asyncDispose]();
    expect(wire.ends).toHaveLength(1);
  });

  test("ends the wire also when the server dies", async () => {
    const server = new SseServer();
    await using wire = await UrlWire.start(server.url, { kind: "sse" });
    await server[Symbol.asyncDispose]();
    expect((await wire.ended()).reason).toMatch(/^the event stream of GET .* (ended|broke off: ECONNRESET)$/);
  });

  test("comes with a message that is too large, as nobody can say whose it was", async () => {
    await using server = new SseServer();
    await using wire = await UrlWire.start(server.url, { kind: "sse", maxMessageLength: 1_000 });
    await server.say(sse({ ...notice, x: "x".repeat(2_000) }));
    expect((await wire.ended()).reason).toEndWith("broke off: one message is larger than 1000 characters");
  });

  test("stops the messages at once, also those that had come with the one that brought it about", async () => {
    await using server = new SseServer();
    const heard: string[] = [];
    const transport = await HttpSseTransport.start(
      { kind: "url", url: server.url, transport: "sse", headers: {} },
      {
        name: "mock",
        log: silentLog,
        events: {
          onMessage: () => {
            heard.push("message");
            void transport[Symbol.asyncDispose]();
          },
          onLost: () => heard.push("loss"),
          onEnd: () => heard.push("end"),
        },
      },
    );
    await server.say(sse(notice) + sse(notice));
    await waitFor(() => server.mock.seen[0]?.signal.aborted, { what: "the stream to be closed" });
    expect(heard).toEqual(["message", "end"]);
  });

  test("by our own hand lets go of everything, and is told once", async () => {
    await using server = new SseServer({
      post: () => new Response(eventStream(startsOnly).body),
    });
    const wire = await UrlWire.start(server.url, { kind: "sse" });
    await wire.ask("tools/call");
    await Promise.all([wire.transport[Symbol.asyncDispose](), wire.transport[Symbol.asyncDispose]()]);
    await waitFor(() => server.mock.seen.every(({ signal }) => signal.aborted), {
      what: "every response to be closed",
    });
    expect(wire.ends).toEqual([{ reason: "the gateway closed the connection", permanent: false }]);
  });
});

describe("a start that fails", () => {
  test.each([404, 405, 401, 500])("with status %p says so", async (status) => {
    await using server = MockServer.start(() => new Response("Sorry.", { status }));
    const { end } = await startFailure(server.url);
    expect(end).toMatchObject({ status, permanent: false });
    expect(end.reason).toStartWith(`GET ${server.url} was answered with ${status}`);
  });

  test("because something else answers, says what came", async () => {
    await using server = MockServer.start(() => json({}));
    const { end } = await startFailure(server.url);
    expect(end).toMatchObject({ status: 200, permanent: false });
    expect(end.reason).toContain("was answered with application/json and not with an event stream");
  });

  test("because nobody listens, says so", async () => {
    const server = MockServer.start(() => new Response());
    const { url } = server;
    await server[Symbol.asyncDispose]();
    expect((await startFailure(url)).end.reason).toContain("nothing listens there");
  });

  test.each([
    ["at another origin", "http://127.0.0.1:9/messages", "at another origin, http://127.0.0.1:9"],
    ["under another scheme", "https://127.0.0.1/messages", "at another origin, https://127.0.0.1"],
    ["that is no URL", "http://[nowhere", "which is no URL"],
    ["of a script", "javascript:alert(1)", "at another origin"],
  ])("because the endpoint is one %s: nothing is sent there", async (_name, endpoint, why) => {
    await using server = new SseServer({ endpoint });
    const { end } = await startFailure(server.url, { headers: { Authorization: "Bearer secret-token" } });
    expect(end.reason).toContain(`the server named a message endpoint ${why}`);
    await waitFor(() => server.mock.seen[0]?.signal.aborted, { what: "the stream to be closed" });
    expect(server.mock.of("POST")).toEqual([]);
  });

  test("because another origin's endpoint comes by a redirect of the stream, is refused before", async () => {
    await using other = new SseServer();
    await using server = MockServer.start(
      () => new Response(null, { status: 302, headers: { Location: other.url } }),
    );
    const { end } = await startFailure(server.url);
    expect(end).toMatchObject({ status: 302 });
    expect(end.reason).toContain("to another origin");
    expect(other.mock.seen).toEqual([]);
  });

  test("because the stream ends before the endpoint is named, says so", async () => {
    await using server = MockServer.start(() => events(sse(notice)));
    const { end } = await startFailure(server.url);
    expect(end.reason).toBe(
      `the event stream of GET ${server.url} ended before the server named its message endpoint`,
    );
  });

  test.each([
    ["the head", () => new Promise<Response>(() => {}), "was given up"],
    [
      "the endpoint",
      () => eventStream(startsOnly),
      "was given up before the server named its message endpoint",
    ],
  ])("because the caller's patience for %s ends, lets go of the server", async (_name, respond, why) => {
    await using server = MockServer.start(respond);
    const deadline = new AbortController();
    const failed = startFailure(server.url, { signal: deadline.signal });
    await waitFor(() => server.seen.length === 1);
    setTimeout(() => deadline.abort(), 200);
    expect((await failed).end.reason).toContain(why);
    await waitFor(() => server.seen[0]?.signal.aborted, { what: "the request to be closed" });
  });

  test("has no say after the start", async () => {
    await using server = new SseServer();
    const deadline = new AbortController();
    await using wire = await UrlWire.start(server.url, { kind: "sse", signal: deadline.signal });
    deadline.abort();
    expect(await wire.request("ping")).toMatchObject({ result: {} });
  });
});
