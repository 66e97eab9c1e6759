// The HTTP face: routes, guard and limits. The only file that knows Elysia; what is behind a route it does not know.

import { Elysia, t } from "elysia";
import { isLoopback } from "../config/addresses.ts";
import type { Log } from "../log.ts";
import { GatewayStatus, type RestartReply } from "../ops/status.ts";
import type { Target } from "../target/target.ts";
import type { Guard, Refusal } from "./guard.ts";
import type { SseEdge } from "./http-sse.ts";
import { failure } from "./legacy.ts";
import type { McpEdge } from "./mcp.ts";

/** A larger body is refused with 413 before it is read. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
/** Guards against clients that never finish their request; answers and streams have no such limit. */
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

const METHODS = new Set(["GET", "POST", "DELETE"]);
const BackendParams = t.Object({ backend: t.String({ minLength: 1, maxLength: 64 }) });

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

function createApp(options: HttpOptions) {
  const { guard, root, backend } = options;
  const serve = mcpServer(options, () => app.server);
  const refuse = (request: Request) => {
    const { headers } = request;
    const wantsToken = guard.wantsToken && !isHealth(request);
    const refusal = guard.checkOrigin(headers) ?? (wantsToken ? guard.checkToken(headers) : undefined);
    return refusal === undefined ? undefined : refused(refusal);
  };
  // A POST to a target that there is comes by Bun's own router: Elysia's life cycle would take a tenth of a call's time.
  // It passes the same guard to the same end; whatever else comes is Elysia's.
  const shortcut = (find: (name: string) => Target | undefined) => ({
    POST: (request: Bun.BunRequest<string>): Response | Promise<Response> => {
      const target = find(request.params.backend ?? "");
      return target === undefined ? app.fetch(request) : (refuse(request) ?? serve(request, target));
    },
  });
  const internalError = (error: unknown) => {
    options.log.error("a bug in the gateway", { error });
    const message = "Internal error in the gateway; its log has the details.";
    return failure(500, { code: -32603, message });
  };
  // Without reusePort: false two gateways would share a port, and each client would find now one, now the other.
  const serving = {
    maxRequestBodySize: MAX_BODY_BYTES,
    idleTimeout: IDLE_TIMEOUT_S,
    reusePort: false,
    development: false,
    error: internalError,
    routes: {
      "/mcp": shortcut(() => root),
      "/mcp/:backend": shortcut(backend),
      "/:backend/mcp": shortcut(backend),
    },
  };
  const app = new Elysia({ serve: serving })
    .onRequest(({ request }) => refuse(request))
    .onError(({ code, error, request }) => {
      if (code === "NOT_FOUND") return notFound(request, options.backendNames());
      if (code === "VALIDATION") return failure(404, { code: -32001, message: "Not the name of a backend." });
      return internalError(error);
    })
    .use(operationRoutes(options))
    .use(mcpRoutes(options, serve))
    .use(sseRoutes(options));
  return app;
}

/** For people and probes. */
function operationRoutes({ guard, health, metrics, status, restart, backendNames }: HttpOptions) {
  return new Elysia()
    .get(
      "/status",
      ({ request, server }) => (mayOperate(guard, request, server) ? status() : refused(NOT_FROM_AFAR)),
      { response: { 200: GatewayStatus } },
    )
    .post(
      "/backends/:backend/restart",
      async ({ request, params, server }) => {
        if (!mayOperate(guard, request, server)) return refused(NOT_FROM_AFAR);
        // A start may take its time.
        server?.timeout(request, 0);
        const reply = await restart(params.backend);
        return reply === undefined ? unknownBackend(params.backend, backendNames()) : Response.json(reply);
      },
      { parse: "none", params: BackendParams },
    )
    .get("/health", ({ request }) => health(guard.hasToken(request.headers)), {
      response: t.Object({}, { additionalProperties: true }),
    })
    .get("/metrics", async () => {
      const { body, contentType } = await metrics();
      return new Response(body, { headers: { "content-type": contentType } });
    });
}

const NOT_FROM_AFAR: Refusal = {
  status: 403,
  message: "Without a token this is for this machine alone; set auth.token to reach it from others.",
};

/** Whoever has the token, or sits at this machine. */
function mayOperate(guard: Guard, request: Request, server: Lifted | null): boolean {
  if (guard.wantsToken) return true;
  const address = server?.requestIP(request)?.address ?? "";
  return isLoopback(address.replace(/^::ffff:/i, ""));
}

type Serve = (request: Request, target: Target) => Response | Promise<Response>;

function mcpServer({ guard, mcp }: HttpOptions, server: () => Lifted | null): Serve {
  const principal = guard.principalOf();
  return (request, target) => {
    if (!METHODS.has(request.method)) return wrongMethod(request.method);
    // A tool may be silent for as long as it likes: only its own request_timeout ends it.
    server()?.timeout(request, 0);
    return mcp.serve(request, target, principal);
  };
}

function mcpRoutes({ root, backend, backendNames }: HttpOptions, serve: Serve) {
  const serveBackend = (request: Request, name: string) => {
    const target = backend(name);
    return target === undefined ? unknownBackend(name, backendNames()) : serve(request, target);
  };
  const direct = { parse: "none", params: BackendParams } as const;
  return new Elysia()
    .all("/mcp", ({ request }) => serve(request, root), { parse: "none" })
    .all("/mcp/:backend", ({ request, params }) => serveBackend(request, params.backend), direct)
    .all("/:backend/mcp", ({ request, params }) => serveBackend(request, params.backend), direct);
}

/** The wire of 2024-11-05. */
function sseRoutes({ guard, sse, root, backend, backendNames }: HttpOptions) {
  const principal = guard.principalOf();
  const open = (request: Request, target: Target, server: Lifted | null) => {
    server?.timeout(request, 0);
    return sse.open(target, principal);
  };
  return new Elysia()
    .get("/sse", ({ request, server }) => open(request, root, server))
    .get(
      "/:backend/sse",
      ({ request, params, server }) => {
        const target = backend(params.backend);
        return target === undefined
          ? unknownBackend(params.backend, backendNames())
          : open(request, target, server);
      },
      { params: BackendParams },
    )
    .post("/message", ({ request }) => sse.post(request, principal), { parse: "none" });
}

/** The part of Bun's server that lifts the idle timeout of one request, and knows who sent it. */
interface Lifted {
  timeout(request: Request, seconds: number): void;
  requestIP(request: Request): { readonly address: string } | null;
}

function wrongMethod(method: string): Response {
  return failure(
    405,
    { code: -32000, message: `${method} is no method of this route.` },
    { headers: { allow: "GET, POST, DELETE" } },
  );
}

/** Of the path as it was sent: what a URL parser makes of `/health#/mcp` is not what the router does. */
function isHealth({ method, url }: Request): boolean {
  return (method === "GET" || method === "HEAD") && /^\w+:\/\/[^/?#]*\/health(?:\?|$)/.test(url);
}

function refused({ status, message }: Refusal): Response {
  const headers: Record<string, string> = status === 401 ? { "www-authenticate": "Bearer" } : {};
  return failure(status, { code: -32000, message: message }, { headers });
}

function unknownBackend(name: string, known: readonly string[]): Response {
  const list = known.length === 0 ? "none is configured" : `known are ${known.join(", ")}`;
  return failure(404, { code: -32001, message: `Unknown backend "${name}"; ${list}.` });
}

function notFound(request: Request, known: readonly string[]): Response {
  const pathname = URL.parse(request.url)?.pathname ?? request.url;
  const routes = ["/mcp", ...known.map((name) => `/mcp/${name}`), "/health", "/metrics", "/status"];
  return failure(404, { code: -32601, message: `Nothing at ${pathname}. Routes: ${routes.join(", ")}` });
}
