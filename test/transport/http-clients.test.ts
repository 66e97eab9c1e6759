// What both HTTP clients keep, that by sockets and that by fetch: one contract, so the tests run on each.

import { describe, expect, test } from "bun:test";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { TooLargeError } from "../../src/protocol/event-stream.ts";
import { FetchClient } from "../../src/transport/fetch-client.ts";
import type { HttpClient, HttpRequest } from "../../src/transport/http-client.ts";
import { SocketClient } from "../../src/transport/socket-client.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { waitFor } from "../support/wait-for.ts";

const MAX = 1_000_000;
const OK = "HTTP/1.1 200 OK\r\n";
const HI = `${OK}Content-Length: 2\r\n\r\nhi`;

const clients: [string, (url: URL) => HttpClient][] = [
  ["sockets", (url) => new SocketClient(url)],
  ["fetch", () => new FetchClient({ mayUseProxy: false })],
];

describe.each(clients)("by %s", (_name, make) => {
  function start(
    peer: RawPeer,
    path = "/",
  ): {
    client: HttpClient;
    send: (given?: Partial<HttpRequest>) => ReturnType<HttpClient["send"]>;
  } & Disposable {
    const url = new URL(path, peer.url);
    const client = make(url);
    const request: HttpRequest = {
      method: "POST",
      headers: new Headers(),
      body: "x",
      signal: new AbortController().signal,
    };
    return {
      client,
      send: (given = {}) => client.send(url, { ...request, ...given }),
      [Symbol.dispose]: () => client.close(),
    };
  }

  describe("a request", () => {
    test("goes out as it was given", async () => {
      using peer = RawPeer.start(() => HI);
      using it = start(peer, "/a%20b/c?d=1&e=%F0");
      const headers = new Headers({
        "X-One": "1",
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
      });
      await it.send({ headers, body: "漢字" });
      const [request] = peer.requests;
      expect(request?.line).toBe("POST /a%20b/c?d=1&e=%F0 HTTP/1.1");
      expect(request?.headers.get("host")).toBe(new URL(peer.url).host);
      expect(request?.headers.get("x-one")).toBe("1");
      expect(request?.headers.get("content-type")).toBe("application/json");
      expect(request?.headers.get("content-length")).toBe("6");
      expect(request?.body).toBe("漢字");
    });

    test("may name another host, and say what is no ASCII", async () => {
      using peer = RawPeer.start(() => HI);
      using it = start(peer);
      await it.send({ headers: new Headers({ Host: "example.com", "X-Name": "Müller" }), body: "é" });
      expect(peer.requests[0]?.headers.get("host")).toBe("example.com");
      expect(peer.requests[0]?.headers.get("x-name")).toBe("Müller");
      expect(peer.requests[0]?.body).toBe("é");
    });

    test("cannot say how it is framed", async () => {
      using peer = RawPeer.start(() => HI);
      using it = start(peer);
      await it.send({
        headers: new Headers({ "Content-Length": "1", "Transfer-Encoding": "chunked" }),
        body: "four",
      });
      expect(peer.requests[0]?.body).toBe("four");
      expect(peer.requests[0]?.headers.get("transfer-encoding")).toBeNull();
    });

    test("without a body has none", async () => {
      using peer = RawPeer.start(() => HI);
      using it = start(peer);
      const { body: _, ...bare } = {
        method: "GET",
        headers: new Headers(),
        body: "",
        signal: new AbortController().signal,
      } as const;
      await (await it.client.send(new URL(peer.url), bare)).text(MAX);
      expect(peer.requests[0]?.line).toBe("GET / HTTP/1.1");
      expect(peer.requests[0]?.headers.get("content-length") ?? "0").toBe("0");
    });

    test("may be larger than what the server takes at once", async () => {
      using peer = RawPeer.start(() => HI);
      using it = start(peer);
      const body = "0123456789".repeat(2_000_000);
      const answer = it.send({ body });
      expect(await (await answer).text(MAX)).toBe("hi");
      expect(peer.requests[0]?.body === body).toBe(true);
    });

    test.each(["hi there", "Malformed"])(
      "is sent once, even where the server says nothing (%p)",
      async (body) => {
        using peer = RawPeer.start((_, count) => (count === 1 ? HI : "close"));
        using it = start(peer);
        await (await it.send()).text(MAX);
        await expect(it.send({ body })).rejects.toMatchObject({ code: "ECONNRESET" });
        expect(peer.requests.map((request) => request.body)).toEqual(["x", body]);
      },
    );
  });

  describe("connections", () => {
    test("are used again, one request at a time", async () => {
      // The last three are answered when all have come.
      using peer = RawPeer.start((_, count) => (count <= 5 ? HI : ""));
      using it = start(peer);
      for (let turn = 0; turn < 5; turn++) expect(await (await it.send()).text(MAX)).toBe("hi");
      expect(peer.opened).toBe(1);
      const together = Promise.all([it.send({ body: "a" }), it.send({ body: "b" }), it.send({ body: "c" })]);
      await waitFor(() => peer.requests.length === 8, { what: "three requests at a time" });
      peer.say(HI);
      const answers = await together;
      expect(await Promise.all(answers.map((answer) => answer.text(MAX)))).toEqual(["hi", "hi", "hi"]);
      expect(peer.opened).toBe(3);
    });

    test.each([
      ["the server says so", `${OK}Connection: close\r\nContent-Length: 2\r\n\r\nhi`],
      ["it speaks HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"],
    ])("are not used again where %s", async (_why, reply) => {
      using peer = RawPeer.start(() => reply);
      using it = start(peer);
      for (let turn = 0; turn < 3; turn++) expect(await (await it.send()).text(MAX)).toBe("hi");
      expect(peer.opened).toBe(3);
      await waitFor(() => peer.open === 0, { what: "the connections to be closed" });
    });

    test("that the server has closed are not used again", async () => {
      using peer = RawPeer.start(() => HI);
      using it = start(peer);
      for (let turn = 0; turn < 3; turn++) {
        expect(await (await it.send()).text(MAX)).toBe("hi");
        await peer.closeAll();
      }
      expect(peer.opened).toBe(3);
    });

    test("are closed with the client", async () => {
      using peer = RawPeer.start(() => HI);
      const it = start(peer);
      await (await it.send()).text(MAX);
      it.client.close();
      await waitFor(() => peer.open === 0, { what: "the connection to be closed" });
    });
  });

  describe("a response", () => {
    test("has its head before its body", async () => {
      using peer = RawPeer.start(
        () => "HTTP/1.1 503 Not Now\r\nRetry-After: 3\r\nContent-Length: 5\r\n\r\nwa",
      );
      using it = start(peer);
      const response = await it.send();
      expect(response.status).toBe(503);
      expect(response.statusText).toBe("Not Now");
      expect(response.header("Retry-After")).toBe("3");
      expect(response.header("retry-later")).toBeUndefined();
      peer.say("it.");
      expect(await response.text(MAX)).toBe("wait.");
    });

    test("that redirects is given as it is", async () => {
      using peer = RawPeer.start(() => "HTTP/1.1 307 X\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n");
      using it = start(peer);
      const response = await it.send();
      expect([response.status, response.header("location")]).toEqual([307, "/b"]);
      expect(peer.requests).toHaveLength(1);
    });

    test.each<[string, string]>([
      ["in chunks", `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\n漢\r\n3\r\n字\r\n0\r\n\r\n`],
      ["of a length, with a byte order mark", `${OK}Content-Length: 9\r\n\r\n\uFEFF漢字`],
      ["to the end of the connection", `${OK}\r\n漢字close`],
    ])("as text: %s", async (_name, reply) => {
      using peer = RawPeer.start(() => reply);
      using it = start(peer);
      expect(await (await it.send()).text(MAX)).toBe("漢字");
    });

    test.each<[string, string, Buffer]>([
      ["gzip", "漢字", gzipSync("漢字")],
      ["br", "漢字", brotliCompressSync("漢字")],
      ["zstd", "x".repeat(200_000), zstdCompressSync("x".repeat(200_000))],
    ])("as text: compressed as %s", async (coding, text, bytes) => {
      const head = `${OK}Content-Encoding: ${coding}\r\nContent-Length: ${bytes.length}\r\n\r\n`;
      using peer = RawPeer.start(() => Buffer.concat([Buffer.from(head), bytes]));
      using it = start(peer);
      expect(await (await it.send()).text(MAX)).toBe(text);
      const tooLong = (await it.send()).text(1);
      await expect(tooLong).rejects.toBeInstanceOf(TooLargeError);
    });

    test.each<[string, string]>([
      ["utf-8", "hi"],
      ["identity", "hi"],
      ["gzip", ""],
    ])("whose server says %p of a body that is as it is: %p", async (coding, body) => {
      const head = `${OK}Content-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n`;
      using peer = RawPeer.start(() => `${head}${body}`);
      using it = start(peer);
      expect(await (await it.send()).text(MAX)).toBe(body);
    });

    test("that came compressed can be let go of", async () => {
      const head = Buffer.from(`${OK}Content-Encoding: gzip\r\nContent-Length: 999\r\n\r\n`);
      using peer = RawPeer.start(() => Buffer.concat([head, gzipSync("hi").subarray(0, 9)]));
      using it = start(peer);
      const response = await it.send();
      const over = response.pieces(() => undefined);
      response.cancel();
      await over;
      await waitFor(() => peer.open === 0, { what: "the connection to be closed" });
    });

    test("of many pieces is put together", async () => {
      const body = "漢字".repeat(300_000);
      using peer = RawPeer.start(() => `${OK}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      using it = start(peer);
      expect((await (await it.send()).text(2 * MAX)) === body).toBe(true);
    });

    test("larger than the limit is let go of", async () => {
      using peer = RawPeer.start(() => `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
      using it = start(peer);
      await expect(Promise.resolve((await it.send()).text(4))).rejects.toBeInstanceOf(TooLargeError);
      await waitFor(() => peer.open === 0, { what: "the connection to be closed" });
    });

    test("comes in pieces, as the server sends them", async () => {
      using peer = RawPeer.start(() => `${OK}Transfer-Encoding: chunked\r\n\r\n`);
      using it = start(peer);
      const pieces: string[] = [];
      const over = (await it.send()).pieces((bytes) => void pieces.push(Buffer.from(bytes).toString()));
      for (const [at, text] of ["one", "two", "three"].entries()) {
        peer.say(`${text.length}\r\n${text}\r\n`);
        await waitFor(() => pieces.length === at + 1, { what: `piece ${at + 1}` });
      }
      peer.say("0\r\n\r\n");
      await over;
      expect(pieces).toEqual(["one", "two", "three"]);
    });

    test("whose reader throws is let go of, and the reader hears why", async () => {
      using peer = RawPeer.start(() => `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
      using it = start(peer);
      const bug = new Error("enough");
      const over = (await it.send()).pieces(() => {
        throw bug;
      });
      await expect(over).rejects.toBe(bug);
      await waitFor(() => peer.open === 0, { what: "the connection to be closed" });
    });

    test("that is cancelled ends for its reader, and for the server", async () => {
      using peer = RawPeer.start(() => `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
      using it = start(peer);
      const response = await it.send();
      const over = response.pieces(() => response.cancel());
      await over;
      await waitFor(() => peer.open === 0, { what: "the connection to be closed" });
    });

    test.each<[string, string]>([
      ["in the middle of a chunk", `${OK}Transfer-Encoding: chunked\r\n\r\n9\r\nhelloclose`],
      ["before the last chunk", `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nclose`],
      ["before its length", `${OK}Content-Length: 9\r\n\r\nhelloclose`],
    ])("that breaks off %s fails", async (_name, reply) => {
      using peer = RawPeer.start(() => reply);
      using it = start(peer);
      const response = await it.send();
      await expect(response.pieces(() => undefined)).rejects.toThrow();
      await expect((async () => (await it.send()).text(MAX))()).rejects.toThrow();
    });
  });

  describe("giving up", () => {
    test("before anything was sent sends nothing", async () => {
      using peer = RawPeer.start(() => HI);
      using it = start(peer);
      await expect(it.send({ signal: AbortSignal.abort() })).rejects.toThrow();
      expect(peer.opened).toBe(0);
    });

    test("while the server thinks closes the connection", async () => {
      using peer = RawPeer.start(() => "");
      using it = start(peer);
      const abort = new AbortController();
      const answer = it.send({ signal: abort.signal });
      answer.catch(() => undefined);
      await waitFor(() => peer.requests.length === 1, { what: "the request" });
      abort.abort();
      await expect(answer).rejects.toBe(abort.signal.reason);
      await waitFor(() => peer.open === 0, { what: "the connection to be closed" });
    });

    test("in the middle of a body breaks it off", async () => {
      using peer = RawPeer.start(() => `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
      using it = start(peer);
      const abort = new AbortController();
      const response = await it.send({ signal: abort.signal });
      const error = await response.pieces(() => abort.abort()).catch((thrown: unknown) => thrown);
      expect(error).toBe(abort.signal.reason);
      await waitFor(() => peer.open === 0, { what: "the connection to be closed" });
    });

    test("after the end changes nothing, for this request or the next on the connection", async () => {
      using peer = RawPeer.start((_, count) => (count === 1 ? HI : ""));
      using it = start(peer);
      const abort = new AbortController();
      await (await it.send({ signal: abort.signal })).text(MAX);
      const next = it.send();
      await waitFor(() => peer.requests.length === 2, { what: "the second request" });
      abort.abort();
      peer.say(HI);
      expect(await (await next).text(MAX)).toBe("hi");
      expect(peer.opened).toBe(1);
    });
  });

  test("letting go of a response after its end does nothing to the next on the connection", async () => {
    using peer = RawPeer.start((_, count) => (count === 1 ? HI : ""));
    using it = start(peer);
    const first = await it.send();
    await first.text(MAX);
    const next = it.send();
    await waitFor(() => peer.requests.length === 2, { what: "the second request" });
    first.cancel();
    peer.say(HI);
    expect(await (await next).text(MAX)).toBe("hi");
    expect(peer.opened).toBe(1);
  });

  test.each<[string, () => string]>([
    ["Malformed_HTTP_Response", () => "SSH-2.0-OpenSSH_9.9\r\nclose"],
    ["ECONNRESET", () => "close"],
  ])("a failure is told as %p", async (code, reply) => {
    using peer = RawPeer.start(reply);
    using it = start(peer);
    await expect(it.send()).rejects.toMatchObject({ code });
  });

  test.each([
    ["interim responses", "", "HTTP/1.1 100 Continue\r\n\r\n"],
    ["early hints", "", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"],
    ["lines of a head", OK, "X: y\r\n"],
    ["a status line", "HTTP/1.1 200 ", "x"],
  ])("%s without an end are read until the signal at most", async (_what, first, more) => {
    using peer = RawPeer.start(() => first + more.repeat(10));
    using it = start(peer);
    const abort = new AbortController();
    const end = it.send({ signal: abort.signal }).catch((error: unknown) => error);
    await waitFor(() => peer.requests.length === 1, { what: "the request" });
    for (let turn = 0; turn < 20; turn++) {
      peer.say(more.repeat(1_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    abort.abort();
    expect(await end).toBeInstanceOf(Error);
    await waitFor(() => peer.open === 0, { what: "the connection to be closed" });
  });

  test("nobody there is told as such", async () => {
    const peer = RawPeer.start(() => HI);
    const it = start(peer);
    peer[Symbol.dispose]();
    await expect(it.send()).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
