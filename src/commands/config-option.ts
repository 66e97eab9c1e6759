// From the options that several commands share to a configuration and a log.

import type { BackendConfig, Config } from "../config/config.ts";
import { loadConfig, type Overrides } from "../config/load.ts";
import { locateConfig } from "../config/locate.ts";
import { createLog, type Log, type LogFormat, type LogLevel } from "../log.ts";

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

export function createCommandLog(config: Config, options: CommonOptions): Log {
  const color = process.stderr.isTTY === true && (process.env.NO_COLOR ?? "") === "";
  const log = createLog({ level: config.logLevel, format: options.logFormat, color });
  for (const note of config.notes ?? []) log.warning(note);
  for (const { name, enabled, problem } of config.backends) {
    if (enabled && problem !== undefined) log.warning("a backend cannot start", { backend: name, problem });
  }
  return log;
}

/** This very program as a backend: it needs no other software. */
function demoBackend(config: Config): BackendConfig {
  const isCompiled = import.meta.url.includes("$bunfs") || import.meta.url.includes("~BUN");
  const program = isCompiled ? [process.execPath] : [process.execPath, Bun.main];
  const [defaults] = loadConfig({ backends: { demo: { command: "demo" } } }).backends;
  if (defaults === undefined) throw new Error("the demo has no configuration");
  return {
    ...defaults,
    description: `Demo tools to try the gateway with; give it your own servers in ${config.path ?? "servers.yaml"}`,
    wire: { kind: "stdio", argv: [...program, "demo"], env: {} },
  };
}
