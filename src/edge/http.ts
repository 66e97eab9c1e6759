// The HTTP edge: what each route serves, with the guard in front of it, and limits. The only file that knows Elysia, which
// owns the server. It does not know what is behind a route.

import { Elysia } from "elysia";
import type { Via } from "../backend/via.ts";
import { isLoopback } from "../config/addresses.ts";
import type { Log } from "../log.ts";
import type { GatewayStatus, RestartReply } from "../ops/status.ts";
import type { Target } from "../target/target.ts";
import { allowOrigin, answerPreflight, isPreflight } from "./cors.ts";
import type { Access, Guard, Refusal } from "./guard.ts";
import type { SseEdge } from "./http-sse.ts";
import { failure } from "./legacy.ts";
import type { McpEdge } from "./mcp.ts";
import { forwardedPrefix, prefixOf } from "./prefix.ts";
import { RefusalLog } from "./refusal-log.ts";
import { ROUTES, type Route, type RoutePath } from "./routes.ts";

/** A larger body is refused with 413 before it is read. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** For a head, and for a small body, from their beginning to their end. Answers and streams have no such limit. */
const IDLE_TIMEOUT_S = 30;
/** After a gateway was killed, a child that it was just starting has the port open for a moment more. */
const PORT_RELEASE_MS = 1_000;
const PORT_POLL_MS = 50;

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  readonly guard: Guard;
  readonly mcp: McpEdge;
  readonly sse: SseEdge;
  readonly log: Log;
  /** Knows the requests of this gateway's own backends. */
  readonly via: Via;
  /** As clients beyond a reverse proxy know the gateway. */
  readonly publicUrl: string | undefined;
  /** The target of `/mcp`. */
  readonly root: Target;
  /** The target of `/mcp/{backend}`, or undefined for an unknown name. */
  readonly backend: (name: string) => Target | undefined;
  readonly backendNames: () => readonly string[];
  readonly health: (isFull: boolean) => object;
  readonly metrics: () => Promise<{ readonly body: string; readonly contentType: string }>;
  readonly status: () => Promise<GatewayStatus>;
  /** Undefined for an unknown name. */
  readonly restart: (backend: string) => Promise<RestartReply | undefined>;
}

export interface HttpServer extends AsyncDisposable {
  readonly port: number;
  /** Takes no new connection; those that are open go on until disposal. */
  stopListening(): void;
}

/** Listens and serves. Rejects where the port is taken or may not be used. */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const server = await listen(options, performance.now() + PORT_RELEASE_MS);
  if (server === null || server.port === undefined) throw new Error("the HTTP server did not start");
  return {
    port: server.port,
    stopListening: () => void server.stop(false),
    [Symbol.asyncDispose]: async () => {
      await server.stop(true);
    },
  };
}

async function listen(options: HttpOptions, untilMs: number) {
  const app = createApp(options);
  try {
    await new Promise<void>((resolve) =>
      app.listen({ hostname: options.host, port: options.port }, () => resolve()),
    );
    return app.server;
  } catch (thrown) {
    const isTaken = thrown instanceof Error && "code" in thrown && thrown.code === "EADDRINUSE";
    if (!isTaken || performance.now() >= untilMs) throw thrown;
  }
  await Bun.sleep(PORT_POLL_MS);
  return listen(options, untilMs);
}

type BunServer = Bun.Server<unknown>;
type Routed = Bun.BunRequest<string>;
/** A refusal is logged, whoever it comes from. */
type Serve = (request: Routed, server: BunServer) => Response | Promise<Response> | Refusal;

/** What each route serves to a request that the guard has let in. */
function endpoints(options: HttpOptions): Readonly<Record<RoutePath, Serve>> {
  const { guard, mcp, sse, root, health, backendNames, publicUrl } = options;
  const { principal } = guard;
  const serveMcp: ServeTarget = (request, server, target) => {
    if (options.via.isLoop(request.headers, request.params.backend)) return LOOP;
    const { method } = request;
    if (method !== "POST" && method !== "GET" && method !== "DELETE") return wrongMethod(method);
    return mcp.serve(request, target, principal, server);
  };
  const openChannel: ServeTarget = (request, server, target) => {
    if (options.via.isLoop(request.headers, request.params.backend)) return LOOP;
    server.timeout(request, 0);
    const address = server.requestIP(request)?.address ?? "";
    const prefix = forwardedPrefix(request.headers) ?? prefixOf(publicUrl);
    return sse.open({ target, principal, address, prefix });
  };
  return {
    "/health": ({ headers }) => Response.json(health(guard.hasToken(headers))),
    "/metrics": async () => {
      const { body, contentType } = await options.metrics();
      return new Response(body, { headers: { "content-type": contentType } });
    },
    "/status": forOperators(guard, async () => Response.json(await options.status())),
    "/backends/:backend/restart": forOperators(guard, restartBackend(options)),
    "/mcp": (request, server) => serveMcp(request, server, root),
    "/mcp/:backend": toBackend(options, serveMcp),
    "/:backend/mcp": toBackend(options, serveMcp),
    "/sse": (request, server) => openChannel(request, server, root),
    "/:backend/sse": toBackend(options, openChannel),
    "/message": (request, server) => sse.post(request, principal, server),
    "/*": (request) => notFound(request, backendNames()),
  };
}

function createApp(options: HttpOptions) {
  const { guard, log, publicUrl } = options;
  const serveAt = endpoints(options);
  const refusals = new RefusalLog(log);
  const prefixes = new Set(["", prefixOf(publicUrl)]);
  const routes = ROUTES.flatMap((route: Route & { readonly path: RoutePath }) => {
    const serve = guarded(route, serveAt[route.path], { guard, refusals });
    const methods = route.method === undefined ? serve : { [route.method]: serve };
    return [...prefixes].map((prefix) => [prefix + route.path, methods] as const);
  });
  const serving = {
    maxRequestBodySize: MAX_BODY_BYTES,
    idleTimeout: IDLE_TIMEOUT_S,
    // With true, two gateways would share a port, and each client would find now one, now the other.
    reusePort: false,
    development: false,
    error: (error: unknown) => {
      log.error("a bug in the gateway", { error });
      const message = "Internal error in the gateway; its log has the details.";
      return failure(500, { code: -32603, message });
    },
    // Bun's router parses the path, and the guard knows a request by the route that it came by. Elysia, which owns the
    // server, has no routes of its own: its router parses the URL in another way, and must never be asked.
    routes: Object.fromEntries(routes),
  };
  return new Elysia({ serve: serving });
}

/** A route with the guard in front of it. */
function guarded(
  route: Route,
  serve: Serve,
  { guard, refusals }: { readonly guard: Guard; readonly refusals: RefusalLog },
): (request: Routed, server: BunServer) => Response | Promise<Response> {
  const enter = (request: Routed, server: BunServer, access: Access) => {
    const { headers, method } = request;
    const pass = () => (access === "preflight" ? answerPreflight(headers) : serve(request, server));
    const served = guard.refuse(headers, access) ?? pass();
    if (served instanceof Response || served instanceof Promise) return served;
    const address = server.requestIP(request)?.address;
    refusals.add({ method, route: route.path, why: served.message, headers, address });
    return refused(served);
  };
  return (request, server) => {
    const origin = request.headers.get("origin");
    if (origin === null) return enter(request, server, route.access);
    const answer = enter(request, server, isPreflight(request) ? "preflight" : route.access);
    return answer instanceof Promise
      ? answer.then((response) => readableBy(origin, response))
      : readableBy(origin, answer);
  };
}

/** A page may read why its token is wrong, and nothing at all if it should not be here. */
function readableBy(origin: string, response: Response): Response {
  return response.status === 403 ? response : allowOrigin(response, origin);
}

const LOOP: Refusal = {
  status: 508,
  message:
    "this gateway would serve itself: the request comes from one of its own backends, perhaps by way of another gateway. " +
    "Remove that backend, or let its http_url name the server itself",
};

const NOT_FROM_AFAR: Refusal = {
  status: 403,
  message: "Without a token this is for this machine alone; set auth.token to reach it from others.",
};

/** For the commands of a person: whoever has the token, or sits at this machine and not behind a proxy on it. */
function forOperators(guard: Guard, serve: Serve): Serve {
  return (request, server) => {
    const address = server.requestIP(request)?.address ?? "";
    const isNear = isLoopback(address.replace(/^::ffff:/i, "")) && !guard.isForwarded(request.headers);
    return guard.wantsToken || isNear ? serve(request, server) : NOT_FROM_AFAR;
  };
}

function restartBackend({ restart, backendNames }: HttpOptions): Serve {
  return async (request, server) => {
    // A start may take its time.
    server.timeout(request, 0);
    const name = request.params.backend ?? "";
    const reply = await restart(name);
    return reply === undefined ? refused(unknownBackend(name, backendNames())) : Response.json(reply);
  };
}

type ServeTarget = (request: Routed, server: BunServer, target: Target) => ReturnType<Serve>;

function toBackend({ backend, backendNames }: HttpOptions, serve: ServeTarget): Serve {
  return (request, server) => {
    const name = request.params.backend ?? "";
    const target = backend(name);
    return target === undefined ? unknownBackend(name, backendNames()) : serve(request, server, target);
  };
}

function wrongMethod(method: string): Response {
  return failure(
    405,
    { code: -32000, message: `${method} is no method of this route.` },
    { headers: { allow: "GET, POST, DELETE" } },
  );
}

function refused({ status, message }: Refusal): Response {
  const headers: Record<string, string> = status === 401 ? { "www-authenticate": "Bearer" } : {};
  return failure(status, { code: status === 404 ? -32001 : -32000, message }, { headers });
}

const MAX_SHOWN = 80;

function unknownBackend(name: string, known: readonly string[]): Refusal {
  const list = known.length === 0 ? "none is configured" : `known are ${known.join(", ")}`;
  return { status: 404, message: `Unknown backend "${name.slice(0, MAX_SHOWN)}"; ${list}.` };
}

function notFound(request: Request, known: readonly string[]): Response {
  const pathname = URL.parse(request.url)?.pathname ?? request.url;
  const routes = ["/mcp", ...known.map((name) => `/mcp/${name}`), "/health", "/metrics", "/status"];
  const message =
    `Nothing at ${pathname.slice(0, MAX_SHOWN)}, or it was spelled with dot segments, escapes or doubled slashes. ` +
    `Routes: ${routes.join(", ")}`;
  return failure(404, { code: -32601, message });
}
