// What `mcp-gateway status` shows: read from what is known and from the process table, without asking any backend anything.

import { type Static, Type } from "@sinclair/typebox";
import type { Backend } from "../backend/backend.ts";
import type { Fleet } from "../backend/fleet.ts";
import type { MemoryBudget } from "../memory-budget.ts";
import { shownText } from "../shown.ts";
import { COMMIT, VERSION } from "../version.ts";
import type { Activity } from "./activity.ts";
import { backendHealth } from "./health.ts";
import { measure, type Usage } from "./process-usage.ts";

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) =>
  Type.Union([type, Type.Null()]);

const BackendStatus = Type.Object({
  state: Type.String(),
  transport: Type.String(),
  revision: Nullable(Type.String()),
  pids: Type.Array(Type.Integer()),
  processes: Nullable(Type.Integer()),
  memory_bytes: Nullable(Type.Integer()),
  cpu_seconds: Nullable(Type.Number()),
  starts: Type.Integer(),
  restart_count: Type.Integer(),
  calls: Type.Object({
    total: Type.Integer(),
    failed: Type.Integer(),
    tool_errors: Type.Integer(),
    in_flight: Type.Integer(),
  }),
  tools: Nullable(Type.Integer()),
  /** The size of its tools' definitions as JSON. `mcp-gateway tokens` counts what they cost a model. */
  definition_bytes: Nullable(Type.Integer()),
  /** What it took when it last fell asleep; null where it is awake, or nobody has seen it. */
  sleep_saves_bytes: Nullable(Type.Integer()),
  last_error: Nullable(Type.String()),
  drift: Nullable(Type.String()),
  /** What was learned about how the server speaks, and the consequence. Forgotten if it is not seen for a day. */
  learned: Type.Array(Type.String()),
  /** How many notifications of its running processes were withheld because they could have been for several clients. */
  withheld_notifications: Type.Integer(),
});

export const GatewayStatus = Type.Object({
  version: Type.String(),
  commit: Type.String(),
  pid: Type.Integer(),
  uptime_seconds: Type.Integer(),
  memory_bytes: Type.Integer(),
  cpu_seconds: Type.Number(),
  sessions: Type.Integer(),
  /** The memory held for clients and backends. */
  held: Type.Object({
    bytes: Type.Integer(),
    limit_bytes: Type.Integer(),
    by_holder: Type.Record(Type.String(), Type.Integer()),
  }),
  config: Nullable(Type.String()),
  config_error: Nullable(Type.String()),
  totals: Type.Object({
    backends_memory_bytes: Nullable(Type.Integer()),
    sleep_saves_bytes: Type.Integer(),
    definition_bytes: Type.Integer(),
  }),
  backends: Type.Record(Type.String(), BackendStatus),
});
export type GatewayStatus = Static<typeof GatewayStatus>;
export type BackendStatus = Static<typeof BackendStatus>;

/** How a restart that somebody asked for went. */
export const RestartReply = Type.Object({
  name: Type.String(),
  state: Type.String(),
  milliseconds: Type.Integer(),
  error: Nullable(Type.String()),
});
export type RestartReply = Static<typeof RestartReply>;

export interface StatusFacts {
  readonly memory: MemoryBudget;
  readonly sessions: number;
  readonly config: string | undefined;
  readonly configError: string | undefined;
}

export async function readStatus(
  fleet: Fleet,
  activity: Activity,
  facts: StatusFacts,
): Promise<GatewayStatus> {
  const usages = await measure(fleet.all().flatMap((backend) => backend.pids));
  const backends = fleet
    .all()
    .map((backend) => [backend.name, backendStatus(backend, activity, usages)] as const);
  const all = backends.map(([, status]) => status);
  const { user, system } = process.cpuUsage();
  return {
    version: VERSION,
    commit: COMMIT,
    pid: process.pid,
    uptime_seconds: Math.round(process.uptime()),
    memory_bytes: process.memoryUsage.rss(),
    cpu_seconds: (user + system) / 1e6,
    sessions: facts.sessions,
    held: {
      bytes: facts.memory.bytes,
      limit_bytes: facts.memory.limitBytes,
      by_holder: { ...facts.memory.byKind },
    },
    config: facts.config ?? null,
    config_error: facts.configError ?? null,
    totals: {
      backends_memory_bytes:
        process.platform === "win32" ? null : sum(all.map(({ memory_bytes: bytes }) => bytes)),
      sleep_saves_bytes: sum(all.map(({ sleep_saves_bytes: bytes }) => bytes)),
      definition_bytes: sum(all.map(({ definition_bytes: bytes }) => bytes)),
    },
    backends: Object.fromEntries(backends),
  };
}

function backendStatus(backend: Backend, activity: Activity, usages: Map<number, Usage>): BackendStatus {
  const { state, transport, revision, starts, inFlight, toolCount, drift, learned, withheld } =
    backend.status();
  const usage = total(backend.pids.flatMap((pid) => usages.get(pid) ?? []));
  if (usage !== undefined) activity.tookMemory(backend.name, usage.memoryBytes);
  const { total: calls, failed, toolErrors } = activity.calls(backend.name);
  const isAsleep = state === "asleep";
  const health = backendHealth(backend);
  return {
    state: health.state,
    transport,
    revision: revision ?? null,
    pids: [...backend.pids],
    processes: usage?.processes ?? null,
    memory_bytes: usage?.memoryBytes ?? null,
    cpu_seconds: usage?.cpuSeconds ?? null,
    starts,
    restart_count: health.restart_count,
    calls: { total: calls, failed, tool_errors: toolErrors, in_flight: inFlight },
    tools: toolCount ?? null,
    definition_bytes: toolCount === undefined ? null : definitionBytes(backend),
    sleep_saves_bytes: isAsleep ? (activity.lastMemoryBytes(backend.name) ?? null) : null,
    last_error: health.last_error,
    drift: drift === undefined ? null : shownText(drift),
    learned: [...learned],
    withheld_notifications: withheld,
  };
}

function definitionBytes({ catalog }: Backend): number {
  return Buffer.byteLength(JSON.stringify(catalog.tools));
}

function total(usages: readonly Usage[]): Usage | undefined {
  if (usages.length === 0) return undefined;
  return {
    processes: sum(usages.map(({ processes }) => processes)),
    memoryBytes: sum(usages.map(({ memoryBytes }) => memoryBytes)),
    cpuSeconds: sum(usages.map(({ cpuSeconds }) => cpuSeconds)),
  };
}

function sum(numbers: readonly (number | null)[]): number {
  return numbers.reduce<number>((all, number) => all + (number ?? 0), 0);
}
