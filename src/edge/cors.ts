// The headers that let pages of other origins use the gateway in a browser (CORS, https://fetch.spec.whatwg.org). Only for
// origins that the guard has accepted.

const METHODS = "GET, POST, DELETE";
const REQUEST_HEADERS = [
  "accept",
  "authorization",
  "content-type",
  "last-event-id",
  "mcp-method",
  "mcp-name",
  "mcp-protocol-version",
  "mcp-session-id",
];
const RESPONSE_HEADERS = "Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After, Allow";
/** In seconds. Chromium keeps an answer for two hours at most. */
const MAX_AGE = 7_200;
/** Headers of tool parameters: each tool defines their names. */
const PARAM_HEADER = /^mcp-param-[\w!#$%&'*+.^`|~-]+$/;

/** A browser asks whether it may send a request. Only the request that follows carries credentials. */
export function isPreflight({ method, headers }: Request): boolean {
  return method === "OPTIONS" && headers.has("origin") && headers.has("access-control-request-method");
}

export function answerPreflight(headers: Headers): Response {
  const asked = (headers.get("access-control-request-headers") ?? "").toLowerCase().split(",");
  const params = asked.map((name) => name.trim()).filter((name) => PARAM_HEADER.test(name));
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": METHODS,
      "access-control-allow-headers": [...REQUEST_HEADERS, ...params].join(", "),
      "access-control-max-age": String(MAX_AGE),
      // A page from the network may use a gateway on this machine (Private Network Access).
      ...(headers.get("access-control-request-private-network") === "true"
        ? { "access-control-allow-private-network": "true" }
        : {}),
    },
  });
}

/** Lets the page read the response. */
export function allowOrigin(response: Response, origin: string): Response {
  response.headers.set("access-control-allow-origin", origin);
  response.headers.set("access-control-expose-headers", RESPONSE_HEADERS);
  response.headers.append("vary", "Origin");
  return response;
}
