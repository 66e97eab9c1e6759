// Asks a running gateway what its backends do and take of the machine.

import { Value } from "@sinclair/typebox/value";
import { type BackendStatus, GatewayStatus } from "../ops/status.ts";
import { below } from "../shown.ts";
import { ask, type FindOptions, findGateway, type Place, refusalOf } from "./find-gateway.ts";
import { remark } from "./health.ts";
import { printJson, printResult, table } from "./print.ts";

const TIMEOUT_MS = 10_000;

export interface StatusOptions extends FindOptions {
  readonly json?: boolean;
}

/** Rejects if no gateway answers. */
export async function status(options: StatusOptions): Promise<void> {
  const place = findGateway(options);
  const reply = await askStatus(place);
  if (options.json === true) printJson(reply);
  else printResult(toText(place.base, reply));
}

async function askStatus(place: Place): Promise<GatewayStatus> {
  const reply = await ask(place, { route: "status", timeoutMs: TIMEOUT_MS });
  if (reply.isOk && Value.Check(GatewayStatus, reply.body)) return reply.body;
  throw new Error(refusalOf(reply));
}

function toText(base: URL, reply: GatewayStatus): string {
  const { totals } = reply;
  const head = [
    `mcp-gateway ${reply.version} at ${base.origin}, pid ${reply.pid}, up ${duration(reply.uptime_seconds)}`,
    `  itself:    ${megabytes(reply.memory_bytes)}, ${seconds(reply.cpu_seconds)} of CPU, ${reply.sessions} sessions`,
    `  held:      ${megabytes(reply.held.bytes)} of ${megabytes(reply.held.limit_bytes)} for clients and backends`,
    `  backends:  ${megabytes(totals.backends_memory_bytes)}; those asleep save ${megabytes(totals.sleep_saves_bytes)}`,
    `  tools:     ${kilobytes(totals.definition_bytes)} of definitions; mcp-gateway tokens counts what they cost a model`,
    ...(reply.config_error === null
      ? []
      : [`  the newest configuration is not used:\n    ${below(reply.config_error)}`]),
  ];
  const rows = Object.entries(reply.backends).map(([name, backend]) => row(name, backend));
  const titles = [
    "backend",
    "state",
    "pid",
    "memory",
    "cpu",
    "calls",
    "failed",
    "tools",
    "definitions",
    "saves",
  ];
  const listed = rows.length === 0 ? "  no backends" : table([titles, ...rows]);
  return [...head, listed, ...remarks(reply)].join("\n");
}

function row(name: string, backend: BackendStatus): string[] {
  const { calls, pids } = backend;
  return [
    name,
    backend.state,
    pids.length === 0 ? "-" : pids.join(","),
    megabytes(backend.memory_bytes),
    seconds(backend.cpu_seconds),
    String(calls.total),
    String(calls.failed + calls.tool_errors),
    String(backend.tools ?? "-"),
    kilobytes(backend.definition_bytes),
    megabytes(backend.sleep_saves_bytes),
  ];
}

function remarks({ backends }: GatewayStatus): string[] {
  return Object.entries(backends).flatMap(([name, { last_error: error, drift, learned }]) =>
    [error, drift, ...learned.map((words) => `learned about the server: it ${words}`)]
      .filter((text) => text !== null)
      .map((text) => remark(name, text)),
  );
}

function kilobytes(bytes: number | null): string {
  return bytes === null ? "-" : `${(bytes / 1e3).toFixed(bytes < 10e3 ? 1 : 0)} kB`;
}

function megabytes(bytes: number | null): string {
  return bytes === null ? "-" : `${(bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0)} MB`;
}

function seconds(value: number | null): string {
  return value === null ? "-" : `${value.toFixed(1)} s`;
}

function duration(total: number): string {
  if (total < 60) return `${total} s`;
  if (total < 3_600) return `${Math.floor(total / 60)} min`;
  if (total < 86_400) return `${Math.floor(total / 3_600)} h ${Math.floor((total % 3_600) / 60)} min`;
  return `${Math.floor(total / 86_400)} d ${Math.floor((total % 86_400) / 3_600)} h`;
}
