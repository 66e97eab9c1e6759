// Streamable HTTP as it is meant to go: headers, bodies of every kind, cancelling, closing.

import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { writeMessage } from "../../src/protocol/jsonrpc.ts";
import { SendError } from "../../src/transport/transport.ts";
import {
  answer,
  eventStream,
  events,
  failure,
  gate,
  json,
  MockServer,
  polite,
  sse,
} from "../support/mock-server.ts";
import { UrlWire } from "../support/url-wire.ts";
import { waitFor } from "../support/wait-for.ts";

describe("headers", () => {
  test("every message names both types, and after the handshake the session and the revision", async () => {
    await using server = MockServer.start(polite);
    await using wire = await UrlWire.start(server.url, {
      headers: { Authorization: "Bearer secret-token", accept: "text/html" },
    });
    await wire.shakeHands("2025-06-18");
    await wire.request("tools/list");
    expect(server.of("POST").map(({ body }) => body.method)).toEqual([
      "initialize",
      "notifications/initialized",
      "tools/list",
    ]);
    for (const { headers, body } of server.of("POST")) {
      const isFirst = body.method === "initialize";
      expect(headers.get("accept")).toBe("application/json, text/event-stream");
      expect(headers.get("content-type")).toBe("application/json");
      expect(headers.get("authorization")).toBe("Bearer secret-token");
      expect(headers.get("mcp-session-id")).toBe(isFirst ? null : "s-1");
      expect(headers.get("mcp-protocol-version")).toBe(isFirst ? null : "2025-06-18");
    }
  });

  test("a message carries the headers that it is sent with, over the wire's own, and only it", async () => {
    await using server = MockServer.start(polite);
    await using wire = await UrlWire.start(server.url);
    wire.transport.negotiated("2026-07-28");
    await wire.request(
      "tools/call",
      {},
      { headers: { "Mcp-Method": "tools/call", "mcp-protocol-version": "2026-12-01" } },
    );
    await wire.request("tools/list");
    wire.transport.negotiated("");
    await wire.request("tools/list");
    expect(
      server.seen.map(({ headers }) => [headers.get("mcp-method"), headers.get("mcp-protocol-version")]),
    ).toEqual([
      ["tools/call", "2026-12-01"],
      [null, "2026-07-28"],
      [null, null],
    ]);
  });

  test("each of many messages carries its own headers, with the session and revision of its time", async () => {
    await using server = MockServer.start(polite);
    await using wire = await UrlWire.start(server.url);
    const values = [...Array.from({ length: 120 }, (_, n) => String(n % 110)), "x".repeat(2_000)];
    const sent: string[] = [];
    for (const revision of ["2026-07-28", "2026-12-01"]) {
      wire.transport.negotiated(revision);
      for (const value of values) {
        await wire.request("tools/call", {}, { headers: { "Mcp-Param-One": value } });
        sent.push(`${revision} ${value}`);
      }
    }
    expect(
      server.seen.map(
        ({ headers }) => `${headers.get("mcp-protocol-version")} ${headers.get("mcp-param-one")}`,
      ),
    ).toEqual(sent);
  });

  test("a new handshake starts without the old session and its revision", async () => {
    let sessions = 0;
    await using server = MockServer.start((seen) =>
      seen.body.method === "initialize"
        ? json(answer(seen), { headers: { "Mcp-Session-Id": `s-${++sessions}` } })
        : polite(seen),
    );
    await using wire = await UrlWire.start(server.url);
    await wire.shakeHands();
    await wire.shakeHands();
    await wire.request("tools/list");
    expect(server.of("POST").map(({ headers }) => headers.get("mcp-session-id"))).toEqual([
      null,
      "s-1",
      null,
      "s-2",
      "s-2",
    ]);
  });

  test("the URL goes out exactly as it was written", async () => {
    await using server = MockServer.start(polite);
    for (const path of ["/mcp", "/mcp/", "/a/mcp//?key=a%2Fb&x=", "/"]) {
      await using wire = await UrlWire.start(server.origin + path);
      await wire.request("ping");
      const { url } = server.seen.at(-1) ?? {};
      expect(`${url?.pathname}${url?.search}`).toBe(path);
    }
  });

  test("a user and a password in the URL become an Authorization header", async () => {
    await using server = MockServer.start(polite);
    await using wire = await UrlWire.start(server.url.replace("//", "//us%40er:p%3Aw@"));
    await wire.request("ping");
    expect(server.seen[0]?.headers.get("authorization")).toBe(`Basic ${btoa("us@er:p:w")}`);
  });
});

describe("answers as JSON", () => {
  test("come with their exact text and the id of the request", async () => {
    const text = '{"result":{"big":12345678901234567890,"é":"漢"},"id":1,"jsonrpc":"2.0"}';
    await using server = MockServer.start(
      () => new Response(text, { headers: { "Content-Type": "application/json" } }),
    );
    await using wire = await UrlWire.start(server.url);
    await wire.request("tools/list");
    expect(wire.incoming).toEqual([{ message: JSON.parse(text), origin: 1 }]);
    const message = wire.incoming[0]?.message;
    expect(message !== undefined && writeMessage(message)).toBe(
      '{"jsonrpc":"2.0","id":1,"result":{"big":12345678901234567890,"é":"漢"}}',
    );
  });

  test("come in one line where they have line breaks, which other wires could not carry", async () => {
    const text = '{"jsonrpc":"2.0","id":1,"result":{\r\n"n":\n1.0\n}}';
    await using server = MockServer.start(() => new Response(text));
    await using wire = await UrlWire.start(server.url);
    await wire.request("tools/list");
    const message = wire.incoming[0]?.message;
    expect(message !== undefined && writeMessage(message)).toBe(
      '{"jsonrpc":"2.0","id":1,"result":{ "n": 1.0 }}',
    );
  });

  test("may be batches, compressed, or of no declared type", async () => {
    const notice = { jsonrpc: "2.0", method: "notifications/message", params: {} };
    await using server = MockServer.start((seen) => {
      const text = JSON.stringify([notice, answer(seen)]);
      return new Response(gzipSync(text), { headers: { "Content-Encoding": "gzip", "Content-Type": "" } });
    });
    await using wire = await UrlWire.start(server.url);
    const id = await wire.ask("tools/list");
    await wire.answerTo(id);
    expect(wire.methods).toEqual(["notifications/message", "response"]);
    expect(wire.incoming.map(({ origin }) => origin)).toEqual([id, id]);
  });

  test("an error without id is taken for the answer, as it can belong to no other request", async () => {
    await using server = MockServer.start(() => json(failure(null, -32700, "Parse error")));
    await using wire = await UrlWire.start(server.url);
    expect(await wire.request("tools/list")).toEqual({
      jsonrpc: "2.0",
      id: 1,
      error: { code: -32700, message: "Parse error" },
    });
  });

  test("each belongs to its request, however late it is", async () => {
    const slow = gate();
    await using server = MockServer.start(async (seen) => {
      if (seen.body.method === "slow") await slow.promise;
      return json(answer(seen, { method: seen.body.method }));
    });
    await using wire = await UrlWire.start(server.url);
    const slowAnswer = wire.request("slow");
    for (let turn = 0; turn < 20; turn++) await wire.request("fast");
    slow.resolve();
    expect(await slowAnswer).toEqual({ jsonrpc: "2.0", id: 1, result: { method: "slow" } });
    expect(wire.incoming.at(-1)?.origin).toBe(1);
  });
});

describe("answers as event streams", () => {
  const notice = {
    jsonrpc: "2.0",
    method: "notifications/progress",
    params: { progressToken: 1, progress: 1 },
  };
  const question = { jsonrpc: "2.0", id: "q", method: "ping" };

  test("bring everything up to the answer, whatever else the server puts between", async () => {
    await using server = MockServer.start((seen) =>
      events(
        ": hello\n\n",
        "id: 0\ndata:\n\n",
        sse(notice),
        "event: ping\ndata: x\n\n",
        "data: no JSON\n\n",
        sse(question, "event: message\nid: 7\n"),
        `data: ${JSON.stringify([notice, notice])}\n\n`,
        sse(answer(seen, { text: "漢字🐈" })),
      ),
    );
    await using wire = await UrlWire.start(server.url);
    const id = await wire.ask("tools/call");
    expect(await wire.answerTo(id)).toMatchObject({ result: { text: "漢字🐈" } });
    expect(wire.methods).toEqual([notice.method, "ping", notice.method, notice.method, "response"]);
    expect(wire.incoming.every(({ origin }) => origin === id)).toBe(true);
    expect(wire.logged).toContainEqual(expect.objectContaining({ level: "WARNING", data: "no JSON" }));
  });

  test("are read as they come, byte by byte, line ends and characters cut anywhere", async () => {
    const proceed = gate();
    await using server = MockServer.start((seen) =>
      eventStream(async (write) => {
        const first = `\uFEFFid: 1\r\nevent: message\r\ndata: ${JSON.stringify(notice)}\r\n\r\n`;
        for (const byte of Buffer.from(first)) await write(Uint8Array.of(byte));
        await proceed.promise;
        for (const byte of Buffer.from(sse(answer(seen, { text: "漢字🐈" }))))
          await write(Uint8Array.of(byte));
      }),
    );
    await using wire = await UrlWire.start(server.url);
    const id = await wire.ask("tools/call");
    await waitFor(() => wire.messages.length === 1, {
      what: "the first event, before the second is written",
    });
    proceed.resolve();
    expect(await wire.answerTo(id)).toMatchObject({ result: { text: "漢字🐈" } });
  });

  test("may be compressed, and one message may be large", async () => {
    const text = "x".repeat(5_000_000);
    await using server = MockServer.start((seen) =>
      eventStream((write) => write(gzipSync(sse(notice) + sse(answer(seen, { text })))), {
        "Content-Encoding": "gzip",
      }),
    );
    await using wire = await UrlWire.start(server.url);
    expect(await wire.request("tools/call")).toMatchObject({ result: { text } });
    expect(wire.methods).toEqual([notice.method, "response"]);
  });

  test("are let go of when the server leaves them open after the answer", async () => {
    await using server = MockServer.start((seen) =>
      eventStream(async (write) => {
        await write(sse(answer(seen)));
        await new Promise(() => {});
      }),
    );
    await using wire = await UrlWire.start(server.url);
    await wire.request("tools/call");
    await waitFor(() => server.seen[0]?.signal.aborted, { what: "the stream to be closed" });
    expect(wire.lost.size).toBe(0);
  });
});

describe("messages that need no answer", () => {
  test.each([
    ["202", () => new Response(null, { status: 202 })],
    ["204", () => new Response(null, { status: 204 })],
    ["200 with no body", () => new Response("")],
    ["200 with a page", () => new Response("<html>ok</html>")],
    ["200 with an empty event stream", () => events()],
  ])("are done with %s", async (_name, respond) => {
    await using server = MockServer.start(respond);
    await using wire = await UrlWire.start(server.url);
    await wire.notify("notifications/initialized");
    await wire.transport.send({ jsonrpc: "2.0", id: "q", result: {} });
    expect(server.seen.map(({ body }) => body)).toEqual([
      { jsonrpc: "2.0", method: "notifications/initialized", params: {} },
      { jsonrpc: "2.0", id: "q", result: {} },
    ]);
    expect(wire.lost.size).toBe(0);
  });
});

describe("abandon", () => {
  test("closes the response, which is how a modern request is cancelled, and says no more of it", async () => {
    await using server = MockServer.start(() =>
      eventStream(async (write) => {
        await write(": working\n\n");
        await new Promise(() => {});
      }),
    );
    await using wire = await UrlWire.start(server.url);
    const id = await wire.ask("tools/call");
    wire.transport.abandon(id);
    await waitFor(() => server.seen[0]?.signal.aborted, { what: "the server to see the response closed" });
    expect(wire.lost.size).toBe(0);
  });

  test("also ends the wait for the head of a response", async () => {
    await using server = MockServer.start(() => new Promise<Response>(() => {}));
    await using wire = await UrlWire.start(server.url);
    const sent = wire.ask("tools/call");
    await waitFor(() => server.seen.length === 1);
    wire.transport.abandon(1);
    const error = await sent.catch((thrown: unknown) => thrown);
    await expect(error).toBeInstanceOf(SendError);
    expect(error).toMatchObject({ maybeDelivered: true });
    await waitFor(() => server.seen[0]?.signal.aborted);
  });
});
