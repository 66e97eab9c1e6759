// The public API for programs that embed the gateway.

export type { BackendConfig, Config } from "./config/config.ts";
export { loadConfig } from "./config/load.ts";
export { ConfigError, ConfigFileError, type ConfigProblem } from "./config/problem.ts";
export type { ConfigInput } from "./config/schema.ts";
export { Gateway, type GatewayOptions } from "./gateway.ts";
export { createLog, type Log, type LogLevel } from "./log.ts";
export type { ConfigSource, Reload } from "./reloading.ts";
