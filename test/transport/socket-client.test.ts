// What only our own sockets have to keep: when a connection is used again, and that no answer reaches another request.

import { expect, spyOn, test } from "bun:test";
import type { Socket } from "bun";
import type { HttpRequest } from "../../src/transport/http-client.ts";
import { SocketClient } from "../../src/transport/socket-client.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { waitFor } from "../support/wait-for.ts";

const MAX = 1_000_000;
const OK = "HTTP/1.1 200 OK\r\n";
const HI = `${OK}Content-Length: 2\r\n\r\nhi`;

const url = (peer: RawPeer) => new URL(peer.url);
const request: HttpRequest = {
  method: "POST",
  headers: new Headers(),
  body: "x",
  signal: new AbortController().signal,
};

test("a connection that nobody uses is closed before the server would", async () => {
  using peer = RawPeer.start(() => HI);
  const client = new SocketClient(url(peer), 50);
  const responses = await Promise.all([1, 2, 3].map(() => client.send(url(peer), request)));
  await Promise.all(responses.map((response) => response.text(MAX)));
  await waitFor(
    async () => {
      // One of them is in use, and stays.
      await (await client.send(url(peer), request)).text(MAX);
      return peer.open === 1;
    },
    { what: "the others to be closed" },
  );
  expect(peer.opened).toBe(3);
  await waitFor(() => peer.open === 0, { what: "the last one to be closed" });
});

test("an answer that comes before the request has been read is taken, and the connection closed", async () => {
  let early: Socket<undefined> | undefined;
  using server = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket) {
        early = socket;
        socket.pause();
        socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
      },
    },
  });
  const to = new URL(`http://127.0.0.1:${server.port}/`);
  const client = new SocketClient(to);
  const response = await client.send(to, { ...request, body: "x".repeat(50_000_000) });
  expect(response.status).toBe(413);
  expect(await response.text(MAX)).toBe("big");
  early?.resume();
  await waitFor(() => early?.readyState !== 1, { what: "the connection to be closed" });
});

test("what a server says unasked ends the connection, and is no answer to the next request", async () => {
  using peer = RawPeer.start((_, count) => (count === 1 ? HI : HI.replace("hi", "ho")));
  const client = new SocketClient(url(peer));
  await (await client.send(url(peer), request)).text(MAX);
  peer.say(`${OK}Content-Length: 4\r\n\r\nevil`);
  await waitFor(() => peer.open === 0, { what: "the connection to be closed" });
  expect(await (await client.send(url(peer), request)).text(MAX)).toBe("ho");
  client.close();
});

test("what comes after the end of an answer is no answer to the next request", async () => {
  using peer = RawPeer.start((_, count) => (count === 1 ? `${HI}${HI.replace("hi", "evil")}` : HI));
  const client = new SocketClient(url(peer));
  expect(await (await client.send(url(peer), request)).text(MAX)).toBe("hi");
  expect(await (await client.send(url(peer), request)).text(MAX)).toBe("hi");
  expect(peer.opened).toBe(2);
  client.close();
});

test("each of many answers goes to whoever asked, however they are mixed", async () => {
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(asked) {
      const text = await asked.text();
      await Bun.sleep(Number(text) % 7);
      return new Response(text.repeat(1 + (Number(text) % 50) * 100));
    },
  });
  const to = new URL(server.url);
  const client = new SocketClient(to);
  const given = new AbortController();
  const answers = Array.from({ length: 500 }, async (_, at) => {
    const isGivenUp = at % 5 === 0;
    const signal = isGivenUp ? given.signal : request.signal;
    const body = String(1_000 + at);
    const answer = client.send(to, { ...request, body, signal }).then((response) => response.text(MAX));
    if (isGivenUp) await answer.catch(() => undefined);
    else expect(await answer).toBe(body.repeat(1 + (Number(body) % 50) * 100));
  });
  await Bun.sleep(1);
  given.abort();
  await Promise.all(answers);
  client.close();
});

test("what is under way when the client is closed comes to its end, and then its connection does", async () => {
  using peer = RawPeer.start(() => `${OK}Content-Length: 4\r\n\r\nhi`);
  const client = new SocketClient(url(peer));
  const response = await client.send(url(peer), request);
  client.close();
  peer.say("ho");
  expect(await response.text(MAX)).toBe("hiho");
  await waitFor(() => peer.open === 0, { what: "the connection to be closed", timeoutMs: 1_000 });
});

test("after a standstill no connection is used that the server may have closed meanwhile", async () => {
  using peer = RawPeer.start(() => HI);
  const client = new SocketClient(url(peer), 20);
  await (await client.send(url(peer), request)).text(MAX);
  const untilMs = performance.now() + 60;
  while (performance.now() < untilMs); // No timer and no socket has its turn.
  expect(await (await client.send(url(peer), request)).text(MAX)).toBe("hi");
  expect(peer.opened).toBe(2);
  client.close();
});

test("giving up at whatever moment after the connection is open leaves nothing pending", async () => {
  using peer = RawPeer.start(() => "");
  const connect = Bun.connect;
  for (let depth = 0; depth < 12; depth++) {
    const abort = new AbortController();
    using spied = spyOn(Bun, "connect").mockImplementation(((options: never) => {
      const opening: Promise<unknown> = connect(options);
      void opening.then(async () => {
        for (let turn = 0; turn < depth; turn++) await Promise.resolve();
        abort.abort();
      });
      return opening;
    }) as typeof Bun.connect);
    const client = new SocketClient(url(peer));
    const answer = client.send(url(peer), { ...request, signal: abort.signal });
    expect(await answer.catch((error: unknown) => error)).toBe(abort.signal.reason);
    expect(spied).toHaveBeenCalledTimes(1);
    client.close();
  }
  await waitFor(() => peer.open === 0, { what: "the connections to be closed" });
});

test("a body that goes to the end of the connection is not whole where that was reset", async () => {
  using server = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      async data(socket) {
        socket.write(`${OK}\r\nhalf`);
        await Bun.sleep(20);
        socket.terminate();
      },
    },
  });
  const to = new URL(`http://127.0.0.1:${server.port}/`);
  const client = new SocketClient(to);
  const text = Promise.resolve((await client.send(to, request)).text(MAX));
  await expect(text).rejects.toMatchObject({ code: "ECONNRESET" });
});
