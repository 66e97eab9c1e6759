// How the wire of Streamable HTTP ends: its session, its responses, its sockets.

import { describe, expect, test } from "bun:test";
import { silentLog } from "../../src/log.ts";
import { StreamableHttpTransport } from "../../src/transport/streamable-http.ts";
import { SendError } from "../../src/transport/transport.ts";
import { answer, events, json, MockServer, polite, sse } from "../support/mock-server.ts";
import { UrlWire } from "../support/url-wire.ts";
import { waitFor } from "../support/wait-for.ts";

describe("the end", () => {
  test("ends the session at the server, lets go of every response, and is told once", async () => {
    await using server = MockServer.start((seen) =>
      seen.body.method === "tools/call" ? new Promise<Response>(() => {}) : polite(seen),
    );
    const wire = await UrlWire.start(server.url);
    await wire.shakeHands();
    const hanging = wire.ask("tools/call").catch((thrown: unknown) => thrown);
    await waitFor(() => server.of("POST").length === 3);
    await Promise.all([wire.transport[Symbol.asyncDispose](), wire.transport[Symbol.asyncDispose]()]);
    expect(await hanging).toBeInstanceOf(SendError);
    expect(server.of("DELETE").map(({ headers }) => [...headers])).toEqual([
      expect.arrayContaining([
        ["mcp-session-id", "s-1"],
        ["mcp-protocol-version", "2025-11-25"],
      ]),
    ]);
    expect(wire.ends).toHaveLength(1);
    expect(wire.lost.size).toBe(0);
    expect(await wire.ask("tools/list").catch((thrown: unknown) => thrown)).toMatchObject({
      maybeDelivered: false,
    });
    expect(server.of("POST")).toHaveLength(3);
  });

  test("stops the messages at once, also those that had come with the one that brought it about", async () => {
    const notice = { jsonrpc: "2.0", method: "notifications/message" };
    await using server = MockServer.start((seen) => events(sse(notice), sse(notice), sse(answer(seen))));
    const heard: string[] = [];
    const transport = await StreamableHttpTransport.start(
      { kind: "url", url: server.url, transport: "http", headers: {} },
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
    await transport.send({ jsonrpc: "2.0", id: 1, method: "tools/call" });
    await waitFor(() => heard.includes("end"));
    await transport[Symbol.asyncDispose]();
    expect(heard).toEqual(["message", "end"]);
  });

  test("does not wait for a server that never answers the DELETE", async () => {
    await using server = MockServer.start((seen) =>
      seen.method === "DELETE" ? new Promise<Response>(() => {}) : polite(seen),
    );
    const wire = await UrlWire.start(server.url);
    await wire.shakeHands();
    const startMs = performance.now();
    await wire.transport[Symbol.asyncDispose]();
    expect(performance.now() - startMs).toBeLessThan(15_000);
    expect(wire.ends).toHaveLength(1);
  });

  test("sends no DELETE where there was no session", async () => {
    await using server = MockServer.start((seen) => json(answer(seen)));
    const wire = await UrlWire.start(server.url);
    await wire.shakeHands("2026-07-28");
    await wire.transport[Symbol.asyncDispose]();
    expect(server.of("DELETE")).toHaveLength(0);
    expect(wire.ends).toHaveLength(1);
  });

  test("keeps one socket for calls in a row, and closes it", async () => {
    const ports = new Set<number>();
    let open = 0;
    using server = Bun.listen({
      port: 0,
      hostname: "127.0.0.1",
      socket: {
        open: () => void open++,
        close: () => void open--,
        data(socket, data) {
          ports.add(socket.remotePort);
          const id = /"id":(\d+)/.exec(data.toString())?.[1];
          const body = `{"jsonrpc":"2.0","id":${id},"result":{}}`;
          socket.write(
            `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
          );
        },
      },
    });
    const wire = await UrlWire.start(`http://127.0.0.1:${server.port}/`);
    for (let turn = 0; turn < 10; turn++) await wire.request("ping");
    expect(ports.size).toBe(1);
    expect(open).toBe(1);
    await wire.transport[Symbol.asyncDispose]();
    await waitFor(() => open === 0, { what: "the idle socket to be closed" });
  });
});
