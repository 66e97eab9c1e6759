// One configured URL: its sockets, its headers, and the rules that every request to it keeps. It knows nothing of MCP.

import { isLoopback } from "../config/addresses.ts";
import type { UrlConfig } from "../config/config.ts";
import { untilAborted } from "../protocol/cancellation.ts";
import { Header } from "../protocol/mcp.ts";
import { VERSION } from "../version.ts";
import { FetchClient } from "./fetch-client.ts";
import type { HttpClient, HttpRequest } from "./http-client.ts";
import { explainFailure, isConnectionLost } from "./http-failure.ts";
import type { HttpResponse } from "./http-response.ts";
import { retryAfterMs } from "./retry-after.ts";
import { SocketClient } from "./socket-client.ts";
import { SendError, StartError } from "./transport.ts";

/** Who gets the response to a request, or hears that there is none. */
export interface ResponseTaker<Taken> {
  take(response: HttpResponse): Taken | Promise<Taken>;
  missed(): void;
}

const WHOEVER_ASKED: ResponseTaker<HttpResponse> = {
  take: (response) => response,
  missed: () => undefined,
};

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Statuses after which a request may be sent again: redirects, and those with `Retry-After`. */
const NOT_FINAL: ReadonlySet<number> = new Set([...REDIRECTS, 429, 503]);
/** How often a harmless request is sent at most, if the connection is lost each time before a response. */
const MAX_SENDS = 3;

export interface EndpointOptions {
  /** The longest wait (Retry-After) that is kept; a longer one is an error. Default: no wait. */
  readonly maxRetryAfterMs?: number;
  /** The ids of the gateways that a request has passed, for the header. */
  readonly via?: (() => string) | undefined;
  readonly onWait?: (what: string, waitMs: number) => void;
}

export class HttpEndpoint implements Disposable {
  /** As configured, less a user and password in it: those go into the Authorization header. */
  readonly url: URL;
  readonly #headers: Headers;
  readonly #client: HttpClient;
  readonly #options: EndpointOptions;

  /** Throws a permanent StartError where the settings can never make a request. */
  constructor(config: UrlConfig, options: EndpointOptions = {}) {
    this.#options = options;
    this.#headers = readHeaders(config.headers);
    this.url = readUrl(config.url);
    moveCredentials(this.url, this.#headers);
    if (!this.#headers.has("user-agent")) this.#headers.set("user-agent", `mcp-gateway/${VERSION}`);
    this.#client = clientFor(this.url);
  }

  /** The configured headers and these, which win. */
  headers(own: Readonly<Record<string, string>>): Headers {
    const all = new Headers(this.#headers);
    for (const [name, value] of Object.entries(own)) all.set(name, value);
    if (this.#options.via !== undefined) all.set(Header.via, this.#options.via());
    return all;
  }

  /**
   * Sends one request and returns the response, of any status, after its head has arrived. Follows redirects within the
   * origin, and waits once if the server asks for it (Retry-After). The caller's signal is the only deadline.
   * Rejects with SendError.
   */
  request(request: HttpRequest): Promise<HttpResponse> {
    return this.exchange(request, WHOEVER_ASKED);
  }

  /** The same, and resolves to what is made of the response. */
  exchange<Taken>(request: HttpRequest, taker: ResponseTaker<Taken>): Promise<Taken> {
    const url = request.url ?? this.url;
    return this.#client.send(url, request).then(
      (response) =>
        NOT_FINAL.has(response.status)
          ? this.#exchangeFurther(this.#follow(response, url, request), taker)
          : taker.take(response),
      (error: unknown) => this.#exchangeFurther(this.#sendAgain(error, url, request), taker),
    );
  }

  #exchangeFurther<Taken>(last: Promise<HttpResponse>, taker: ResponseTaker<Taken>): Promise<Taken> {
    return last.then(
      (response) => taker.take(response),
      (error: unknown) => {
        taker.missed();
        throw error;
      },
    );
  }

  async #sendAgain(first: unknown, url: URL, request: HttpRequest): Promise<HttpResponse> {
    let error = first;
    for (let sends = 1; sends < MAX_SENDS; sends++) {
      if (request.isHarmless !== true || request.signal.aborted || !isConnectionLost(error)) break;
      try {
        return await this.#follow(await this.#client.send(url, request), url, request);
      } catch (thrown) {
        if (thrown instanceof SendError) throw thrown;
        error = thrown;
      }
    }
    throw this.#failure(error, url, request);
  }

  async #follow(first: HttpResponse, firstUrl: URL, request: HttpRequest): Promise<HttpResponse> {
    let url = firstUrl;
    let response = first;
    let hasWaited = false;
    for (let hops = 0; ; hops++) {
      if (REDIRECTS.has(response.status)) {
        const target = this.#redirect(response, url, request, hops);
        if (target === undefined) return response;
        url = target;
      } else {
        const waitMs = hasWaited ? undefined : this.#waitMs(response);
        if (waitMs === undefined) return response;
        hasWaited = true;
        this.#options.onWait?.(describeRequest(request.method, url), waitMs);
        response.cancel();
        await untilAborted(Bun.sleep(waitMs), request.signal);
      }
      response = await this.#send(url, request);
    }
  }

  async #send(url: URL, request: HttpRequest): Promise<HttpResponse> {
    try {
      return await this.#client.send(url, request);
    } catch (error) {
      throw this.#failure(error, url, request);
    }
  }

  /** How long to wait before the request is sent again; undefined if the response is final. */
  #waitMs(response: HttpResponse): number | undefined {
    const waitMs = retryAfterMs(response);
    return waitMs !== undefined && waitMs <= (this.#options.maxRetryAfterMs ?? -1) ? waitMs : undefined;
  }

  /** The target of a redirect; undefined if it names none. Throws SendError if it must not be followed. */
  #redirect(response: HttpResponse, from: URL, { method }: HttpRequest, hops: number): URL | undefined {
    const location = response.header("location");
    if (location === undefined) return undefined;
    response.cancel();
    const { status } = response;
    const what = `${describeRequest(method, from)} was answered with a redirect (${status})`;
    const refused = (why: string) => new SendError(`${what} ${why}`, { maybeDelivered: false, status });
    if (hops >= MAX_REDIRECTS) {
      throw refused(`after ${MAX_REDIRECTS} others; the server seems to send it in a circle.`);
    }
    if (status === 303 && method !== "GET") {
      throw refused("that turns it into a GET, which loses the message. Check http_url.");
    }
    return this.#sameOrigin(location, from, refused);
  }

  /** Frees the idle sockets; what is under way ends by its own signal. */
  [Symbol.dispose](): void {
    this.#client.close();
  }

  #failure(error: unknown, url: URL, { method, signal }: HttpRequest): SendError {
    const what = describeRequest(method, url);
    if (signal.aborted) return new SendError(`${what} was given up.`, { maybeDelivered: true, cause: error });
    const { reason, maybeDelivered } = explainFailure(error);
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

/** A proxy from the environment cannot reach this machine's own loopback. */
function clientFor(url: URL): HttpClient {
  const isNear = isLoopback(url.hostname);
  return isNear && url.protocol === "http:"
    ? new SocketClient(url)
    : new FetchClient({ mayUseProxy: !isNear });
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
