// All HTTP routes of the gateway, and which of them take requests without credentials. Declared here and nowhere else.

export interface Route {
  /** In the words of Bun's router, which compares it with the path as it was sent: escapes and dots stand for themselves. */
  readonly path: string;
  /** Absent: all methods. HEAD comes with GET. */
  readonly method?: "GET" | "POST";
  /** `credentials`: the request must carry those that the gateway has, if it has any. */
  readonly access: "open" | "credentials";
}

export const ROUTES = [
  { path: "/health", method: "GET", access: "open" },
  { path: "/metrics", method: "GET", access: "credentials" },
  { path: "/status", method: "GET", access: "credentials" },
  { path: "/backends/:backend/restart", method: "POST", access: "credentials" },
  { path: "/mcp", access: "credentials" },
  { path: "/mcp/:backend", access: "credentials" },
  { path: "/:backend/mcp", access: "credentials" },
  // The wire of 2024-11-05.
  { path: "/sse", method: "GET", access: "credentials" },
  { path: "/:backend/sse", method: "GET", access: "credentials" },
  { path: "/message", method: "POST", access: "credentials" },
  // Whatever no other route takes, so that there is no way past this list.
  { path: "/*", access: "credentials" },
] as const satisfies readonly Route[];

export type RoutePath = (typeof ROUTES)[number]["path"];
