// Says whether a configuration is good, and with --connect whether its backends are.

import type { BackendConfig, Config } from "../config/config.ts";
import { ConfigError } from "../config/problem.ts";
import { checkBind } from "../config/security.ts";
import { type Trial, tryBackends } from "../core.ts";
import { below, shownLine } from "../shown.ts";
import { type CommonOptions, readConfig } from "./config-option.ts";
import { printJson, printResult, table } from "./print.ts";
import { untilInterrupted } from "./until-interrupted.ts";

export interface CheckOptions extends CommonOptions {
  readonly connect?: boolean;
  readonly json?: boolean;
}

interface Row {
  readonly backend: string;
  readonly state: "ok" | "failed" | "disabled";
  readonly transport: string;
  readonly revision: string | null;
  readonly tools: number | null;
  readonly ms: number | null;
  readonly drift: string | null;
  readonly error: string | null;
}

/** Exit code 1 where a backend that is enabled does not start. */
export async function check(options: CheckOptions): Promise<void> {
  const config = readConfig(options);
  const problem = checkBind(config);
  if (problem !== undefined) throw new ConfigError([problem]);
  const trials = options.connect === true ? await tryBackends(config, untilInterrupted()) : [];
  const rows = config.backends.map((backend) => {
    const trial = trials.find(({ name }) => name === backend.name);
    return trial === undefined ? untried(backend) : tried(trial);
  });
  const isGood = rows.every(({ error }) => error === null);
  const notes = config.notes ?? [];
  if (options.json === true) printJson({ config: config.path ?? null, ok: isGood, notes, backends: rows });
  else printResult(toText(config, rows, options.connect === true));
  if (!isGood) process.exitCode = 1;
}

function untried({ name, enabled, problem, wire }: BackendConfig): Row {
  const error = enabled ? (problem ?? null) : null;
  const broken = error === null ? "ok" : "failed";
  return {
    backend: name,
    state: enabled ? broken : "disabled",
    transport: wire.kind === "stdio" ? "stdio" : wire.transport,
    revision: null,
    tools: null,
    ms: null,
    drift: null,
    error,
  };
}

function tried({ name, transport, revision, toolCount, milliseconds, drift, error }: Trial): Row {
  return {
    backend: name,
    state: error === undefined ? "ok" : "failed",
    transport,
    revision: revision ?? null,
    tools: toolCount ?? null,
    ms: milliseconds,
    drift: drift ?? null,
    error: error ?? null,
  };
}

function toText(config: Config, rows: readonly Row[], isConnected: boolean): string {
  const head = `${config.path ?? "no configuration found, so this is the demo"}: the configuration is good`;
  const notes = (config.notes ?? []).map((note) => `note: ${shownLine(note)}`);
  if (rows.length === 0) return [head, "no backends", ...notes].join("\n");
  const columns = isConnected
    ? (["backend", "state", "transport", "revision", "tools", "ms"] as const)
    : (["backend", "state", "transport"] as const);
  const cells = rows.map((row) => columns.map((column) => String(row[column] ?? "-")));
  const errors = rows.map(({ error }) => error).filter((error) => error !== null);
  const drifts = rows.filter(({ drift, error }) => drift !== null && error === null);
  const changes = drifts.map(({ backend, drift }) => `\n${backend}: ${drift}`);
  const wrong = errors.map((error) => `\n${below(error)}`);
  return [head, ...notes, table([columns, ...cells]), ...changes, ...wrong].join("\n");
}
