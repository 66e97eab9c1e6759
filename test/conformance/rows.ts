// The table of what is played against what: data, and nothing that runs.

import type { Eras } from "../fixtures/reference/start.ts";
import type { Revision } from "./suite.ts";

export type Wire = "http" | "stdio" | "sse";

export interface BackendKind {
  readonly wire: Wire;
  readonly eras: Eras;
}

/** The reference server in every kind, by the name that the gateway's config gives it. */
export const BACKENDS = {
  "http-both": { wire: "http", eras: "both" },
  "http-legacy": { wire: "http", eras: "legacy" },
  "http-modern": { wire: "http", eras: "modern" },
  "stdio-both": { wire: "stdio", eras: "both" },
  "stdio-legacy": { wire: "stdio", eras: "legacy" },
  "stdio-modern": { wire: "stdio", eras: "modern" },
  "sse-legacy": { wire: "sse", eras: "legacy" },
} as const satisfies Record<string, BackendKind>;

export type BackendName = keyof typeof BACKENDS;

/**
 * How the suite reaches the server: without the gateway; through its route for one backend; its route with the
 * meta-tools; its stdio face. A stdio program is played against through a bridge of the test's own.
 */
export type Route = "direct" | "gateway" | "meta" | "face";

export interface Row {
  readonly name: string;
  readonly route: Route;
  /** What stands behind; the meta route has all of them behind it. */
  readonly backend: BackendName | "all";
  readonly revision: Revision;
  /** The client and the backend speak the same generation: nothing is translated, so nothing may be lost. */
  readonly isSameEra: boolean;
  /** Absent: all that the revision requires. */
  readonly scenarios?: readonly string[];
  /** Scenarios that no revision requires and that must hold all the same, where the run includes them. */
  readonly also: readonly string[];
}

const REVISIONS: readonly Revision[] = ["2025-11-25", "2026-07-28"];
const NAMES = Object.keys(BACKENDS) as BackendName[];

/** The scenarios that mean something where the tools are the gateway's own four. */
const META_SCENARIOS: Readonly<Record<Revision, readonly string[]>> = {
  "2025-11-25": [
    "server-initialize",
    "ping",
    "tools-list",
    "dns-rebinding-protection",
    "server-session-lifecycle",
  ],
  "2026-07-28": ["server-stateless", "tools-list", "caching", "http-header-validation"],
};

/** What the suite plays beside the required scenarios and that is no extension. */
const BESIDE: readonly string[] = [
  "server-session-lifecycle",
  "json-schema-2020-12",
  "server-sse-polling",
  "http-header-validation",
  "http-custom-header-server-validation",
];
/** The part of it that is not about HTTP, where HTTP is the bridge's. */
const BESIDE_HTTP: readonly string[] = ["json-schema-2020-12"];

function row(route: Route, backend: Row["backend"], revision: Revision): Row {
  const isSameEra = backend === "all" || speaks(BACKENDS[backend], revision);
  const isBridged = route === "face" || (route === "direct" && backend.startsWith("stdio"));
  const held = isBridged ? BESIDE_HTTP : BESIDE;
  const name = `${route}-${backend}-${revision}`;
  if (route === "meta")
    return { name, route, backend, revision, isSameEra, scenarios: META_SCENARIOS[revision], also: [] };
  return { name, route, backend, revision, isSameEra, also: isSameEra ? held : [] };
}

function speaks({ eras }: BackendKind, revision: Revision): boolean {
  return eras === "both" || (eras === "modern") === (revision === "2026-07-28");
}

/** HTTP+SSE has no direct row: the suite does not speak that transport. */
export const DIRECT_ROWS: readonly Row[] = NAMES.flatMap((backend) =>
  REVISIONS.filter((revision) => BACKENDS[backend].wire !== "sse" && speaks(BACKENDS[backend], revision)).map(
    (revision) => row("direct", backend, revision),
  ),
);

export const GATEWAY_ROWS: readonly Row[] = [
  ...REVISIONS.flatMap((revision) => NAMES.map((backend) => row("gateway", backend, revision))),
  ...REVISIONS.map((revision) => row("meta", "all", revision)),
  ...REVISIONS.map((revision) => row("face", "http-both", revision)),
];

/** A run of the suite's mock servers: the gateway is their client. */
export interface ClientRun {
  readonly scenario: string;
  readonly revision: Revision;
}

export const CLIENT_RUNS: readonly ClientRun[] = [
  { scenario: "initialize", revision: "2025-11-25" },
  { scenario: "tools_call", revision: "2025-11-25" },
  { scenario: "tools_call", revision: "2026-07-28" },
  { scenario: "request-metadata", revision: "2026-07-28" },
  { scenario: "http-standard-headers", revision: "2026-07-28" },
  { scenario: "http-custom-headers", revision: "2026-07-28" },
  { scenario: "http-invalid-tool-headers", revision: "2026-07-28" },
  { scenario: "sep-2322-client-request-state", revision: "2026-07-28" },
  { scenario: "sse-retry", revision: "2025-11-25" },
  { scenario: "elicitation-sep1034-client-defaults", revision: "2025-11-25" },
  { scenario: "json-schema-2020-12-preservation", revision: "2025-11-25" },
  { scenario: "json-schema-2020-12-preservation", revision: "2026-07-28" },
  { scenario: "json-schema-ref-no-deref", revision: "2026-07-28" },
];

/** What the tests hold the code to: rows without the gateway, rows through it. */
export const HELD: ReadonlySet<"direct" | "gateway"> = new Set(["direct", "gateway"]);
