// One keep-alive connection of the measuring client: raw bytes, one exchange at a time. Knows no MCP.

import type { Socket } from "bun";
import { type Reply, ResponseReader } from "./http-response.ts";

export class Wire {
  readonly #reader = new ResponseReader();
  #socket: Socket | undefined;
  #waiting: PromiseWithResolvers<Reply> | undefined;
  /** What the socket would not take yet. */
  #unsent: Buffer | undefined;
  #failure: Error | undefined;

  static async connect(port: number): Promise<Wire> {
    const wire = new Wire();
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, data) => wire.#receive(data),
        drain: () => wire.#sendRest(),
        close: () => wire.#fail(new Error("the connection was closed")),
        error: (_socket, error) => wire.#fail(error),
      },
    });
    socket.setNoDelay(true);
    wire.#attach(socket);
    return wire;
  }

  /** Sends one request and waits for its reply. */
  exchange(request: string): Promise<Reply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const waiting = Promise.withResolvers<Reply>();
    this.#waiting = waiting;
    const sent = this.#socket?.write(request) ?? 0;
    if (sent < request.length) {
      // Requests are ASCII, so characters are bytes.
      this.#unsent = Buffer.from(request.slice(Math.max(0, sent)), "latin1");
    }
    return waiting.promise;
  }

  close(): void {
    this.#failure ??= new Error("closed by the client");
    this.#socket?.end();
  }

  #attach(socket: Socket): void {
    this.#socket = socket;
  }

  #receive(data: Buffer): void {
    try {
      const reply = this.#reader.push(data);
      if (reply !== undefined) this.#waiting?.resolve(reply);
    } catch (thrown) {
      this.#fail(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }

  #sendRest(): void {
    if (this.#unsent === undefined || this.#socket === undefined) return;
    const sent = this.#socket.write(this.#unsent);
    this.#unsent = sent < this.#unsent.length ? this.#unsent.subarray(Math.max(0, sent)) : undefined;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
  }
}
