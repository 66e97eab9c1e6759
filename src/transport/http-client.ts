// What sends HTTP requests for an endpoint, and gives its responses: fetch, or sockets of our own.

import type { HttpResponse } from "./http-response.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Of the endpoint's own origin; the configured URL unless told. */
  readonly url?: URL;
  /** All of them, as `HttpEndpoint.headers` makes them; the same object may serve many requests. */
  readonly headers: Headers;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** True if the request is harmless twice: it is sent again if the connection is lost before a response. */
  readonly isHarmless?: boolean;
}

export interface HttpClient {
  /**
   * Sends one request and gives the response of whatever status, once its head has come. Follows no redirect, sends nothing
   * twice, and waits as long as it takes: the request's signal is the only deadline. Rejects with an error whose `code`
   * says what failed.
   */
  send(url: URL, request: HttpRequest): Promise<HttpResponse>;
  /** Closes what is idle; what is under way ends by its own signal. */
  close(): void;
}
