// The gateway over HTTP: the composition root. Builds everything from a configuration, owns every lifetime, ends it in order.

import type { Config } from "./config/config.ts";
import { loadConfig } from "./config/load.ts";
import { ConfigError } from "./config/problem.ts";
import type { ConfigInput } from "./config/schema.ts";
import { checkBind } from "./config/security.ts";
import { buildCore, type Core, type CoreOptions } from "./core.ts";
import { Heartbeat } from "./edge/event-sink.ts";
import { Guard } from "./edge/guard.ts";
import { type HttpServer, serveHttp } from "./edge/http.ts";
import { SseEdge } from "./edge/http-sse.ts";
import { LegacyEdge } from "./edge/legacy.ts";
import { McpEdge } from "./edge/mcp.ts";
import { Seal } from "./edge/seal.ts";
import { EndedSessions, Sessions } from "./edge/sessions.ts";
import { readHealth, readHealthSummary } from "./ops/health.ts";

/** How long calls in flight may go on when the gateway stops. */
const DRAIN_MS = 10_000;

export type GatewayOptions = CoreOptions;

/** A running gateway. `await using gateway = await Gateway.start(config)` ends it with the block. */
export class Gateway implements AsyncDisposable {
  readonly config: Config;
  /** `http://host:port` */
  readonly url: string;
  readonly #core: Core;
  readonly #http: HttpServer;
  readonly #owned: AsyncDisposableStack;
  #closing: Promise<void> | undefined;

  private constructor(config: Config, core: Core, http: HttpServer, owned: AsyncDisposableStack) {
    const host = config.host.includes(":") ? `[${config.host}]` : config.host;
    this.config = config;
    this.url = `http://${host}:${http.port}`;
    this.#core = core;
    this.#http = http;
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
    const core = await buildCore(config, options, owned);
    const http = owned.use(await listen(config, core, owned));
    return new Gateway(config, core, http, owned.move());
  }

  /** Stops listening, lets calls in flight end, then ends every backend. */
  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drain(): Promise<void> {
    this.#http.stopListening();
    await this.#core.fleet.whenIdle(DRAIN_MS);
    await this.#owned.disposeAsync();
  }
}

function isFinished(input: Config | ConfigInput): input is Config {
  return "enableMetaMcp" in input;
}

function listen(config: Config, core: Core, owned: AsyncDisposableStack): Promise<HttpServer> {
  const { fleet, metrics, log, key } = core;
  const heartbeat = owned.use(new Heartbeat());
  const sessions = owned.use(
    new Sessions({ seal: new Seal(key, "session"), log, heartbeat, ended: new EndedSessions() }),
  );
  return serveHttp({
    host: config.host,
    port: config.port,
    guard: new Guard(config.host, config.auth),
    mcp: new McpEdge({ modern: core.modern, legacy: new LegacyEdge(sessions), heartbeat, log }),
    sse: owned.use(new SseEdge({ modern: core.modern, heartbeat, log })),
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
}
