// Asks a running gateway how it is: for people, and as the probe of a container. Never starts anything.

import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Config } from "../config/config.ts";
import { ConfigError, ConfigFileError } from "../config/problem.ts";
import { isLoopback } from "../config/security.ts";
import { redact } from "../log.ts";
import { readConfig } from "./config-option.ts";

const TIMEOUT_MS = 5_000;

export interface HealthOptions {
  readonly url?: string;
  readonly config?: string;
  readonly json?: boolean;
  readonly strict?: boolean;
}

const Backend = Type.Object({
  state: Type.String(),
  transport: Type.String(),
  tools_cached: Type.Integer(),
  last_error: Type.Union([Type.String(), Type.Null()]),
});
/** Without the token there are no names, only how many are in which state. */
const Reply = Type.Object({
  status: Type.Union([Type.Literal("healthy"), Type.Literal("degraded")]),
  backends: Type.Optional(Type.Record(Type.String(), Backend)),
  states: Type.Optional(Type.Record(Type.String(), Type.Integer())),
});
type Reply = Static<typeof Reply>;

/** Exit code 1 where it does not answer, or with --strict where it is degraded; never 2, which Docker keeps for itself. */
export async function health(options: HealthOptions): Promise<void> {
  try {
    const { url, token } = findGateway(options);
    const reply = await ask(url, token);
    process.stdout.write(options.json === true ? `${JSON.stringify(reply, null, 2)}\n` : toText(url, reply));
    if (options.strict === true && reply.status === "degraded") process.exitCode = 1;
  } catch (thrown) {
    process.stderr.write(`Error: ${redact(explain(thrown))}\n`);
    process.exitCode = 1;
  }
}

interface Place {
  readonly url: URL;
  readonly token: string | undefined;
}

/** The URL that was asked for, or where a gateway with this configuration listens. */
function findGateway({ url, config }: HealthOptions): Place {
  if (url !== undefined) return { url: healthUrl(url), token: process.env.MCP_GATEWAY_TOKEN };
  const { host, port, auth } = readConfig({ ...(config === undefined ? {} : { config }), logFormat: "text" });
  return { url: healthUrl(`http://${reachable(host)}:${port}`), token: auth.token };
}

/** A gateway that listens everywhere is reached at home. */
function reachable(host: Config["host"]): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

function healthUrl(written: string): URL {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new Error(`"${written}" is not the URL of a gateway; it looks like http://127.0.0.1:39400`);
  }
  url.pathname = `${url.pathname.replace(/\/+$/, "").replace(/\/(?:mcp|health)$/, "")}/health`;
  return url;
}

async function ask(url: URL, token: string | undefined): Promise<Reply> {
  const response = await fetch(url, {
    headers: token === undefined || token === "" ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    redirect: "error",
    // A proxy from the environment cannot reach this machine's own loopback.
    proxy: isLoopback(url.hostname) ? false : undefined,
  }).catch((thrown: unknown) => {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Error(`no gateway answers at ${url.href}: ${reason}`, { cause: thrown });
  });
  const reply: unknown = await response.json().catch(() => undefined);
  if (response.ok && Value.Check(Reply, reply)) return reply;
  throw new Error(`what answers at ${url.href} is no mcp-gateway (HTTP ${response.status})`);
}

function toText(url: URL, { status, backends, states }: Reply): string {
  const head = `${url.origin} is ${status}\n`;
  if (backends === undefined) {
    const counts = Object.entries(states ?? {}).map(([state, count]) => `${count} ${state}`);
    return `${head}  ${counts.length === 0 ? "no backends" : counts.join(", ")}; with the token it tells their names\n`;
  }
  const rows = Object.entries(backends).map(([name, backend]) => {
    const { state, transport, tools_cached: tools, last_error: error } = backend;
    return [name, state, transport, `${tools} tools`, state === "failed" ? (error ?? "") : ""];
  });
  return head + layOut(rows).join("");
}

function layOut(rows: readonly string[][]): string[] {
  const widths = [0, 1, 2, 3, 4].map((at) => Math.max(0, ...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map(
    (row) =>
      `  ${row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd()}\n`,
  );
}

function explain(thrown: unknown): string {
  if (thrown instanceof ConfigError) return `where the gateway listens cannot be read:\n${thrown.format()}`;
  if (thrown instanceof ConfigFileError) return thrown.message;
  return thrown instanceof Error ? thrown.message : String(thrown);
}
