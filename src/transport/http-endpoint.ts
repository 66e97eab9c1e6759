// One configured URL: its sockets, its headers, and the rules that every request to it keeps. It knows nothing of MCP.

import { isLoopback } from "../config/addresses.ts";
import type { UrlConfig } from "../config/config.ts";
import { SendError, StartError } from "./transport.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Of the endpoint's own origin; the configured URL unless told. */
  readonly url?: URL;
  /** All of them, as `HttpEndpoint.headers` makes them; the same object may serve many requests. */
  readonly headers: Headers;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** Who gets the response to a request, or hears that there is none. */
export interface ResponseTaker<Taken> {
  take(response: Response): Taken | Promise<Taken>;
  missed(): void;
}

const WHOEVER_ASKED: ResponseTaker<Response> = {
  take: (response) => response,
  missed: () => undefined,
};

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const IDLE_SOCKET_SECONDS = 30;

export class HttpEndpoint implements Disposable {
  /** As configured, less a user and password in it: those go into the Authorization header. */
  readonly url: URL;
  readonly #href: string;
  readonly #headers: Headers;
  // A pool of its own: sockets are reused by this backend alone, and closed with it.
  readonly #pool: Bun.FetchSession;

  /** Throws a permanent StartError where the settings can never make a request. */
  constructor(config: UrlConfig) {
    this.#headers = readHeaders(config.headers);
    this.url = readUrl(config.url);
    moveCredentials(this.url, this.#headers);
    this.#href = this.url.href;
    this.#pool = new Bun.FetchSession({
      keepAlive: { idleTimeout: IDLE_SOCKET_SECONDS },
      // A proxy from the environment cannot reach this machine's own loopback.
      proxy: isLoopback(this.url.hostname) ? false : undefined,
    });
  }

  /** The configured headers and these, which win. */
  headers(own: Readonly<Record<string, string>>): Headers {
    const all = new Headers(this.#headers);
    for (const [name, value] of Object.entries(own)) all.set(name, value);
    return all;
  }

  /**
   * Sends one request and gives the response of whatever status, once its head has come, redirects within the origin
   * followed. Waits as long as it takes: the caller's signal is the only deadline. Rejects with SendError.
   */
  request(request: HttpRequest): Promise<Response> {
    return this.exchange(request, WHOEVER_ASKED);
  }

  /** The same, and resolves to what is made of the response. */
  exchange<Taken>(request: HttpRequest, taker: ResponseTaker<Taken>): Promise<Taken> {
    const url = request.url ?? this.url;
    return this.#fetch(request.url?.href ?? this.#href, request).then(
      (response) =>
        REDIRECTS.has(response.status)
          ? this.#exchangeFurther(response, url, request, taker)
          : taker.take(response),
      (error: unknown) => {
        taker.missed();
        throw this.#failure(error, url, request);
      },
    );
  }

  #exchangeFurther<Taken>(
    response: Response,
    url: URL,
    request: HttpRequest,
    taker: ResponseTaker<Taken>,
  ): Promise<Taken> {
    return this.#follow(response, url, request).then(
      (last) => taker.take(last),
      (error: unknown) => {
        taker.missed();
        throw error;
      },
    );
  }

  async #follow(first: Response, firstUrl: URL, request: HttpRequest): Promise<Response> {
    let url = firstUrl;
    let response = first;
    for (let hops = 0; ; hops++) {
      const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
      if (location === null) return response;
      await response.body?.cancel();
      const what = `${describeRequest(request.method, url)} was answered with a redirect (${response.status})`;
      const refused = (why: string) =>
        new SendError(`${what} ${why}`, { maybeDelivered: false, status: response.status });
      if (hops === MAX_REDIRECTS)
        throw refused(`after ${MAX_REDIRECTS} others; the server seems to send it in a circle.`);
      if (response.status === 303 && request.method !== "GET") {
        throw refused("that turns it into a GET, which loses the message. Check http_url.");
      }
      url = this.#sameOrigin(location, url, refused);
      response = await this.#fetch(url.href, request).catch((error: unknown) => {
        throw this.#failure(error, url, request);
      });
    }
  }

  /** Frees the idle sockets; what is under way ends by its own signal. */
  [Symbol.dispose](): void {
    this.#pool.close();
  }

  #fetch(url: string, { method, headers, body, signal }: HttpRequest): Promise<Response> {
    // `timeout: false` lifts Bun's own limit on silence (5 min), which would cut long calls and quiet streams.
    return body === undefined
      ? this.#pool.fetch(url, { method, headers, signal, redirect: "manual", timeout: false })
      : this.#pool.fetch(url, { method, headers, body, signal, redirect: "manual", timeout: false });
  }

  #failure(error: unknown, url: URL, { method, signal }: HttpRequest): SendError {
    const what = describeRequest(method, url);
    if (signal.aborted) return new SendError(`${what} was given up.`, { maybeDelivered: true, cause: error });
    const { reason, maybeDelivered } = explain(error);
    return new SendError(`${what} failed: ${reason}`, { maybeDelivered, cause: error });
  }

  /** Where a redirect leads. The headers of a backend, tokens among them, never go to another origin. */
  #sameOrigin(location: string, base: URL, refused: (why: string) => SendError): URL {
    const target = URL.parse(location, base.href);
    if (target === null) throw refused("to something that is no URL.");
    if (target.origin === this.url.origin) {
      target.username = "";
      target.password = "";
      return target;
    }
    throw refused(
      `to another origin, ${target.origin}. It was not followed, as the headers of this backend must not go there. ` +
        "If that is the right place, put it into http_url.",
    );
  }
}

/** A request for people: the query is left out, as some servers want a key there. */
export function describeRequest(method: string, url: URL): string {
  return `${method} ${url.origin}${url.pathname}`;
}

export function mediaType(response: Response): string {
  return (response.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

export function isEventStream(response: Response): boolean {
  return mediaType(response) === "text/event-stream";
}

function readUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new StartError({ reason: "http_url is no http:// or https:// URL", permanent: true });
}

function readHeaders(configured: Readonly<Record<string, string>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(configured)) {
    try {
      headers.set(name, value);
    } catch (cause) {
      const reason = `the header "${name}" has a name or a value that HTTP cannot carry (a line break, say)`;
      throw new StartError({ reason, permanent: true }, { cause });
    }
  }
  return headers;
}

/** A configured Authorization header wins over credentials in the URL. */
function moveCredentials(url: URL, headers: Headers): void {
  const { username, password } = url;
  if (username === "" && password === "") return;
  url.username = "";
  url.password = "";
  if (headers.has("authorization")) return;
  const pair = `${percentDecode(username)}:${percentDecode(password)}`;
  headers.set("authorization", `Basic ${Buffer.from(pair).toString("base64")}`);
}

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A bare "%" is legal in a URL and means itself.
  }
}

interface Explanation {
  readonly reason: string;
  readonly maybeDelivered: boolean;
}

const NO_ROUTE = "there is no way to that host. Check the network and http_url.";
const NOT_RESOLVED = "the host name cannot be resolved. Check the network and http_url.";

/** Failures from before a byte of the request could have left. */
const BEFORE_SENDING: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing listens there. Start the server, or correct http_url."],
  ["ENOTFOUND", NOT_RESOLVED],
  ["EAI_AGAIN", NOT_RESOLVED],
  ["EHOSTUNREACH", NO_ROUTE],
  ["ENETUNREACH", NO_ROUTE],
  ["EPROTO", "the TLS handshake failed. Does that port speak TLS (https), or plain http?"],
]);

const CERTIFICATE_CODE = /CERT|ISSUER|SIGNATURE|ERR_TLS/;

function explain(error: unknown): Explanation {
  const code = failureCode(error);
  const early = BEFORE_SENDING.get(code);
  if (early !== undefined) return { reason: `${early} (${code})`, maybeDelivered: false };
  if (CERTIFICATE_CODE.test(code)) {
    return { reason: `the server's TLS certificate is not trusted (${code}).`, maybeDelivered: false };
  }
  if (code === "ECONNRESET") {
    return { reason: "the connection was closed before an answer came. (ECONNRESET)", maybeDelivered: true };
  }
  if (code === "Malformed_HTTP_Response") {
    return { reason: "what answered does not speak HTTP. Check http_url.", maybeDelivered: true };
  }
  return { reason: `${code}.`, maybeDelivered: true };
}

/** What a connection failed with, in one word; Bun's own sentences may hold the URL, and with it a key. */
export function failureCode(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
