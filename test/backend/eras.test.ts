// A server of both eras is spoken to in the era of the caller, and a legacy server hears of the caller's extensions.

import { describe, expect, test } from "bun:test";
import type { Backend } from "../../src/backend/backend.ts";
import type { Call, Caller, Question } from "../../src/protocol/call.ts";
import type { Json } from "../../src/protocol/jsonrpc.ts";
import { fixture } from "../support/fixture.ts";
import { answer, eventStream, failure, json, MockServer, type Seen, sse } from "../support/mock-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { caller, callTool, makeBackend, makeCall, program, TestFolder } from "./rig.ts";

const UI = { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] } };
const LEGACY = caller("legacy-1", { capabilities: { sampling: {} } });
const WITH_UI = caller("legacy-2", { capabilities: { extensions: UI } });
const MODERN = caller("modern-1", { era: "modern", revision: "2026-07-28" });

interface Session {
  readonly capabilities: Json;
  stream?: (piece: string) => Promise<void>;
}

/** Speaks the eras of `speaks`; legacy sessions are kept, with what the client declared. */
class DualServer implements AsyncDisposable {
  readonly sessions: Session[] = [];
  readonly mock: MockServer;

  constructor(...speaks: readonly ("modern" | "legacy")[]) {
    this.mock = MockServer.start((seen) => {
      const isModern = seen.headers.get("mcp-protocol-version") === "2026-07-28";
      const era = isModern ? "modern" : "legacy";
      if (!speaks.includes(era)) return json(failure(seen.body.id, -32601, "no such era"), { status: 404 });
      return isModern ? this.#modern(seen) : this.#legacy(seen);
    });
  }

  #modern(seen: Seen): Response {
    const { method } = seen.body;
    const whole = { resultType: "complete", ttlMs: 0, cacheScope: "private" };
    if (method === "server/discover") {
      const tools = { listChanged: false };
      return json(answer(seen, { ...whole, supportedVersions: ["2026-07-28"], capabilities: { tools } }));
    }
    if (method === "tools/list") return json(answer(seen, { ...whole, tools: [tool("modern")] }));
    return json(answer(seen, { ...whole, ...text("modern") }));
  }

  #legacy(seen: Seen): Response {
    const session = this.sessions[Number(seen.headers.get("mcp-session-id")) - 1];
    const { id, method, params } = seen.body as { id?: number; method?: string; params?: Json };
    if (method === "initialize") return this.#open(seen, params ?? {});
    if (session === undefined) return new Response("no session", { status: 400 });
    if (seen.method === "GET") return listen(session);
    if (id === undefined) return new Response(null, { status: seen.method === "DELETE" ? 204 : 202 });
    if (method === "tools/list") return json(answer(seen, { tools: [tool(toolNameOf(session))] }));
    if (params?.name !== "sample") return json(answer(seen, text("legacy")));
    return eventStream(async (write) => {
      await write(
        sse({ jsonrpc: "2.0", id: "q", method: "sampling/createMessage", params: { messages: [] } }),
      );
      const reply = await waitFor(() =>
        this.mock.seen.find(({ body }) => body.id === "q" && "result" in body),
      );
      await write(sse(answer(seen, text(`pushed: ${JSON.stringify(reply.body.result)}`))));
    });
  }

  #open(seen: Seen, { capabilities }: Json): Response {
    this.sessions.push({ capabilities: capabilities as Json });
    const description = {
      protocolVersion: "2025-11-25",
      capabilities: { tools: { listChanged: true }, logging: {} },
      serverInfo: { name: "dual", version: "1" },
    };
    return json(answer(seen, description), { headers: { "Mcp-Session-Id": String(this.sessions.length) } });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.mock[Symbol.asyncDispose]();
  }
}

const tool = (name: string) => ({ name, inputSchema: { type: "object" } });
const text = (words: string) => ({ content: [{ type: "text", text: words }] });

function toolNameOf({ capabilities }: Session): string {
  return capabilities.extensions === undefined ? "legacy" : "app";
}

function listen(session: Session): Response {
  return eventStream(async (write) => {
    session.stream = write;
    await new Promise(() => {});
  });
}

const call = (backend: Backend, from: Caller, name = "go", more: Partial<Call> = {}) =>
  callTool(backend, name, {}, { caller: from, ...more });

async function listed(backend: Backend, from: Caller): Promise<unknown[]> {
  const { result } = await backend.call(makeCall("tools/list", {}, { caller: from }));
  return (result.tools as Json[]).map(({ name }) => name);
}

describe("over HTTP", () => {
  test("each caller of a server of both eras is spoken for in its own", async () => {
    await using server = new DualServer("modern", "legacy");
    await using backend = makeBackend({ url: server.mock.url });
    expect(await call(backend, LEGACY)).toBe("legacy");
    expect(await call(backend, MODERN)).toBe("modern");
    expect(await listed(backend, LEGACY)).toEqual(["legacy"]);
    expect(await listed(backend, MODERN)).toEqual(["modern"]);
    expect(server.sessions).toHaveLength(1);
    expect(backend.status()).toMatchObject({ state: "ready", revision: "2026-07-28" });
  });

  test("a legacy caller is asked by a real request, as it would be without the gateway", async () => {
    await using server = new DualServer("modern", "legacy");
    await using backend = makeBackend({ url: server.mock.url });
    const asked: Question[] = [];
    const ask = (question: Question) => {
      asked.push(question);
      return Promise.resolve({ role: "assistant" });
    };
    expect(await call(backend, LEGACY, "sample", { ask })).toBe('pushed: {"role":"assistant"}');
    expect(asked.map(({ method }) => method)).toEqual(["sampling/createMessage"]);
  });

  test("each era's handshake describes the server to its clients, also after a restart of the gateway", async () => {
    await using server = new DualServer("modern", "legacy");
    using folder = new TestFolder();
    const { signal } = new AbortController();
    for (const _ of ["first", "second"]) {
      await using backend = makeBackend({ url: server.mock.url }, { cacheFolder: folder.path });
      expect((await backend.handshake(signal, LEGACY)).description.capabilities).toHaveProperty("logging");
      expect(await listed(backend, LEGACY)).toEqual(["legacy"]);
      const modern = await backend.handshake(signal, MODERN);
      expect([modern.era, modern.description.capabilities.logging]).toEqual(["modern", undefined]);
      await backend.whenCompared();
    }
  });

  test("news of a list reaches the clients of the connection that it came on", async () => {
    await using server = new DualServer("modern", "legacy");
    await using backend = makeBackend({ url: server.mock.url });
    const heard: string[] = [];
    for (const { key, era } of [LEGACY, MODERN]) {
      const deliver = () => void heard.push(era);
      backend.subscribe({ key, era, wants: () => true, deliver });
    }
    await call(backend, LEGACY);
    await backend.whenCompared();
    const { stream } = await waitFor(() => server.sessions.find((session) => session.stream !== undefined));
    heard.length = 0;
    await stream?.(sse({ jsonrpc: "2.0", method: "notifications/tools/list_changed" }));
    await waitFor(() => heard.length > 0);
    expect(heard).toEqual(["legacy"]);
  });

  test("a server of the newer era alone is asked once for the older one", async () => {
    await using server = new DualServer("modern");
    await using backend = makeBackend({ url: server.mock.url });
    expect(await call(backend, LEGACY)).toBe("modern");
    expect(await call(backend, LEGACY)).toBe("modern");
    expect(await call(backend, MODERN)).toBe("modern");
    expect(server.mock.seen.filter(({ body }) => body.method === "initialize")).toHaveLength(1);
  });

  test("a server of the older era alone has one connection for all", async () => {
    await using server = new DualServer("legacy");
    await using backend = makeBackend({ url: server.mock.url });
    expect(await call(backend, MODERN)).toBe("legacy");
    expect(await call(backend, LEGACY)).toBe("legacy");
    expect(await call(backend, caller("legacy-3", { capabilities: { extensions: {} } }))).toBe("legacy");
    expect(server.sessions).toHaveLength(1);
  });

  test.each([["the older era"], ["both eras"]])(
    "a server of %s hears of extensions from those who have them, and from no other",
    async (which) => {
      await using server = new DualServer("legacy", ...(which === "both eras" ? (["modern"] as const) : []));
      await using backend = makeBackend({ url: server.mock.url });
      expect(await listed(backend, LEGACY)).toEqual(["legacy"]);
      expect(await listed(backend, WITH_UI)).toEqual(["app"]);
      expect(await listed(backend, LEGACY)).toEqual(["legacy"]);
      expect(await listed(backend, WITH_UI)).toEqual(["app"]);
      expect(server.sessions.map(({ capabilities }) => capabilities.extensions)).toEqual([undefined, UI]);
      expect(backend.catalog.tools.map(({ name }) => name)).not.toContain("app");
    },
  );

  test("as many sets of extensions as clients can think of take a bounded number of connections", async () => {
    await using server = new DualServer("legacy");
    await using backend = makeBackend({ url: server.mock.url });
    for (let count = 0; count < 30; count++) {
      const extensions = { [`example.com/${count}`]: {} };
      expect(await call(backend, caller(`c-${count}`, { capabilities: { extensions } }))).toBe("legacy");
    }
    expect(server.sessions.length).toBeLessThanOrEqual(10);
  });

  test("where each client has a connection of its own, it is of the client's era", async () => {
    await using server = new DualServer("modern", "legacy");
    await using backend = makeBackend({ url: server.mock.url, scope: "session" });
    expect(await call(backend, LEGACY)).toBe("legacy");
    expect(await call(backend, WITH_UI)).toBe("legacy");
    expect(await call(backend, MODERN)).toBe("modern");
    expect(server.sessions.map(({ capabilities }) => capabilities.extensions)).toEqual([undefined, UI]);
  });
});

describe("over stdio", () => {
  const entry = program(fixture("both-eras-stdio"));
  const report = async (backend: Backend, from: Caller) => JSON.parse(await call(backend, from, "report"));

  test.each([
    ["legacy", LEGACY, ["initialize", "notifications/initialized"]],
    ["modern", MODERN, ["server/discover"]],
  ])("the process speaks the era of the client that it starts for: %s", async (era, from, first) => {
    await using backend = makeBackend(entry);
    const told = await report(backend, from);
    expect(told.era).toBe(era);
    expect(told.asked.slice(0, first.length)).toEqual(first);
    for (const other of [LEGACY, MODERN]) expect((await report(backend, other)).era).toBe(era);
  });

  test("`protocol` decides whoever calls first", async () => {
    await using backend = makeBackend({ ...entry, protocol: "2026-07-28" });
    expect((await report(backend, LEGACY)).era).toBe("modern");
  });

  test("a server of the newer era alone serves legacy clients", async () => {
    await using backend = makeBackend({ ...entry, env: { MODERN_ONLY: "1" } });
    expect((await report(backend, LEGACY)).era).toBe("modern");
  });

  test("a shared process is told at its start of what its clients have had, one for each client of what it has", async () => {
    await using shared = makeBackend(entry);
    expect((await report(shared, WITH_UI)).declared.extensions).toEqual(UI);
    await using own = makeBackend({ ...entry, scope: "session" });
    expect((await report(own, LEGACY)).declared.extensions).toBeUndefined();
    expect((await report(own, WITH_UI)).declared.extensions).toEqual(UI);
  });
});
