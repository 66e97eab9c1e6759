// One configured URL: its sockets, its headers, and the rules that every request to it keeps. It knows nothing of MCP.

import { isLoopback } from "../config/addresses.ts";
import type { UrlConfig } from "../config/config.ts";
import { VERSION } from "../version.ts";
import { FetchClient } from "./fetch-client.ts";
import type { HttpClient, HttpRequest } from "./http-client.ts";
import { explainFailure } from "./http-failure.ts";
import type { HttpResponse } from "./http-response.ts";
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

export class HttpEndpoint implements Disposable {
  /** As configured, less a user and password in it: those go into the Authorization header. */
  readonly url: URL;
  readonly #headers: Headers;
  readonly #client: HttpClient;

  /** Throws a permanent StartError where the settings can never make a request. */
  constructor(config: UrlConfig) {
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
    return all;
  }

  /**
   * Sends one request and gives the response of whatever status, once its head has come, redirects within the origin
   * followed. Waits as long as it takes: the caller's signal is the only deadline. Rejects with SendError.
   */
  request(request: HttpRequest): Promise<HttpResponse> {
    return this.exchange(request, WHOEVER_ASKED);
  }

  /** The same, and resolves to what is made of the response. */
  exchange<Taken>(request: HttpRequest, taker: ResponseTaker<Taken>): Promise<Taken> {
    const url = request.url ?? this.url;
    return this.#client.send(url, request).then(
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
    response: HttpResponse,
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

  async #follow(first: HttpResponse, firstUrl: URL, request: HttpRequest): Promise<HttpResponse> {
    let url = firstUrl;
    let response = first;
    for (let hops = 0; ; hops++) {
      const location = REDIRECTS.has(response.status) ? response.header("location") : undefined;
      if (location === undefined) return response;
      response.cancel();
      const what = `${describeRequest(request.method, url)} was answered with a redirect (${response.status})`;
      const refused = (why: string) =>
        new SendError(`${what} ${why}`, { maybeDelivered: false, status: response.status });
      if (hops === MAX_REDIRECTS)
        throw refused(`after ${MAX_REDIRECTS} others; the server seems to send it in a circle.`);
      if (response.status === 303 && request.method !== "GET") {
        throw refused("that turns it into a GET, which loses the message. Check http_url.");
      }
      url = this.#sameOrigin(location, url, refused);
      response = await this.#client.send(url, request).catch((error: unknown) => {
        throw this.#failure(error, url, request);
      });
    }
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
