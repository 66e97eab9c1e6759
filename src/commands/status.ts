// Asks a running gateway what its backends do and take of the machine.

import { Value } from "@sinclair/typebox/value";
import { type BackendStatus, GatewayStatus } from "../ops/status.ts";
import { shownText } from "../shown.ts";
import { ask, explain, type FindOptions, findGateway, layOut, type Place } from "./find-gateway.ts";

const TIMEOUT_MS = 10_000;

export interface StatusOptions extends FindOptions {
  readonly json?: boolean;
}

/** Exit code 1 where no gateway answers. */
export async function status(options: StatusOptions): Promise<void> {
  try {
    const place = findGateway(options);
    const reply = await askStatus(place);
    process.stdout.write(
      options.json === true ? `${JSON.stringify(reply, null, 2)}\n` : toText(place.base, reply),
    );
  } catch (thrown) {
    process.stderr.write(`Error: ${shownText(explain(thrown))}\n`);
    process.exitCode = 1;
  }
}

async function askStatus(place: Place): Promise<GatewayStatus> {
  const { url, isOk, status: code, body } = await ask(place, { route: "status", timeoutMs: TIMEOUT_MS });
  if (isOk && Value.Check(GatewayStatus, body)) return body;
  throw new Error(refusalOf(url, code, body));
}

/** The gateway's own words where it has some. */
export function refusalOf(url: URL, code: number, body: unknown): string {
  const error = typeof body === "object" && body !== null && "error" in body ? body.error : undefined;
  const words = typeof error === "object" && error !== null && "message" in error ? error.message : undefined;
  if (typeof words === "string") {
    return code === 401 ? `${words} It is read from MCP_GATEWAY_TOKEN or the configuration.` : words;
  }
  return `what answers at ${url.href} is no mcp-gateway of this version (HTTP ${code})`;
}

function toText(base: URL, reply: GatewayStatus): string {
  const { totals } = reply;
  const head = [
    `mcp-gateway ${reply.version} at ${base.origin}, pid ${reply.pid}, up ${duration(reply.uptime_seconds)}`,
    `  itself:    ${megabytes(reply.memory_bytes)}, ${seconds(reply.cpu_seconds)} of CPU, ${reply.sessions} sessions`,
    `  held:      ${megabytes(reply.held.bytes)} of ${megabytes(reply.held.limit_bytes)} for clients and backends`,
    `  backends:  ${megabytes(totals.backends_memory_bytes)}; those asleep save ${megabytes(totals.sleep_saves_bytes)}`,
    `  tools:     about ${totals.definition_tokens_estimated} tokens of definitions (a quarter of their bytes)`,
    ...(reply.config_error === null
      ? []
      : [`  the newest configuration is not used:\n${reply.config_error}`]),
  ];
  const rows = Object.entries(reply.backends).map(([name, backend]) => row(name, backend));
  const titles = ["backend", "state", "pid", "memory", "cpu", "calls", "failed", "tools", "tokens", "saves"];
  const table = rows.length === 0 ? ["  no backends\n"] : layOut([titles, ...rows]);
  return `${head.join("\n")}\n${table.join("")}${remarks(reply).join("")}`;
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
    String(backend.definition_tokens_estimated ?? "-"),
    megabytes(backend.sleep_saves_bytes),
  ];
}

function remarks({ backends }: GatewayStatus): string[] {
  return Object.entries(backends).flatMap(([name, { last_error: error, drift, ...backend }]) =>
    [error, drift, ...backend.learned.map((words) => `learned about the server: it ${words}`)]
      .filter((remark) => remark !== null)
      .map((remark) => `\n${remark.startsWith(`${name}:`) ? remark : `${name}: ${remark}`}\n`),
  );
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
