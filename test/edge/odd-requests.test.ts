// Requests over HTTP as no library would send them, byte by byte: each is refused in words, and none surprises the gateway.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { fixture } from "../support/fixture.ts";
import { waitFor } from "../support/wait-for.ts";
import { GatewayProcess, programEntry } from "./gateway-process.ts";
import { modernHeaders, modernMessage } from "./modern-post.ts";

const TOKEN = "a-token-for-nobody-else";
let open: GatewayProcess;
let guarded: GatewayProcess;

beforeAll(async () => {
  const backends = { healthy: programEntry(fixture("healthy")) };
  [open, guarded] = await Promise.all([
    GatewayProcess.start({ backends }),
    GatewayProcess.start({ host: "0.0.0.0", auth: { token: TOKEN }, backends }),
  ]);
});

afterAll(async () => {
  for (const gateway of [open, guarded]) {
    expect(gateway.log).not.toContain("a bug in the gateway");
    await gateway[Symbol.asyncDispose]();
  }
});

/** Status and body of the reply to these bytes. */
async function send(
  { port }: GatewayProcess,
  head: string,
  body = "",
): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let received = "";
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("data", (data) => {
    received += data.toString();
    const [, length] = /content-length: *(\d+)/i.exec(received) ?? [];
    const end = received.indexOf("\r\n\r\n");
    if (end !== -1 && received.length >= end + 4 + Number(length ?? 0)) resolve(received);
  });
  socket.on("close", () => resolve(received)).on("error", reject);
  socket.write(`${head}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const reply = await promise;
  socket.destroy();
  return { status: Number(reply.slice(9, 12)), body: reply.slice(reply.indexOf("\r\n\r\n") + 4) };
}

describe("a Host", () => {
  test.each(["localhost/health?", "x/health#", "a b", "x\\y", "user@x"])(
    "that is none, %p, is refused",
    async (host) => {
      const { status, body } = await send(guarded, `POST /mcp HTTP/1.1\r\nHost: ${host}`, "{}");
      expect(status).toBe(403);
      expect(body).toContain("The Host header names no host.");
    },
  );

  test.each(["/nowhere", "/message?sessionId=x"])(
    "with a port that is none is no surprise at %s",
    async (path) => {
      const { status } = await send(open, `POST ${path} HTTP/1.1\r\nHost: localhost:99999999`, "{}");
      expect(status).toBe(404);
    },
  );
});

describe("without the token", () => {
  test.each(["POST /health", "GET /health#/mcp", "GET /health/x", "GET /nowhere", "POST /mcp/..\\health"])(
    "%s says nothing of what is behind",
    async (line) => {
      const { status, body } = await send(guarded, `${line} HTTP/1.1\r\nHost: localhost`);
      expect(status).toBe(401);
      expect(body).not.toContain("healthy");
    },
  );

  test("the health is told", async () => {
    expect((await send(guarded, "GET /health?full HTTP/1.1\r\nHost: localhost")).status).toBe(200);
  });
});

test("a client that leaves in the middle of its body is no bug", async () => {
  const socket = connect({ port: open.port, host: "127.0.0.1" });
  const host = `127.0.0.1:${open.port}`;
  socket.write(
    `POST /mcp HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"js`,
  );
  await waitFor(() => socket.bytesWritten > 100);
  // The gateway has begun to read when it answers what came after.
  await open.isHealthy();
  socket.destroy();
  await waitFor(() => open.isHealthy());
});

test("a body over the limit that only shows on its way is no bug", async () => {
  const size = 17 * 1024 * 1024;
  const host = `127.0.0.1:${open.port}`;
  const socket = connect({ port: open.port, host: "127.0.0.1" });
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once("data", (data) => resolve(data.toString())).on("error", () => {});
  socket.write(
    `POST /mcp HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`,
  );
  socket.write(Buffer.alloc(size, "["));
  expect(await promise).toStartWith("HTTP/1.1 413 ");
  socket.destroy();
});

test("a subscription of a client that takes no stream is refused at once", async () => {
  const params = { notifications: { toolsListChanged: true } };
  const response = await fetch(`${open.url}/mcp/healthy`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      ...modernHeaders("subscriptions/listen", params),
    },
    body: JSON.stringify(modernMessage("subscriptions/listen", params, { id: 7 })),
  });
  expect(response.status).toBe(406);
  expect(await response.json()).toMatchObject({
    id: 7,
    error: { message: expect.stringContaining("Accept") },
  });
});

test("a name that is an object which cannot be text is refused in words", async () => {
  const name = { toString: null };
  const asked = [
    { path: "/mcp", method: "completion/complete", params: { ref: { name }, argument: {} } },
    { path: "/mcp/healthy", method: "prompts/get", params: { name } },
  ];
  for (const { path, method, params } of asked) {
    const response = await fetch(`${open.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...modernHeaders(method, params) },
      body: JSON.stringify(modernMessage(method, params)),
    });
    expect(await response.text()).not.toContain("Internal error");
  }
});
