// From the options that several commands share to a configuration and a log.

import { isDeepStrictEqual } from "node:util";
import type { BackendConfig, Config } from "../config/config.ts";
import { loadConfig, type Overrides } from "../config/load.ts";
import { locateConfig } from "../config/locate.ts";
import { createLog, type Log, type LogFormat, type LogLevel } from "../log.ts";
import { ownProgram } from "./own-program.ts";

export interface CommonOptions {
  readonly config?: string;
  readonly logLevel?: LogLevel;
  readonly logFormat: LogFormat;
}

/** Throws ConfigError or ConfigFileError. Without any file it is the demo. */
export function readConfig(options: CommonOptions, overrides: Overrides = {}): Config {
  const path = locateConfig(options.config);
  const all = { ...overrides, logLevel: options.logLevel };
  if (path !== undefined) return loadConfig(path, all);
  const config = loadConfig({ backends: {} }, all);
  // Nothing is missing: the demo stands in for the backends that loading would remark on.
  return { ...config, backends: [demoBackend(config)], notes: [] };
}

/** Logs at the level of this configuration, unless told where to look for another one. */
export function createCommandLog(
  config: Config,
  options: CommonOptions,
  level: () => LogLevel = () => config.logLevel,
): Log {
  const color = process.stderr.isTTY === true && (process.env.NO_COLOR ?? "") === "";
  const log = createLog({ level, format: options.logFormat, color });
  logFindings(log, config);
  return log;
}

/** What loading noticed and did not refuse; after a change of the configuration, what is new of it. */
export function logFindings(log: Log, config: Config, before?: Config): void {
  const isNews = (finding: unknown, known: readonly unknown[]) =>
    !known.some((old) => isDeepStrictEqual(old, finding));
  for (const note of config.notes ?? []) {
    if (isNews(note, before?.notes ?? [])) log.warning(note);
  }
  const known = before === undefined ? [] : brokenBackends(before);
  for (const broken of brokenBackends(config)) {
    if (isNews(broken, known)) log.warning("a backend cannot start", broken);
  }
}

function brokenBackends({ backends }: Config) {
  return backends.flatMap(({ name, enabled, problem }) =>
    enabled && problem !== undefined ? [{ backend: name, problem }] : [],
  );
}

/** This very program as a backend: it needs no other software. */
function demoBackend(config: Config): BackendConfig {
  const [defaults] = loadConfig({ backends: { demo: { command: "demo" } } }).backends;
  if (defaults === undefined) throw new Error("the demo has no configuration");
  return {
    ...defaults,
    description: `Demo tools to try the gateway with; give it your own servers in ${config.path ?? "servers.yaml"}`,
    wire: { kind: "stdio", argv: [...ownProgram(), "demo"], env: {} },
  };
}
