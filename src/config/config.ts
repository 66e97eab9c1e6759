// What the rest of the program knows of the configuration: finished values, everything expanded and defaulted.

import type { LogLevel } from "../log.ts";

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly enableMetaMcp: boolean;
  readonly logLevel: LogLevel;
  /** A search or a list of tools starts the backend that it points at. */
  readonly prewarm: boolean;
  readonly auth: AuthConfig;
  /** Further Host names that clients may use, without a port. */
  readonly allowedHosts: readonly string[];
  /** `scheme://host:port`, `scheme://*` for a scheme of an app, or `null`. */
  readonly allowedOrigins: readonly string[];
  /** The gateway's URL for clients beyond a reverse proxy: http or https, with at most a path. */
  readonly publicUrl?: string;
  /** `server.tool`, each once: real tools that `/mcp` shows next to the four. */
  readonly pinned: readonly string[];
  /** What gateway_invoke gives at once; 0: everything. */
  readonly maxResultTokens: number;
  /** The limit for everything that is held for clients and backends, in bytes. */
  readonly memoryLimitBytes: number;
  /** In the order of the file. */
  readonly backends: readonly BackendConfig[];
  /** The file that this came from, absolute; absent for a config built in code and for the demo. */
  readonly path?: string;
  /** What loading noticed and did not refuse (a key without effect …), for people; logged once at start. */
  readonly notes?: readonly string[];
}

export interface AuthConfig {
  readonly token?: string;
  /** True where the file says in so many words that a non-loopback bind needs no token. */
  readonly disabled: boolean;
  /** What legacy session ids are signed with; replicas that share it take each other's sessions. */
  readonly sessionKey?: string;
}

export interface BackendConfig {
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
  /** Why this backend cannot be started although it is enabled (an unset variable …), for people. */
  readonly problem?: string;
  readonly wire: WireConfig;
  /** Which of its tools there are, and how they are called; absent: all as they are. */
  readonly tools?: ToolRules;
  /** `auto`, or one protocol revision to hold this backend to. */
  readonly protocol: string;
  /** 0: never. */
  readonly idleTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly startTimeoutMs: number;
  /** How long the client may leave a question of this backend unanswered. */
  readonly questionTimeoutMs: number;
  /** Started with the gateway. */
  readonly warm: boolean;
  /** Never asleep once started; started again when it dies. */
  readonly keepAlive: boolean;
  /** `session`: a process for each client. */
  readonly scope: "shared" | "session";
  /** The most processes at a time where the scope is `session`. */
  readonly maxInstances: number;
  /** 0: no limit. */
  readonly maxConcurrency: number;
}

/** By the server's own names of its tools. */
export interface ToolRules {
  /** Globs; absent: all. */
  readonly allow?: readonly string[];
  /** Globs. */
  readonly deny: readonly string[];
  readonly rename: Readonly<Record<string, string>>;
  readonly describe: Readonly<Record<string, string>>;
}

export type WireConfig = StdioConfig | UrlConfig;

export interface StdioConfig {
  readonly kind: "stdio";
  /** Program and arguments, already split. */
  readonly argv: readonly string[];
  /** The `env` of this backend alone; the safe set of the gateway's own environment is added at start. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute. */
  readonly cwd?: string;
  /** Processes that the backend starts in a session of their own outlive it; absent: they end with it. */
  readonly keepsDetached?: boolean;
}

export interface UrlConfig {
  readonly kind: "url";
  readonly url: string;
  readonly transport: "auto" | "http" | "sse";
  readonly headers: Readonly<Record<string, string>>;
}
