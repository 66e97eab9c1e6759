// Says whether a configuration is good, and with --connect whether its backends are.

import Table from "cli-table3";
import type { Backend } from "../backend/backend.ts";
import { Fleet } from "../backend/fleet.ts";
import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/problem.ts";
import { checkBind } from "../config/security.ts";
import { redact, silentLog } from "../log.ts";
import { VERSION } from "../version.ts";
import { type CommonOptions, readConfig } from "./config-option.ts";

export interface CheckOptions extends CommonOptions {
  readonly connect?: boolean;
  readonly json?: boolean;
}

interface Row {
  readonly backend: string;
  readonly state: string;
  readonly transport: string;
  readonly revision: string;
  readonly tools: number | null;
  readonly ms: number | null;
  readonly error: string | null;
}

/** Exit code 1 where a backend that is enabled does not start. */
export async function check(options: CheckOptions): Promise<void> {
  const config = readConfig(options);
  const problem = checkBind(config);
  if (problem !== undefined) throw new ConfigError([problem]);
  const rows = options.connect === true ? await connectAll(config) : config.backends.map(unconnected);
  const isGood = rows.every(({ error }) => error === null);
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ config: config.path ?? null, ok: isGood, backends: rows }, null, 2)}\n`,
    );
  } else {
    process.stdout.write(toText(config, rows, options.connect === true));
  }
  if (!isGood) process.exitCode = 1;
}

function unconnected({ name, enabled, problem, wire }: Config["backends"][number]): Row {
  const isBroken = enabled && problem !== undefined;
  return {
    backend: name,
    state: !enabled ? "disabled" : isBroken ? "failed" : "ok",
    transport: wire.kind === "stdio" ? "stdio" : wire.transport,
    revision: "",
    tools: null,
    ms: null,
    error: isBroken ? (problem ?? null) : null,
  };
}

async function connectAll(config: Config): Promise<Row[]> {
  const log = silentLog;
  await using fleet = new Fleet(config.backends, {
    identity: { name: "mcp-gateway", version: VERSION },
    log,
  });
  return await Promise.all(fleet.all().map(connect));
}

async function connect(backend: Backend): Promise<Row> {
  if (!backend.config.enabled) return unconnected(backend.config);
  const startedMs = performance.now();
  const error = await backend.tools(new AbortController().signal).then(
    () => null,
    (thrown: unknown) => redact(thrown instanceof Error ? thrown.message : String(thrown)),
  );
  const { state, transport, revision, toolCount } = backend.status();
  return {
    backend: backend.name,
    state: error === null ? "ok" : state === "ready" ? "no tools" : "failed",
    transport,
    revision: revision ?? "",
    tools: toolCount ?? null,
    ms: Math.round(performance.now() - startedMs),
    error,
  };
}

function toText(config: Config, rows: readonly Row[], isConnected: boolean): string {
  const head = `${config.path ?? "no configuration found; the demo"}: the configuration is good\n`;
  if (rows.length === 0) return `${head}no backends\n`;
  const columns = isConnected
    ? ["backend", "state", "transport", "revision", "tools", "ms"]
    : ["backend", "state", "transport"];
  const table = new Table({ head: columns, style: { head: [], border: [], compact: true }, chars: PLAIN });
  for (const row of rows) {
    const cells = [row.backend, row.state, row.transport, row.revision, row.tools ?? "", row.ms ?? ""];
    table.push(cells.slice(0, columns.length));
  }
  const errors = rows.filter(({ error }) => error !== null).map(({ error }) => `\n${error}\n`);
  return `${head}${table.toString()}\n${errors.join("")}`;
}

const EDGES = [
  "top",
  "top-mid",
  "top-left",
  "top-right",
  "bottom",
  "bottom-mid",
  "bottom-left",
  "bottom-right",
] as const;
const INNER = ["left", "left-mid", "mid", "mid-mid", "right", "right-mid"] as const;
const PLAIN = { ...Object.fromEntries([...EDGES, ...INNER].map((edge) => [edge, ""])), middle: "  " };
