// A server on bare sockets: it reads HTTP requests, and answers each with exactly the bytes that the test says.

import type { Socket } from "bun";
import { waitFor } from "./wait-for.ts";

export interface RawRequest {
  readonly line: string;
  readonly headers: Headers;
  readonly body: string;
}

/** What is written; at the end of it `close` closes the connection. */
export type RawReply = (request: RawRequest, count: number) => string | Buffer;

const CLOSE = "close";

export class RawPeer implements Disposable {
  readonly requests: RawRequest[] = [];
  /** Connections there have been, and those that are open. */
  opened = 0;
  readonly #sockets = new Set<Socket<undefined>>();
  readonly #received = new Map<Socket<undefined>, Buffer>();
  readonly #unsent = new Map<Socket<undefined>, Buffer>();
  readonly #server: Bun.TCPSocketListener;
  readonly #reply: RawReply;

  private constructor(reply: RawReply) {
    this.#reply = reply;
    this.#server = Bun.listen<undefined>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          this.opened++;
          this.#sockets.add(socket);
        },
        data: (socket, bytes) => this.#take(socket, bytes),
        drain: (socket) => this.#write(socket, this.#unsent.get(socket) ?? Buffer.alloc(0)),
        close: (socket) => void this.#sockets.delete(socket),
      },
    });
  }

  static start(reply: RawReply): RawPeer {
    return new RawPeer(reply);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}/`;
  }

  get open(): number {
    return this.#sockets.size;
  }

  /** Writes to all connections. */
  say(text: string): void {
    for (const socket of this.#sockets) socket.write(text);
  }

  /** Resolves when the clients can have seen it: a connection that was closed after theirs knows. */
  async closeAll(): Promise<void> {
    const before = this.opened;
    const closed = Promise.withResolvers<void>();
    const witness = { close: () => closed.resolve(), data: () => undefined };
    await Bun.connect({ hostname: "127.0.0.1", port: this.#server.port, socket: witness });
    await waitFor(() => this.opened > before, { what: "the witness to be connected" });
    this.opened = before;
    for (const socket of [...this.#sockets]) socket.end();
    await closed.promise;
    await new Promise((resolve) => setImmediate(resolve)); // Whatever came together with it.
  }

  [Symbol.dispose](): void {
    this.#server.stop(true);
  }

  #take(socket: Socket<undefined>, bytes: Buffer): void {
    const received = Buffer.concat([this.#received.get(socket) ?? Buffer.alloc(0), bytes]);
    this.#received.set(socket, received);
    const end = received.indexOf("\r\n\r\n");
    if (end === -1) return;
    const [line = "", ...fields] = received.toString("latin1", 0, end).split("\r\n");
    const headers = new Headers(fields.map((field) => field.split(/:\s*(.*)/s, 2) as [string, string]));
    const length = Number(headers.get("content-length") ?? 0);
    const body = received.subarray(end + 4);
    if (body.length < length) return;
    this.#received.delete(socket);
    const request = { line, headers, body: body.toString() };
    this.requests.push(request);
    this.#write(socket, Buffer.from(this.#reply(request, this.requests.length)));
  }

  #write(socket: Socket<undefined>, bytes: Buffer): void {
    const closes = bytes.subarray(-CLOSE.length).toString() === CLOSE;
    const text = closes ? bytes.subarray(0, -CLOSE.length) : bytes;
    const taken = Math.max(0, socket.write(text));
    if (taken < text.length) return void this.#unsent.set(socket, bytes.subarray(taken));
    this.#unsent.delete(socket);
    if (closes) socket.end();
  }
}
