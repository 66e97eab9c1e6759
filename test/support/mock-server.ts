// An HTTP server of a few lines for each test: it keeps what it was asked, and answers as the test says.

import type { Json } from "../../src/protocol/jsonrpc.ts";

/** One request as it came in. */
export interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly text: string;
  /** The message of a POST; empty for the other methods. */
  readonly body: Json;
  /** Aborted when the client let go of the response. */
  readonly signal: AbortSignal;
}

export type Respond = (seen: Seen) => Response | Promise<Response>;

export class MockServer implements AsyncDisposable {
  readonly seen: Seen[] = [];
  readonly #server: Bun.Server<undefined>;

  private constructor(server: Bun.Server<undefined>) {
    this.#server = server;
  }

  static start(respond: Respond): MockServer {
    const server: Bun.Server<undefined> = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      fetch: async (request) => {
        const text = await request.text();
        const body: Json = text.startsWith("{") ? JSON.parse(text) : {};
        const { method, headers, signal } = request;
        const seen = { method, url: new URL(request.url), headers, text, body, signal };
        mock.seen.push(seen);
        return respond(seen);
      },
    });
    const mock = new MockServer(server);
    return mock;
  }

  get origin(): string {
    return this.#server.url.origin;
  }

  get url(): string {
    return `${this.origin}/mcp`;
  }

  of(method: string): Seen[] {
    return this.seen.filter((seen) => seen.method === method);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}

export function json(value: unknown, init?: ResponseInit): Response {
  return Response.json(value, init);
}

export function answer(seen: Seen, result: Json = {}): Json {
  return { jsonrpc: "2.0", id: seen.body.id, result };
}

export function failure(id: unknown, code: number, message: string): Json {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

/** One event as text. */
export function sse(message: unknown, fields = ""): string {
  return `${fields}data: ${JSON.stringify(message)}\n\n`;
}

export type Write = (piece: string | Uint8Array) => Promise<void>;

const EVENT_STREAM = { "Content-Type": "text/event-stream; charset=utf-8" };

/** An event stream that a function writes; it ends when the function returns. */
export function eventStream(
  script: (write: Write) => Promise<void> | void,
  headers: Record<string, string> = {},
): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      try {
        await script(async (piece) => {
          controller.enqueue(typeof piece === "string" ? encoder.encode(piece) : piece);
          await Bun.sleep(0);
        });
        controller.close();
      } catch (error) {
        controller.error(error);
      }
    },
  });
  return new Response(body, { headers: { ...EVENT_STREAM, ...headers } });
}

/** An event stream of these pieces, ended at once. */
export function events(...pieces: string[]): Response {
  return new Response(pieces.join(""), { headers: EVENT_STREAM });
}

/** A promise that a test resolves when it is time. */
export function gate(): PromiseWithResolvers<void> {
  return Promise.withResolvers<void>();
}

/** A server that says exactly these bytes to every request and closes the connection, `after` a promise if need be. */
export function rawServer(
  bytes: string | ((request: string) => string),
  after: "end" | "reset" | ((reply: string) => Promise<unknown>),
): RawServer {
  const requests: string[] = [];
  const server = Bun.listen({
    port: 0,
    hostname: "127.0.0.1",
    socket: {
      async data(socket, data) {
        requests.push(data.toString());
        const reply = typeof bytes === "string" ? bytes : bytes(data.toString());
        socket.write(reply);
        socket.flush();
        if (typeof after === "function") await after(reply);
        if (after === "reset") socket.terminate();
        else socket.end();
      },
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/mcp`,
    requests,
    [Symbol.dispose]: () => server.stop(true),
  };
}

/** The bytes of a response with a whole body. */
export function rawResponse(status: number, type: string, body: string): string {
  const length = Buffer.byteLength(body);
  return `HTTP/1.1 ${status} Mock\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

/** The bytes of an event stream that is cut off, when the server closes the connection after them. */
export function rawBrokenStream(text: string): string {
  const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  return `${head}${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

export interface RawServer extends Disposable {
  readonly url: string;
  readonly requests: string[];
}

/** Answers everything with an empty result, notifications with 202, and gives a session to whoever shakes hands. */
export function polite(seen: Seen): Response {
  if (seen.method === "DELETE") return new Response(null, { status: 204 });
  if (seen.method === "GET") return new Response(null, { status: 405 });
  if (seen.body.id === undefined) return new Response(null, { status: 202 });
  const headers: Record<string, string> =
    seen.body.method === "initialize" ? { "Mcp-Session-Id": "s-1" } : {};
  return json(answer(seen), { headers });
}
