// Both HTTP wires against servers that are not ours: the official SDK's, which other clients speak with every day.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import {
  type EventStore,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import {
  CallToolRequestSchema,
  ElicitResultSchema,
  type JSONRPCMessage,
} from "@modelcontextprotocol/sdk/types.js";
import { UrlWire } from "../support/url-wire.ts";
import { waitFor } from "../support/wait-for.ts";

/** How many calls of the tool "wait" have come, to whichever server. */
let waiting = 0;

/** Every tool is one thing that a server can do on the wire. */
function witness(): Server {
  const server = new Server(
    { name: "witness", version: "1" },
    { capabilities: { tools: { listChanged: true } } },
  );
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const { name, arguments: args } = params;
    if (name === "progress") {
      for (let progress = 1; progress <= 3; progress++) {
        const progressToken = extra._meta?.progressToken ?? "none";
        await extra.sendNotification({
          method: "notifications/progress",
          params: { progressToken, progress },
        });
      }
    }
    if (name === "ask") {
      const params = { message: "Who?", requestedSchema: { type: "object" as const, properties: {} } };
      const reply = await extra.sendRequest({ method: "elicitation/create", params }, ElicitResultSchema);
      return { content: [{ type: "text", text: JSON.stringify(reply) }] };
    }
    if (name === "announce") await server.sendToolListChanged();
    if (name === "close-stream") {
      extra.closeSSEStream?.();
      await extra.sendNotification({
        method: "notifications/progress",
        params: { progressToken: 1, progress: 1 },
      });
    }
    if (name === "wait") {
      waiting++;
      await new Promise((resolve) => extra.signal.addEventListener("abort", resolve));
    }
    return { content: [{ type: "text", text: `did ${name} ${JSON.stringify(args ?? {})}` }] };
  });
  return server;
}

class Events implements EventStore {
  readonly #all: { stream: string; message: JSONRPCMessage }[] = [];

  async storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    return String(this.#all.push({ stream, message }) - 1);
  }

  async replayEventsAfter(
    last: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const stream = this.#all[Number(last)]?.stream ?? "";
    for (const [index, event] of this.#all.entries()) {
      if (index > Number(last) && event.stream === stream) await send(String(index), event.message);
    }
    return stream;
  }
}

/** The SDK's Streamable HTTP server as its documentation shows it, one transport for each session. */
function startStreamable(options: { json?: boolean } = {}) {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();
  const requests: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      requests.push(
        `${request.method} ${request.headers.get("last-event-id") === null ? "" : "resumed"}`.trim(),
      );
      const id = request.headers.get("mcp-session-id");
      if (id !== null)
        return (
          (await sessions.get(id)?.handleRequest(request)) ??
          new Response("Session not found", { status: 404 })
        );
      const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => crypto.randomUUID(),
        onsessioninitialized: (sessionId) => void sessions.set(sessionId, transport),
        onsessionclosed: (sessionId) => void sessions.delete(sessionId),
        enableJsonResponse: options.json ?? false,
        ...(options.json ? {} : { eventStore: new Events(), retryInterval: 20 }),
      });
      await witness().connect(transport);
      return transport.handleRequest(request);
    },
  });
  return {
    url: `${server.url.origin}/mcp`,
    sessions,
    requests,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

function startSse() {
  const streams = new Map<string, SSEServerTransport>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (request.method === "GET") {
      const transport = new SSEServerTransport("/messages", response);
      streams.set(transport.sessionId, transport);
      return void witness().connect(transport);
    }
    const stream = streams.get(url.searchParams.get("sessionId") ?? "");
    if (stream === undefined) return void response.writeHead(404).end();
    return void stream.handlePostMessage(request, response);
  });
  return new Promise<{ url: string } & AsyncDisposable>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      const close = async () => {
        server.closeAllConnections();
        server.close();
      };
      resolve({ url: `http://127.0.0.1:${port}/sse`, [Symbol.asyncDispose]: close });
    });
  });
}

const text = (answer: unknown): string => {
  const { result } = answer as { result: { content: { text: string }[] } };
  return result.content[0]?.text ?? "";
};

type Kind = "http" | "http with JSON answers" | "sse";

async function startServer(kind: Kind): Promise<{ url: string } & AsyncDisposable> {
  return kind === "sse" ? startSse() : startStreamable({ json: kind !== "http" });
}

async function connect(url: string, kind: Kind): Promise<UrlWire> {
  const wire = await UrlWire.start(url, { kind: kind === "sse" ? "sse" : "http" });
  expect(await wire.shakeHands()).toMatchObject({ result: { serverInfo: { name: "witness" } } });
  wire.transport.openStream?.();
  return wire;
}

describe.each(["http", "sse"] as const)("while a call runs, over %s,", (kind) => {
  test("progress comes before the answer", async () => {
    await using server = await startServer(kind);
    await using wire = await connect(server.url, kind);
    await wire.request("tools/call", { name: "progress", _meta: { progressToken: "t" } });
    const progress = wire.incoming.filter(
      ({ message }) => "method" in message && message.method === "notifications/progress",
    );
    expect(progress.map(({ message }) => "params" in message && message.params?.progress)).toEqual([1, 2, 3]);
    expect(wire.methods.at(-1)).toBe("response");
  });

  test("a question of the server comes with the call that it belongs to, and its answer goes back", async () => {
    await using server = await startServer(kind);
    await using wire = await connect(server.url, kind);
    const id = await wire.ask("tools/call", { name: "ask" });
    const question = await waitFor(() =>
      wire.incoming.find(({ message }) => "method" in message && message.method === "elicitation/create"),
    );
    expect(question.origin).toBe(kind === "http" ? id : undefined);
    if (!("id" in question.message) || question.message.id == null) throw new Error("the question has no id");
    await wire.transport.send({ jsonrpc: "2.0", id: question.message.id, result: { action: "decline" } });
    expect(text(await wire.answerTo(id))).toBe('{"action":"decline"}');
  });
});

describe.each(["http", "http with JSON answers", "sse"] as const)("over %s", (kind) => {
  let server: Awaited<ReturnType<typeof startServer>>;

  beforeAll(async () => {
    server = await startServer(kind);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("a call is answered, many at once are answered each with its own", async () => {
    await using wire = await connect(server.url, kind);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => wire.request("tools/call", { name: "echo", arguments: { n } })),
    );
    expect(answers.map(text)).toEqual(Array.from({ length: 50 }, (_, n) => `did echo {"n":${n}}`));
    expect(wire.lost.size).toBe(0);
  });

  test("what belongs to no call comes too", async () => {
    await using wire = await connect(server.url, kind);
    await waitFor(async () => {
      await wire.request("tools/call", { name: "announce" });
      return wire.methods.includes("notifications/tools/list_changed");
    });
    const announced = wire.incoming.find(({ message }) => "method" in message);
    expect(announced?.origin).toBeUndefined();
  });

  test("a call that nobody waits for any more leaves the wire whole", async () => {
    await using wire = await connect(server.url, kind);
    const before = waiting;
    const sent = wire.ask("tools/call", { name: "wait" }).catch(() => 2);
    await waitFor(() => waiting > before);
    wire.transport.abandon(2);
    await wire.notify("notifications/cancelled", { requestId: await sent });
    expect(text(await wire.request("tools/call", { name: "echo" }))).toBe("did echo {}");
    expect(wire.lost.size).toBe(0);
  });

  test("a tool that is unknown is an answer and no failure", async () => {
    await using wire = await connect(server.url, kind);
    expect(await wire.request("no/such")).toMatchObject({ error: { code: -32601 } });
  });
});

describe("Streamable HTTP alone", () => {
  test("a stream that the server closes on purpose is polled until the answer is there", async () => {
    await using server = startStreamable();
    await using wire = await UrlWire.start(server.url);
    await wire.shakeHands();
    const id = await wire.ask("tools/call", { name: "close-stream" });
    expect(text(await wire.answerTo(id))).toBe("did close-stream {}");
    expect(wire.methods).toContain("notifications/progress");
    expect(server.requests).toContain("GET resumed");
  });

  test("a session is ended by the end of the wire, and a lost one is known as lost", async () => {
    await using server = startStreamable();
    const wire = await UrlWire.start(server.url);
    await wire.shakeHands();
    expect(server.sessions.size).toBe(1);
    server.sessions.clear();
    const error = await wire.ask("tools/call", { name: "echo" }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ sessionExpired: true, maybeDelivered: false, status: 404 });
    await wire.shakeHands();
    expect(text(await wire.request("tools/call", { name: "echo" }))).toBe("did echo {}");
    await wire.transport[Symbol.asyncDispose]();
    expect(server.sessions.size).toBe(0);
    expect(server.requests.at(-1)).toBe("DELETE");
  });
});
