// The streams of a legacy session: the GET stream, and POST streams that are taken up again where they ended.

import { describe, expect, test } from "bun:test";
import { type Message, notification, request, resultResponse } from "../../src/protocol/jsonrpc.ts";
import {
  answer,
  eventStream,
  events,
  failure,
  gate,
  json,
  MockServer,
  type Respond,
  rawBrokenStream,
  rawResponse,
  rawServer,
  type Seen,
  sse,
} from "../support/mock-server.ts";
import { UrlWire } from "../support/url-wire.ts";
import { waitFor } from "../support/wait-for.ts";

const notice = (n: number): Message => notification("notifications/message", { n });
const forever = (): Promise<void> => new Promise(() => {});

/** A server with sessions; GETs and calls of tools are the test's own. */
function sessionServer(script: { get?: Respond; call?: Respond }): MockServer {
  return MockServer.start((seen) => {
    if (seen.method === "GET") return script.get?.(seen) ?? new Response(null, { status: 405 });
    if (seen.method === "DELETE") return new Response(null, { status: 204 });
    if (seen.body.id === undefined) return new Response(null, { status: 202 });
    if (seen.body.method === "tools/call" && script.call !== undefined) return script.call(seen);
    return json(answer(seen), { headers: { "Mcp-Session-Id": "s-1" } });
  });
}

async function initialized(server: MockServer, revision?: string): Promise<UrlWire> {
  const wire = await UrlWire.start(server.url);
  await wire.shakeHands(revision);
  return wire;
}

function lastEventIds(server: MockServer): (string | null)[] {
  return server.of("GET").map(({ headers }) => headers.get("last-event-id"));
}

describe("the GET stream", () => {
  test.each([405, 404, 400, 501, 401])(
    "is done without where the server says %p: once, and calls go on",
    async (status) => {
      await using server = sessionServer({ get: () => new Response(null, { status }) });
      await using wire = await initialized(server);
      wire.transport.openStream?.();
      await waitFor(() => server.of("GET").length === 1);
      for (let turn = 0; turn < 20; turn++)
        expect(await wire.request("tools/list")).toMatchObject({ result: {} });
      expect(server.of("GET")).toHaveLength(1);
      expect(wire.ends).toEqual([]);
      expect(wire.logged.filter(({ level }) => level !== "DEBUG")).toEqual([]);
    },
  );

  test("is done without where the server answers with something else", async () => {
    await using server = sessionServer({ get: () => new Response("<html></html>") });
    await using wire = await initialized(server);
    wire.transport.openStream?.();
    await waitFor(() =>
      wire.logged.some(({ message }) => message === "the server offers no stream of its own"),
    );
    expect(await wire.request("tools/list")).toMatchObject({ result: {} });
  });

  test("brings messages that belong to no request, with the session and the revision in its headers", async () => {
    await using server = sessionServer({
      get: () =>
        eventStream(async (write) => {
          await write(
            `: hi\n\ndata:\n\n${sse(notice(1))}data: [no\n\n${sse({ jsonrpc: "2.0", id: 5, method: "ping" })}`,
          );
          await forever();
        }),
    });
    await using wire = await initialized(server);
    wire.transport.openStream?.();
    await waitFor(() => wire.methods.includes("ping"));
    expect(wire.incoming.slice(1).map(({ message, origin }) => [message, origin])).toEqual([
      [notice(1), undefined],
      [request(5, "ping"), undefined],
    ]);
    const headers = server.of("GET")[0]?.headers;
    expect(headers?.get("accept")).toBe("text/event-stream");
    expect(headers?.get("mcp-session-id")).toBe("s-1");
    expect(headers?.get("mcp-protocol-version")).toBe("2025-11-25");
  });

  test("is opened again when it ends, breaks off or is refused for a while, after the last event", async () => {
    const streams = [
      rawResponse(
        200,
        "text/event-stream",
        `retry: 10\n\n${sse(notice(1), "id: a\n")}${sse(notice(2), "id: b\n")}`,
      ),
      rawBrokenStream(sse(notice(3), "id: c\n")),
      rawResponse(503, "text/plain", "starting"),
      rawResponse(409, "text/plain", "Only one SSE stream is allowed per session"),
      rawResponse(200, "text/event-stream", sse(notice(4))),
    ];
    // What breaks off right behind its last bytes may take them along.
    const heard = () => waitFor(() => wire.messages.length >= 3);
    using server = rawServer(
      () => streams.shift() ?? rawResponse(405, "text/plain", ""),
      async (reply) => reply.includes("chunked") && (await heard()),
    );
    await using wire = await UrlWire.start(server.url);
    wire.transport.openStream?.();
    await waitFor(() => wire.messages.length === 4);
    expect(wire.messages).toEqual([1, 2, 3, 4].map(notice));
    const resumedAfter = server.requests.map((text) => /^last-event-id: (.*)\r$/im.exec(text)?.[1]);
    expect(resumedAfter.slice(0, 5)).toEqual([undefined, "b", "c", "c", "c"]);
  });

  test("waits as long as the server wants before it is opened again", async () => {
    const times: number[] = [];
    await using server = sessionServer({
      get: () => {
        times.push(performance.now());
        return events("retry: 300\n\n", sse(notice(times.length)));
      },
    });
    await using wire = await initialized(server);
    wire.transport.openStream?.();
    await waitFor(() => times.length === 3);
    const [first = 0, second = 0, third = 0] = times;
    expect(second - first).toBeGreaterThan(280);
    expect(third - second).toBeGreaterThan(280);
  });

  test("that brings nothing is opened ever more slowly, whatever the server wants", async () => {
    await using server = sessionServer({ get: () => events("retry: 0\n\n") });
    await using wire = await initialized(server);
    const startMs = performance.now();
    wire.transport.openStream?.();
    await waitFor(() => server.of("GET").length === 3);
    expect(performance.now() - startMs).toBeGreaterThan(1_400);
  });

  test("does not stumble for ever over one message that is too large", async () => {
    let turn = 0;
    await using server = sessionServer({
      get: () => {
        turn++;
        if (turn === 1)
          return events(
            "retry: 10\n\n",
            sse(notice(1), "id: a\n"),
            sse({ ...notice(2), x: "x".repeat(9_000) }),
          );
        return eventStream(async (write) => {
          await write(sse(notice(3)));
          await forever();
        });
      },
    });
    await using wire = await UrlWire.start(server.url, { maxMessageLength: 5_000 });
    await wire.shakeHands();
    wire.transport.openStream?.();
    await waitFor(() => wire.messages.some((message) => "params" in message && message.params?.n === 3));
    expect(lastEventIds(server)).toEqual([null, null]);
  });

  test("is closed by the end of the wire, and by one that takes its place", async () => {
    await using server = sessionServer({
      get: () =>
        eventStream(async (write) => {
          await write(": open\n\n");
          await forever();
        }),
    });
    const wire = await initialized(server);
    wire.transport.openStream?.();
    await waitFor(() => server.of("GET").length === 1);
    wire.transport.openStream?.();
    await waitFor(() => server.of("GET").length === 2);
    await waitFor(() => server.of("GET")[0]?.signal.aborted, { what: "the first stream to be closed" });
    expect(server.of("GET")[1]?.signal.aborted).toBe(false);
    await wire.transport[Symbol.asyncDispose]();
    await waitFor(() => server.of("GET")[1]?.signal.aborted, { what: "the second stream to be closed" });
    expect(server.of("GET")).toHaveLength(2);
  });

  test("does not exist for a modern server", async () => {
    await using server = sessionServer({});
    await using wire = await UrlWire.start(server.url);
    wire.transport.negotiated("2026-07-28");
    wire.transport.openStream?.();
    await wire.request("tools/list");
    expect(server.of("GET")).toEqual([]);
  });

  test("may bring the answer to a request that was only accepted", async () => {
    const accepted = gate();
    await using server = sessionServer({
      get: () =>
        eventStream(async (write) => {
          await write(sse(notice(1)));
          await accepted.promise;
          await write(sse({ jsonrpc: "2.0", id: 2, result: {} }));
          await forever();
        }),
      call: () => new Response(null, { status: 202 }),
    });
    await using wire = await initialized(server);
    wire.transport.openStream?.();
    await waitFor(() => wire.methods.includes("notifications/message"));
    const id = await wire.ask("tools/call");
    accepted.resolve();
    expect(await wire.answerTo(id)).toEqual({ jsonrpc: "2.0", id: 2, result: {} });
    expect(wire.lost.size).toBe(0);
  });
});

describe("a POST stream that ends before the answer", () => {
  const primed = "id: p1\nretry: 20\ndata:\n\n";
  const done = resultResponse(2, { done: true });

  test("is polled, as often as the server closes it, each time after the last event", async () => {
    const rounds = [
      () => events("retry: 20\n\n"),
      () => events(sse(notice(2), "id: p2\n")),
      () => events(),
      () => events(sse(notice(3)), sse(done, "id: p3\n")),
    ];
    await using server = sessionServer({
      call: () => events(primed, sse(notice(1))),
      get: () => rounds.shift()?.() ?? new Response(null, { status: 405 }),
    });
    await using wire = await initialized(server);
    const id = await wire.ask("tools/call");
    expect(await wire.answerTo(id)).toEqual(done);
    expect(wire.messages.slice(1)).toEqual([notice(1), notice(2), notice(3), done]);
    expect(wire.incoming.slice(1).every(({ origin }) => origin === id)).toBe(true);
    expect(lastEventIds(server)).toEqual(["p1", "p1", "p2", "p2"]);
    expect(server.of("GET").every(({ headers }) => headers.get("mcp-session-id") === "s-1")).toBe(true);
    expect(wire.lost.size).toBe(0);
  });

  test("is polled ever more slowly while nothing comes, whatever the server wants", async () => {
    let polls = 0;
    await using server = sessionServer({
      call: () => events("id: p1\nretry: 0\ndata:\n\n"),
      get: () => (++polls < 4 ? events() : events(sse(done))),
    });
    await using wire = await initialized(server);
    const startMs = performance.now();
    expect(await wire.request("tools/call")).toEqual(done);
    expect(performance.now() - startMs).toBeGreaterThan(650);
    expect(polls).toBe(4);
  });

  test("is taken up again when it breaks off, past a server that is down for a moment", async () => {
    const rounds = [
      rawBrokenStream(primed + sse(notice(1), "id: p2\n")),
      rawResponse(503, "text/plain", "starting"),
      rawResponse(200, "text/event-stream", sse(resultResponse(1, {}))),
    ];
    const heard = () => waitFor(() => wire.messages.length === 1);
    using server = rawServer(
      () => rounds.shift() ?? rawResponse(405, "text/plain", ""),
      async (reply) => reply.includes("chunked") && (await heard()),
    );
    await using wire = await UrlWire.start(server.url);
    expect(await wire.request("tools/call")).toEqual(resultResponse(1, {}));
    expect(wire.messages[0]).toEqual(notice(1));
    expect(
      server.requests.map((text) => text.toLowerCase().match(/^post|^get|last-event-id: .*(?=\r)/g)),
    ).toEqual([["post"], ["get", "last-event-id: p2"], ["get", "last-event-id: p2"]]);
  });

  test.each([
    ["with 405", 405, false, 1],
    ["because the session is gone", 404, true, 1],
    ["again and again", 500, false, 5],
  ])("is lost when it cannot be taken up again: refused %s", async (_name, status, sessionExpired, tries) => {
    await using server = sessionServer({
      call: () => events("id: p1\nretry: 1\ndata:\n\n"),
      get: () => new Response("no", { status }),
    });
    await using wire = await initialized(server);
    const error = await wire.lossOf(await wire.ask("tools/call"));
    expect(error).toMatchObject({ maybeDelivered: true, sessionExpired });
    expect(error.message).toContain(
      `ended without the answer, and could not be resumed: GET ${server.url} was answered with ${status}`,
    );
    expect(server.of("GET")).toHaveLength(tries);
  });

  test("is not taken up again once nobody waits", async () => {
    await using server = sessionServer({
      call: () => events("id: p1\nretry: 50\ndata:\n\n"),
      get: () => events(sse(done)),
    });
    await using wire = await initialized(server);
    const id = await wire.ask("tools/call");
    wire.transport.abandon(id);
    await Bun.sleep(250); // Five times as long as it would have taken.
    expect(server.of("GET")).toEqual([]);
    expect(wire.lost.size).toBe(0);
  });

  test("is lost at once in a modern conversation, which has no way to resume", async () => {
    await using server = MockServer.start(() => events(primed));
    await using wire = await UrlWire.start(server.url);
    wire.transport.negotiated("2026-07-28");
    const error = await wire.lossOf(await wire.ask("tools/call"));
    expect(error.message).toEndWith("ended without the answer.");
    expect(server.of("GET")).toEqual([]);
  });

  test("may belong to one of many, each taken up by its own last event", async () => {
    const resumed = (seen: Seen) => {
      const n = Number(seen.headers.get("last-event-id"));
      return events(sse({ jsonrpc: "2.0", id: n, result: { n } }));
    };
    await using server = sessionServer({
      call: (seen) => events(`id: ${seen.body.id}\nretry: 10\ndata:\n\n`),
      get: resumed,
    });
    await using wire = await initialized(server);
    const answers = await Promise.all(Array.from({ length: 20 }, () => wire.request("tools/call")));
    for (const one of answers) expect(one).toMatchObject({ result: { n: one.id } });
    for (const { message, origin } of wire.incoming.slice(1)) expect(message).toMatchObject({ id: origin });
  });

  test("can have its session expire in the answer that comes late", async () => {
    await using server = sessionServer({
      call: () => events("id: p1\nretry: 1\ndata:\n\n"),
      get: () => events(sse(failure(2, -32001, "Session not found"))),
    });
    await using wire = await initialized(server);
    expect(await wire.lossOf(await wire.ask("tools/call"))).toMatchObject({ sessionExpired: true });
  });
});
