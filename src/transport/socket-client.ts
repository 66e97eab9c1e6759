// Requests to one server on this machine, by sockets of our own: fetch hands each to another thread and back, which over
// loopback is a quarter of a small call's processor time. Knows plain HTTP only: no TLS, no proxies; asks for no compression.

import { withoutBrackets } from "../config/addresses.ts";
import type { HttpClient, HttpRequest } from "./http-client.ts";
import { type ConnectionOwner, HttpConnection } from "./http-connection.ts";
import type { HttpResponse } from "./http-response.ts";

/** Shorter than servers keep theirs (5 s in Node.js): what is sent as they close is lost. Up to twice as long in all. */
const IDLE_MS = 1_500;
const HTTP_PORT = 80;

/** What is for us alone to say. */
const OURS: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

class ClosedAtOnceError extends Error {
  readonly code = "ECONNABORTED";

  constructor() {
    super("the connection was closed as soon as it was open");
  }
}

/** A request up to the length of its body, which many have in common. */
interface Prefix {
  readonly url: URL;
  readonly method: string;
  readonly text: string;
  readonly isAscii: boolean;
}

export class SocketClient implements HttpClient, ConnectionOwner {
  readonly #hostname: string;
  readonly #port: number;
  readonly #idleMs: number;
  /** The one that was used last comes last. */
  readonly #idle: HttpConnection[] = [];
  /** So many of them, from the start on, have not been used since the last look. */
  #untouched = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The last one with these headers. */
  readonly #prefixes = new WeakMap<Headers, Prefix>();
  #isClosed = false;

  /** All requests go to the origin of this URL. */
  constructor({ hostname, port }: URL, idleMs = IDLE_MS) {
    this.#idleMs = idleMs;
    this.#hostname = withoutBrackets(hostname);
    this.#port = port === "" ? HTTP_PORT : Number(port);
  }

  send(url: URL, request: HttpRequest): Promise<HttpResponse> {
    const { signal } = request;
    if (signal.aborted) return Promise.reject(signal.reason);
    const wire = toWire(this.#prefix(url, request), request.body);
    for (let idle = this.#takeIdle(); idle !== undefined; idle = this.#takeIdle()) {
      const answer = idle.exchange(wire, signal);
      if (answer !== undefined) return answer;
    }
    return this.#sendOnNew(wire, signal);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const connection of [...this.#idle]) connection.close();
  }

  freed(connection: HttpConnection): void {
    if (this.#isClosed) return connection.close();
    this.#idle.push(connection);
    this.#timer ??= setInterval(() => this.#closeUntouched(), this.#idleMs).unref();
  }

  gone(connection: HttpConnection): void {
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  #takeIdle(): HttpConnection | undefined {
    const connection = this.#idle.pop();
    this.#untouched = Math.min(this.#untouched, this.#idle.length);
    if (connection === undefined || performance.now() - connection.freedAtMs < 2 * this.#idleMs)
      return connection;
    // We stood still for so long that we have not even heard of the server closing it.
    connection.close();
    return this.#takeIdle();
  }

  #closeUntouched(): void {
    for (const connection of this.#idle.slice(0, this.#untouched)) connection.close();
    this.#untouched = this.#idle.length;
    if (this.#untouched > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #sendOnNew(wire: string | Uint8Array, signal: AbortSignal): Promise<HttpResponse> {
    const connection = await this.#open(signal);
    const answer = signal.aborted ? undefined : connection.exchange(wire, signal);
    if (answer !== undefined) return answer;
    connection.close();
    throw signal.aborted ? signal.reason : new ClosedAtOnceError();
  }

  async #open(signal: AbortSignal): Promise<HttpConnection> {
    const aborted = Promise.withResolvers<never>();
    const giveUp = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", giveUp);
    const opening = HttpConnection.open(this.#hostname, this.#port, this);
    try {
      return await Promise.race([opening, aborted.promise]);
    } catch (error) {
      opening.then((connection) => connection.close()).catch(() => undefined); // It did not open: told already.
      throw error;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  /** Most requests differ in their bodies only. */
  #prefix(url: URL, { method, headers }: HttpRequest): Prefix {
    const last = this.#prefixes.get(headers);
    if (last?.url === url && last.method === method) return last;
    let text = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n`;
    if (!headers.has("host")) text += `host: ${url.host}\r\n`;
    for (const [name, value] of headers) if (!OURS.has(name)) text += `${name}: ${value}\r\n`;
    text += "accept-encoding: identity\r\n";
    const prefix = { url, method, text, isAscii: /^[\0-\x7f]*$/.test(text) };
    this.#prefixes.set(headers, prefix);
    return prefix;
  }
}

/** Headers are Latin-1, the body is UTF-8. */
function toWire({ text, isAscii }: Prefix, body: string | undefined): string | Uint8Array {
  if (body === undefined) return isAscii ? `${text}\r\n` : Buffer.from(`${text}\r\n`, "latin1");
  const head = `${text}content-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return isAscii ? head + body : Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(body)]);
}
