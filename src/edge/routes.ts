// All HTTP routes of the gateway, and which of them take requests without credentials. Declared here and nowhere else.

/**
 * What serves a route. `elysia`: routes for people, probes and commands, with TypeBox schemas. `direct`: MCP routes, which
 * avoid the cost of Elysia's life cycle for every call (`scripts/bench/load`). Bun's router finds both.
 */
type Server = "elysia" | "direct";

export interface Route {
  /** In the syntax of Bun's router, which compares it with the path as sent: escapes and dots are not resolved. */
  readonly path: string;
  /** Absent: all methods. HEAD comes with GET. */
  readonly method?: "GET" | "POST";
  /** `credentials`: the request must carry those that the gateway has, if it has any. */
  readonly access: "open" | "credentials";
  readonly server: Server;
}

export const ROUTES = [
  { path: "/health", method: "GET", access: "open", server: "elysia" },
  { path: "/metrics", method: "GET", access: "credentials", server: "elysia" },
  { path: "/status", method: "GET", access: "credentials", server: "elysia" },
  { path: "/backends/:backend/restart", method: "POST", access: "credentials", server: "elysia" },
  { path: "/mcp", access: "credentials", server: "direct" },
  { path: "/mcp/:backend", access: "credentials", server: "direct" },
  { path: "/:backend/mcp", access: "credentials", server: "direct" },
  // The wire of 2024-11-05.
  { path: "/sse", method: "GET", access: "credentials", server: "direct" },
  { path: "/:backend/sse", method: "GET", access: "credentials", server: "direct" },
  { path: "/message", method: "POST", access: "credentials", server: "direct" },
  // All other paths, so that no request bypasses this list.
  { path: "/*", access: "credentials", server: "direct" },
] as const satisfies readonly Route[];

export type RoutePath = (typeof ROUTES)[number]["path"];
export type RoutePathOf<S extends Server> = Extract<(typeof ROUTES)[number], { readonly server: S }>["path"];
