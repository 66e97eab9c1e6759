// The HTTP edge: connects each route with its code, puts the guard in front and sets limits. The only file that imports
// Elysia. It does not know what is behind a route.

import type { TSchema } from "@sinclair/typebox";
import { Elysia, t } from "elysia";
import type { Via } from "../backend/via.ts";
import { isLoopback } from "../config/addresses.ts";
import type { Log } from "../log.ts";
import { HealthReply } from "../ops/health.ts";
import { GatewayStatus, RestartReply } from "../ops/status.ts";
import type { Target } from "../target/target.ts";
import { allowOrigin, answerPreflight, isPreflight } from "./cors.ts";
import type { Access, Guard, Refusal } from "./guard.ts";
import type { SseEdge } from "./http-sse.ts";
import { failure } from "./legacy.ts";
import type { McpEdge } from "./mcp.ts";
import { forwardedPrefix, prefixOf } from "./prefix.ts";
import { RefusalLog } from "./refusal-log.ts";
import { ROUTES, type Route, type RoutePathOf } from "./routes.ts";

/** A larger body is refused with 413 before it is read. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** The time for a request's head and a small body. Answers and streams have no such limit. */
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
  /** Recognises requests that come from this gateway's own backends. */
  readonly via: Via;
  /** The gateway's URL for clients beyond a reverse proxy. */
  readonly publicUrl: string | undefined;
  /** The target of `/mcp`. */
  readonly root: Target;
  /** The target of `/mcp/{backend}`, or undefined for an unknown name. */
  readonly backend: (name: string) => Target | undefined;
  readonly backendNames: () => readonly string[];
  readonly health: (isFull: boolean) => HealthReply;
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
    if (!isTaken || performance.now() >= untilMs) throw cannotListen(options, thrown);
  }
  await Bun.sleep(PORT_POLL_MS);
  return listen(options, untilMs);
}

/** Bun's message asks whether the port is in use, even if the reason is another one. */
function cannotListen({ host, port }: HttpOptions, cause: unknown): unknown {
  if (!(cause instanceof Error) || !("code" in cause)) return cause;
  const error = new Error(`Cannot listen on ${host}, port ${port} (${String(cause.code)}).`, { cause });
  return Object.assign(error, { code: cause.code });
}

type BunServer = Bun.Server<unknown>;
type Routed = Bun.BunRequest<string>;
/** Serves a route. A returned `Refusal` is logged and answered by the gate. */
type Serve = (request: Routed, server: BunServer) => Response | Promise<Response> | Refusal;

/** The MCP routes, for requests that the guard has accepted. */
function directRoutes(options: HttpOptions): Readonly<Record<RoutePathOf<"direct">, Serve>> {
  const { guard, mcp, sse, root, backendNames, publicUrl } = options;
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
    "/mcp": (request, server) => serveMcp(request, server, root),
    "/mcp/:backend": toBackend(options, serveMcp),
    "/:backend/mcp": toBackend(options, serveMcp),
    "/sse": (request, server) => openChannel(request, server, root),
    "/:backend/sse": toBackend(options, openChannel),
    "/message": (request, server) => sse.post(request, principal, server),
    "/*": (request) => notFound(request, backendNames()),
  };
}

/** The routes for people, probes and commands, for requests that the guard has accepted. */
function elysiaRoutes(options: HttpOptions): Readonly<Record<RoutePathOf<"elysia">, ElysiaRoute>> {
  const { guard } = options;
  const operators = {
    refuse: (request: Request, server: BunServer) => refuseFromAfar(guard, request, server),
  };
  return {
    "/health": {
      serve: ({ request }) => options.health(guard.hasToken(request.headers)),
      response: HealthReply,
    },
    "/metrics": {
      serve: async () => {
        const { body, contentType } = await options.metrics();
        return new Response(body, { headers: { "content-type": contentType } });
      },
    },
    "/status": { ...operators, serve: () => options.status(), response: GatewayStatus },
    "/backends/:backend/restart": {
      ...operators,
      params: t.Object({ backend: t.String() }),
      serve: async ({ request, server, params }) => {
        const backend = params?.backend ?? "";
        // A start may take its time.
        server.timeout(request, 0);
        return (await options.restart(backend)) ?? refused(unknownBackend(backend, options.backendNames()));
      },
      response: RestartReply,
    },
  };
}

interface ElysiaRoute {
  /** Further checks of this route, after the guard. */
  readonly refuse?: (request: Request, server: BunServer) => Refusal | undefined;
  readonly serve: (context: {
    readonly request: Request;
    readonly server: BunServer;
    /** Absent if the path has no parameters. */
    readonly params?: { readonly backend?: string };
  }) => unknown;
  readonly params?: TSchema;
  /** Elysia checks returned values against it, but not a returned `Response`. */
  readonly response?: TSchema;
}

function createApp(options: HttpOptions) {
  const { publicUrl } = options;
  const gate = new Gate(options.guard, options.log);
  const direct = directRoutes(options);
  const elysia = elysiaRoutes(options);
  const prefixes = [...new Set(["", prefixOf(publicUrl)])];
  const internalError = (error: unknown) => {
    options.log.error("a bug in the gateway", { error });
    const message = "Internal error in the gateway; its log has the details.";
    return failure(500, { code: -32603, message });
  };
  const routes: Record<string, DirectRoute | { readonly [method: string]: DirectRoute }> = {};
  const serving = {
    maxRequestBodySize: MAX_BODY_BYTES,
    idleTimeout: IDLE_TIMEOUT_S,
    // With true, two gateways could share a port, and requests of one client would go to either.
    reusePort: false,
    development: false,
    error: internalError,
    // Bun's router parses the path once, for these routes and for those of Elysia, which are in the same table.
    // `/*` takes all other paths, so that Elysia's own router, which parses a URL differently, is never used.
    routes,
  };
  const app = emptyApp(serving, internalError);
  for (const route of ROUTES) {
    for (const prefix of prefixes) {
      const path = prefix + route.path;
      if (route.server === "elysia")
        addToElysia(app, { ...route, at: path }, { gate, ...elysia[route.path] });
      else routes[path] = perMethod(route, gate.before(route, direct[route.path]));
    }
  }
  return app;
}

type Serving = ConstructorParameters<typeof Elysia>[0] extends infer Config | undefined
  ? Config extends { serve?: infer S }
    ? S
    : never
  : never;

function emptyApp(serve: Serving, answerBug: (error: unknown) => Response) {
  return new Elysia({ serve }).onError(({ error }) => answerBug(error));
}

type DirectRoute = (request: Routed, server: BunServer) => Response | Promise<Response>;

function perMethod({ method }: Route, serve: DirectRoute) {
  return method === undefined ? serve : { [method]: serve };
}

function addToElysia(
  app: ReturnType<typeof emptyApp>,
  route: Route & { readonly method: string; readonly at: string },
  { gate, refuse, serve, params, response }: ElysiaRoute & { readonly gate: Gate },
): void {
  app.route(route.method, route.at, (context) => serve({ ...context, server: serverOf(context) }), {
    parse: "none",
    ...(params === undefined ? {} : { params }),
    ...(response === undefined ? {} : { response: { 200: response } }),
    beforeHandle: (context) => {
      const server = serverOf(context);
      const refused = gate.refuse(route, context.request, server);
      if (refused !== undefined) return refused;
      const refusal = refuse?.(context.request, server);
      return refusal === undefined
        ? undefined
        : gate.refused(refusal, { route, request: context.request, server });
    },
    mapResponse: ({ request, responseValue }) => {
      const answer = responseValue instanceof Response ? responseValue : Response.json(responseValue);
      return readableBy(request.headers.get("origin"), answer);
    },
  });
}

/** The server exists as long as requests arrive. */
function serverOf({ server }: { readonly server: BunServer | null }): BunServer {
  if (server === null) throw new Error("a request without a server");
  return server;
}

/** Stands in front of every route. */
class Gate {
  readonly #guard: Guard;
  readonly #refusals: RefusalLog;

  constructor(guard: Guard, log: Log) {
    this.#guard = guard;
    this.#refusals = new RefusalLog(log);
  }

  /** The answer to a request that this route refuses; undefined if it is accepted. */
  refuse(route: Route, request: Request, server: BunServer): Response | undefined {
    const refusal = this.#guard.refuse(request.headers, accessOf(route, request));
    return refusal === undefined ? undefined : this.refused(refusal, { route, request, server });
  }

  /** Logs the refusal and answers it. */
  refused(
    refusal: Refusal,
    {
      route,
      request,
      server,
    }: { readonly route: Route; readonly request: Request; readonly server: BunServer },
  ): Response {
    const { headers, method } = request;
    const address = server.requestIP(request)?.address;
    this.#refusals.add({ method, route: route.path, why: refusal.message, headers, address });
    return refused(refusal);
  }

  /** A route of Bun's router with this gate in front of it. */
  before(route: Route, serve: Serve): DirectRoute {
    const enter = (request: Routed, server: BunServer) => {
      const refused = this.refuse(route, request, server);
      if (refused !== undefined) return refused;
      if (accessOf(route, request) === "preflight") return answerPreflight(request.headers);
      const served = serve(request, server);
      const isAnswer = served instanceof Response || served instanceof Promise;
      return isAnswer ? served : this.refused(served, { route, request, server });
    };
    return (request, server) => {
      const origin = request.headers.get("origin");
      const answer = enter(request, server);
      if (origin === null) return answer;
      return answer instanceof Promise
        ? answer.then((response) => readableBy(origin, response))
        : readableBy(origin, answer);
    };
  }
}

function accessOf({ access }: Route, request: Request): Access {
  return request.method === "OPTIONS" && isPreflight(request) ? "preflight" : access;
}

/** A page of an accepted origin may read the response. One whose request was refused with 403 may not. */
function readableBy(origin: string | null, response: Response): Response {
  return origin === null || response.status === 403 ? response : allowOrigin(response, origin);
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

/** Without a token, accepts only requests from this machine that did not come through a proxy. */
function refuseFromAfar(guard: Guard, request: Request, server: BunServer): Refusal | undefined {
  const address = server.requestIP(request)?.address ?? "";
  const isNear = isLoopback(address.replace(/^::ffff:/i, "")) && !guard.isForwarded(request.headers);
  return guard.wantsToken || isNear ? undefined : NOT_FROM_AFAR;
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
  const routes = ["/mcp", ...known.map((name) => `/mcp/${name}`), "/sse", "/health", "/metrics", "/status"];
  // The URL is already normalised here, so dot segments are not visible.
  const isRoute = routes.includes(pathname) || /%|\/\//.test(pathname);
  const spelling = isRoute ? " Dot segments, escapes and doubled slashes are not understood." : "";
  const message = `Nothing at ${pathname.slice(0, MAX_SHOWN)}.${spelling} Routes: ${routes.join(", ")}`;
  return failure(404, { code: -32601, message });
}
