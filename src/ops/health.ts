// What /health says: read from what is known, without asking any backend anything.

import { type Static, Type } from "@sinclair/typebox";
import type { Backend } from "../backend/backend.ts";
import type { Fleet } from "../backend/fleet.ts";
import { shownText } from "../shown.ts";

/** The body of `/health`: the overall status, and the details that this caller may see. */
export const HealthReply = Type.Object({ status: Type.String() }, { additionalProperties: true });
export type HealthReply = Static<typeof HealthReply>;

export interface Health {
  /** `degraded` where an enabled backend has failed or cannot start; sleeping is healthy. */
  readonly status: "healthy" | "degraded";
  readonly backends: Record<string, BackendHealth>;
}

export interface BackendHealth {
  readonly running: boolean;
  /** Starts after the first one, wake-ups included. */
  readonly restart_count: number;
  readonly tools_cached: number;
  readonly state: string;
  readonly transport: string;
  readonly revision: string | null;
  readonly in_flight: number;
  readonly last_error: string | null;
  /** `fresh`: heard from the backend itself. `remembered`: of an earlier run of the gateway. Or `unknown`. */
  readonly catalog: string;
  /** When the backend itself last told its lists. */
  readonly catalog_listed_at: string | null;
}

export function readHealth(fleet: Fleet): Health {
  const backends = fleet.all().map((backend) => [backend.name, backendHealth(backend)] as const);
  return { status: statusOf(fleet), backends: Object.fromEntries(backends) };
}

/** For those who did not bring the token: whether all is well, and how many there are. */
export function readHealthSummary(fleet: Fleet) {
  const states: Record<string, number> = {};
  for (const backend of fleet.all()) {
    const { state } = backendHealth(backend);
    states[state] = (states[state] ?? 0) + 1;
  }
  return { status: statusOf(fleet), backends_total: fleet.all().length, states };
}

function statusOf(fleet: Fleet): Health["status"] {
  return fleet.enabled().some(isFailed) ? "degraded" : "healthy";
}

function isFailed(backend: Backend): boolean {
  return backend.config.problem !== undefined || backend.status().state === "failed";
}

export function backendHealth(backend: Backend): BackendHealth {
  const { state, transport, revision, restarts, inFlight, toolCount, lastError, catalog, listedAtMs } =
    backend.status();
  return {
    running: state === "ready",
    restart_count: restarts,
    tools_cached: toolCount ?? 0,
    state: shownState(backend, state),
    transport,
    revision: revision ?? null,
    in_flight: inFlight,
    last_error: lastError === undefined ? null : shownText(lastError),
    catalog,
    catalog_listed_at: listedAtMs === undefined ? null : new Date(listedAtMs).toISOString(),
  };
}

/** What the configuration rules out never gets as far as a state of its own. */
function shownState({ config }: Backend, state: string): string {
  if (!config.enabled) return "disabled";
  return config.problem === undefined ? state : "failed";
}
