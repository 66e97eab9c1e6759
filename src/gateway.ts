// The composition root: builds everything from a configuration, owns every lifetime, ends it in order.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Fleet } from "./backend/fleet.ts";
import type { Config } from "./config/config.ts";
import { loadConfig } from "./config/load.ts";
import { ConfigError } from "./config/problem.ts";
import type { ConfigInput } from "./config/schema.ts";
import { checkBind } from "./config/security.ts";
import { Heartbeat } from "./edge/event-sink.ts";
import { Guard } from "./edge/guard.ts";
import { serveHttp } from "./edge/http.ts";
import { LegacyEdge } from "./edge/legacy.ts";
import { McpEdge } from "./edge/mcp.ts";
import { ModernEdge } from "./edge/modern.ts";
import { RunningCalls } from "./edge/running-calls.ts";
import { Seal } from "./edge/seal.ts";
import { loadSessionKey } from "./edge/session-key.ts";
import { EndedSessions, Sessions } from "./edge/sessions.ts";
import { stateFolder } from "./folders.ts";
import { type Log, silentLog } from "./log.ts";
import { readHealth, readHealthSummary } from "./ops/health.ts";
import { Metrics } from "./ops/metrics.ts";
import { observeInto } from "./ops/observe.ts";
import type { Implementation } from "./protocol/mcp.ts";
import { DirectTarget } from "./target/direct.ts";
import { MergedTarget } from "./target/merged.ts";
import { MetaTarget } from "./target/meta.ts";
import type { Target } from "./target/target.ts";
import { ToolSearch } from "./target/tool-search.ts";
import { COMMIT, VERSION } from "./version.ts";

/** How long calls in flight may go on when the gateway stops. */
const DRAIN_MS = 10_000;
const IDENTITY: Implementation = { name: "mcp-gateway", version: VERSION };

export interface GatewayOptions {
  /** Silent unless given. */
  readonly log?: Log;
  /** Where the session key is kept; the user's state folder unless given. */
  readonly stateFolder?: string;
}

/** A running gateway. `await using gateway = await Gateway.start(config)` ends it with the block. */
export class Gateway implements AsyncDisposable {
  readonly config: Config;
  readonly fleet: Fleet;
  /** `http://host:port` */
  readonly url: string;
  readonly #owned: AsyncDisposableStack;
  #closing: Promise<void> | undefined;

  private constructor(config: Config, fleet: Fleet, url: string, owned: AsyncDisposableStack) {
    this.config = config;
    this.fleet = fleet;
    this.url = url;
    this.#owned = owned;
  }

  /**
   * Starts serving; no backend is started before it is needed.
   * Throws ConfigError where the configuration is wrong or would let strangers in, and what the socket says where it
   * cannot listen.
   */
  static async start(input: Config | ConfigInput, options: GatewayOptions = {}): Promise<Gateway> {
    const config = isFinished(input) ? input : loadConfig(input);
    const problem = checkBind(config);
    if (problem !== undefined) throw new ConfigError([problem]);
    await using owned = new AsyncDisposableStack();
    const { core, url } = await build(config, options, owned);
    return new Gateway(config, core.fleet, url, owned.move());
  }

  /** Stops listening, lets calls in flight end, then ends every backend. */
  close(): Promise<void> {
    this.#closing ??= this.#owned.disposeAsync();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function isFinished(input: Config | ConfigInput): input is Config {
  return "enableMetaMcp" in input;
}

/** Everything that is the same whether clients come by HTTP or by stdio. */
export interface Core {
  readonly fleet: Fleet;
  readonly metrics: Metrics;
  readonly modern: ModernEdge;
  readonly log: Log;
  readonly key: Buffer;
  readonly root: Target;
  /** One target for each backend, the same one each time. */
  readonly target: (backend: string) => Target | undefined;
}

export async function buildCore(
  config: Config,
  options: GatewayOptions,
  owned: AsyncDisposableStack,
): Promise<Core> {
  const log = options.log ?? silentLog;
  const metrics = new Metrics({ version: VERSION, commit: COMMIT });
  const fleet = new Fleet(config.backends, { identity: IDENTITY, log, observe: observeInto(metrics) });
  owned.defer(() => fleet.drain(DRAIN_MS));
  const key = await sessionKey(options, log);
  const running = owned.use(new RunningCalls(new Seal(key, "request-state")));
  const targets = new Map<string, Target>();
  return {
    fleet,
    metrics,
    log,
    key,
    modern: new ModernEdge(running, log),
    root: rootTarget(config, fleet, metrics),
    target: (name) => {
      const backend = fleet.get(name);
      if (backend === undefined) return;
      const target = targets.get(name) ?? new DirectTarget(backend);
      targets.set(name, target);
      return target;
    },
  };
}

async function build(config: Config, options: GatewayOptions, owned: AsyncDisposableStack) {
  const core = await buildCore(config, options, owned);
  const { fleet, metrics, log, key } = core;
  const heartbeat = owned.use(new Heartbeat());
  const ended = new EndedSessions();
  const sessions = owned.use(new Sessions({ seal: new Seal(key, "session"), log, heartbeat, ended }));
  const http = await serveHttp({
    host: config.host,
    port: config.port,
    guard: new Guard(config.host, config.auth),
    mcp: new McpEdge({ modern: core.modern, legacy: new LegacyEdge(sessions), heartbeat, log }),
    log,
    root: core.root,
    backend: core.target,
    backendNames: () => fleet.enabled().map(({ name }) => name),
    health: (isFull) => (isFull ? readHealth(fleet) : readHealthSummary(fleet)),
    metrics: () => {
      metrics.sessions(sessions.count);
      return metrics.text();
    },
  });
  owned.use(http);
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  return { core, url: `http://${host}:${http.port}` };
}

function rootTarget(config: Config, fleet: Fleet, metrics: Metrics): Target {
  if (!config.enableMetaMcp) return new MergedTarget({ fleet, identity: IDENTITY });
  const search = new ToolSearch(fleet, (seconds) => metrics.searched(seconds));
  return new MetaTarget({ fleet, identity: IDENTITY, search });
}

/** A state folder that cannot be used costs the sessions a restart, and nothing else. */
async function sessionKey(options: GatewayOptions, log: Log): Promise<Buffer> {
  const path = join(options.stateFolder ?? stateFolder(), "session.key");
  try {
    return await loadSessionKey(path);
  } catch (thrown) {
    log.warning("sessions will not outlive this process: the session key cannot be kept", {
      path,
      error: thrown instanceof Error ? thrown.message : String(thrown),
    });
    return randomBytes(32);
  }
}
