// One connection to an HTTP server, one request at a time (HTTP/1.1, RFC 9112). Whose turn it is knows its owner.

import type { Socket } from "bun";
import { decoded } from "./decoded-response.ts";
import type { HttpResponse } from "./http-response.ts";
import { ResponseBody } from "./response-body.ts";
import type { ResponseHead } from "./response-head.ts";
import { ResponseParser, type ResponseSink } from "./response-parser.ts";

export interface ConnectionOwner {
  /** It can take another request. */
  freed(connection: HttpConnection): void;
  /** It has closed, from whichever end. */
  gone(connection: HttpConnection): void;
}

/** What a connection was closed with before it was time, named as the system names it. */
class ConnectionResetError extends Error {
  readonly code: string;

  constructor(cause?: unknown) {
    super("the connection was closed", { cause });
    this.code = cause instanceof Error && "code" in cause ? String(cause.code) : "ECONNRESET";
  }
}

interface Exchange {
  readonly signal: AbortSignal;
  readonly answered: PromiseWithResolvers<HttpResponse>;
  body: ResponseBody | undefined;
}

export class HttpConnection implements ResponseSink {
  readonly #owner: ConnectionOwner;
  readonly #parser = new ResponseParser(this);
  readonly #giveUp = (): void => this.#break(this.#exchange?.signal.reason);
  #socket: Socket | undefined;
  #exchange: Exchange | undefined;
  /** What the server has still to read of the request. */
  #rest: Uint8Array | undefined;
  #isClosed = false;
  /** When its last exchange ended, by `performance.now`. */
  freedAtMs = 0;

  private constructor(owner: ConnectionOwner) {
    this.#owner = owner;
  }

  /** Rejects with the system's error. */
  static async open(hostname: string, port: number, owner: ConnectionOwner): Promise<HttpConnection> {
    const connection = new HttpConnection(owner);
    await connection.#connect(hostname, port);
    return connection;
  }

  async #connect(hostname: string, port: number): Promise<void> {
    const socket = {
      open: (opened: Socket) => {
        this.#socket = opened;
      },
      data: (_: Socket, bytes: Buffer) => this.#take(bytes),
      drain: () => void this.#write(this.#rest),
      close: (_: Socket, error?: Error) => this.#closed(error),
      error: ignore, // The close that follows tells of it.
    };
    await Bun.connect({ hostname, port, socket });
  }

  /**
   * Sends a request, whole as it goes on the wire. Rejects with what the connection broke off with, or with the signal's
   * reason. Undefined where nothing of it left, as the server had closed the connection.
   */
  exchange(request: string | Uint8Array, signal: AbortSignal): Promise<HttpResponse> | undefined {
    const exchange: Exchange = { signal, answered: Promise.withResolvers(), body: undefined };
    this.#exchange = exchange;
    this.#parser.begin();
    if (!this.#write(request)) {
      this.#exchange = undefined;
      return undefined;
    }
    signal.addEventListener("abort", this.#giveUp);
    return exchange.answered.promise;
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.close();
  }

  onHead(head: ResponseHead): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const body = new ResponseBody(head, () => this.#letGo(exchange));
    const coding = head.header("content-encoding");
    exchange.answered.resolve(coding === undefined ? body : decoded(body, coding));
    exchange.body = body;
  }

  onBody(bytes: Buffer): void {
    this.#exchange?.body?.take(bytes);
  }

  onEnd(isReusable: boolean): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#endExchange(exchange);
    exchange.body?.end();
    // A server that answers before it has read the request may never read the rest.
    if (!isReusable || this.#rest !== undefined) this.close();
  }

  /** False where the server had closed its end before. */
  #write(bytes: string | Uint8Array | undefined): boolean {
    if (bytes === undefined) return true;
    const taken = this.#socket?.write(bytes) ?? -1;
    if (taken < 0) return false;
    const isText = typeof bytes === "string";
    const length = isText ? Buffer.byteLength(bytes) : bytes.length;
    this.#rest = taken < length ? (isText ? Buffer.from(bytes) : bytes).subarray(taken) : undefined;
    return true;
  }

  #take(bytes: Buffer): void {
    const isBusy = this.#exchange !== undefined;
    try {
      this.#parser.push(bytes);
    } catch (error) {
      return this.#break(error);
    }
    if (!isBusy || this.#exchange !== undefined || this.#isClosed) return;
    this.freedAtMs = performance.now();
    this.#owner.freed(this);
  }

  #closed(error: unknown): void {
    this.#isClosed = true;
    if (error !== undefined || !this.#parser.end()) this.#break(new ConnectionResetError(error));
    this.#owner.gone(this);
  }

  #letGo(exchange: Exchange): void {
    if (this.#exchange !== exchange) return;
    this.#endExchange(exchange);
    this.close();
  }

  #break(error: unknown): void {
    const exchange = this.#exchange;
    if (exchange !== undefined) {
      this.#endExchange(exchange);
      if (exchange.body === undefined) exchange.answered.reject(error);
      else exchange.body.fail(error);
    }
    this.close();
  }

  #endExchange({ signal }: Exchange): void {
    this.#exchange = undefined;
    signal.removeEventListener("abort", this.#giveUp);
  }
}

function ignore(): void {
  return;
}
