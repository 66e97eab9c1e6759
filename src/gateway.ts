// The gateway over HTTP: the composition root. Builds everything from a configuration, owns every lifetime, ends it in order.

import { join } from "node:path";
import type { Config } from "./config/config.ts";
import type { ConfigInput } from "./config/schema.ts";
import { buildCore, type Core, type CoreOptions } from "./core.ts";
import { Bodies } from "./edge/body.ts";
import { openEndedSessions } from "./edge/ended-sessions-file.ts";
import { Heartbeat } from "./edge/event-sink.ts";
import { Guard } from "./edge/guard.ts";
import { type HttpServer, serveHttp } from "./edge/http.ts";
import { SseEdge } from "./edge/http-sse.ts";
import { LegacyEdge } from "./edge/legacy.ts";
import { McpEdge } from "./edge/mcp.ts";
import { Seal } from "./edge/seal.ts";
import { Sessions } from "./edge/sessions.ts";
import { backendHealth, readHealth, readHealthSummary } from "./ops/health.ts";
import { type RestartReply, readStatus } from "./ops/status.ts";
import { type ConfigSource, finishNetworkConfig, type Reload, Reloading } from "./reloading.ts";
import { shownText } from "./shown.ts";
import { directTargetName } from "./target/direct.ts";

/** How long calls may run on when the gateway stops. Together with the end of the processes it is less than 15 s. */
const DRAIN_MS = 8_000;
/** Longer than any start may take; its own start_timeout ends it before. */
const RESTART_MS = 24 * 3_600_000;

export interface GatewayOptions extends CoreOptions {
  /** Told whenever a client has sent something. */
  readonly onMessage?: () => void;
}

/** A running gateway. `await using gateway = await Gateway.start(config)` ends it with the block. */
export class Gateway implements AsyncDisposable {
  /** `http://host:port` */
  readonly url: string;
  readonly #reloading: Reloading;
  readonly #core: Core;
  readonly #http: HttpServer;
  readonly #owned: AsyncDisposableStack;
  #closing: Promise<void> | undefined;

  private constructor(reloading: Reloading, core: Core, http: HttpServer, owned: AsyncDisposableStack) {
    const { host } = reloading.config;
    this.url = `http://${host.includes(":") ? `[${host}]` : host}:${http.port}`;
    this.#reloading = reloading;
    this.#core = core;
    this.#http = http;
    this.#owned = owned;
  }

  /** The newest that was taken up. */
  get config(): Config {
    return this.#reloading.config;
  }

  /**
   * Starts serving; no backend is started before it is needed.
   * Throws ConfigError where the configuration is wrong or would let strangers in, and what the socket says where it
   * cannot listen.
   */
  static async start(input: Config | ConfigInput, options: GatewayOptions = {}): Promise<Gateway> {
    const config = finishNetworkConfig(input);
    await using owned = new AsyncDisposableStack();
    const core = await buildCore(config, options, owned);
    const wrote = (bytes: number) => core.metrics.bytes("out", bytes);
    const heartbeat = owned.use(new Heartbeat(wrote, core.memory));
    const seal = new Seal(core.key, "session");
    const ended = openEndedSessions(join(core.stateFolder, "ended-sessions"), core.log);
    const sessions = owned.use(new Sessions({ seal, log: core.log, heartbeat, ended }));
    const reloading = new Reloading(config, {
      log: core.log,
      check: finishNetworkConfig,
      apply: (next) => applyBackends(next, core, sessions),
    });
    const serving = { owned, heartbeat, sessions, onMessage: options.onMessage };
    const http = owned.use(await listen(reloading, core, serving));
    return new Gateway(reloading, core, http, owned.move());
  }

  /**
   * Takes up another configuration: backends whose settings are the same keep their process, sessions and calls. Changes
   * are made one after the other; a function is asked for the configuration when its turn has come. Host, port and other
   * keys named in `needsRestart` stay as they are.
   * Rejects with ConfigError (or what the function throws) where it is wrong; then nothing has changed.
   */
  reload(source: ConfigSource): Promise<Reload> {
    return this.#reloading.reload(source);
  }

  /**
   * Ends one backend when it has done what it was asked, and starts it anew at once; what it failed with is forgotten.
   * Resolves when the new one is ready or has failed; undefined for an unknown name.
   */
  restart(name: string): Promise<RestartReply | undefined> {
    return restartBackend(this.#core, name);
  }

  /** Stops listening, lets calls in flight end, then ends every backend. Calls that are cut off are answered. */
  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drain(): Promise<void> {
    this.#reloading[Symbol.dispose]();
    this.#http.stopListening();
    const { fleet, log } = this.#core;
    const calls = fleet.inFlight();
    if (Object.keys(calls).length > 0)
      log.info("waiting for calls in flight", { calls, seconds: DRAIN_MS / 1000 });
    await fleet.whenIdle(DRAIN_MS);
    const left = fleet.inFlight();
    if (Object.keys(left).length > 0) log.warning("ending calls that are still in flight", { calls: left });
    // Calls that still wait get their answers before the connections of clients are closed.
    await fleet[Symbol.asyncDispose]();
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    await this.#owned.disposeAsync();
  }
}

/** Gives every backend the settings that it has now. What is no longer wanted ends when it has done what it was asked. */
function applyBackends(config: Config, { fleet, metrics, activity, memory }: Core, sessions: Sessions) {
  memory.limitBytes = config.memoryLimitBytes;
  const { added, changed, removed } = fleet.apply(config.backends);
  for (const { name, ended } of removed) {
    const left = sessions.endAllOf(directTargetName(name));
    void ended.then(() => {
      left[Symbol.dispose]();
      if (fleet.get(name) !== undefined) return;
      metrics.forget(name);
      activity.forget(name);
    });
  }
  return { added, changed, removed: removed.map(({ name }) => name) };
}

async function restartBackend({ fleet, log }: Core, name: string): Promise<RestartReply | undefined> {
  const backend = fleet.renew(name);
  if (backend === undefined) return undefined;
  log.info("restarting, as somebody asked for it", { backend: name });
  const startedMs = performance.now();
  const error = await backend.wake(AbortSignal.timeout(RESTART_MS)).then(
    () => null,
    (thrown: unknown) => shownText(thrown instanceof Error ? thrown.message : String(thrown)),
  );
  const milliseconds = Math.round(performance.now() - startedMs);
  return { name, state: backendHealth(backend).state, milliseconds, error };
}

interface Serving {
  readonly owned: AsyncDisposableStack;
  readonly heartbeat: Heartbeat;
  readonly sessions: Sessions;
  readonly onMessage: (() => void) | undefined;
}

function listen(
  reloading: Reloading,
  core: Core,
  { owned, heartbeat, sessions, onMessage }: Serving,
): Promise<HttpServer> {
  const { fleet, metrics, log } = core;
  const { host, port, publicUrl } = reloading.config;
  const bodies = new Bodies(core.memory);
  return serveHttp({
    host,
    port,
    publicUrl,
    via: core.via,
    guard: new Guard(reloading.config, core.key),
    mcp: new McpEdge({
      modern: core.modern,
      legacy: new LegacyEdge(sessions, log),
      heartbeat,
      bodies,
      log,
      read: (bytes) => {
        metrics.bytes("in", bytes);
        onMessage?.();
      },
    }),
    sse: owned.use(new SseEdge({ modern: core.modern, heartbeat, bodies, log })),
    log,
    root: core.root,
    backend: core.target,
    backendNames: () => fleet.enabled().map(({ name }) => name),
    health: (isFull) => ({
      ...(isFull ? readHealth(fleet) : readHealthSummary(fleet)),
      ...configHealth(reloading.error, isFull),
    }),
    metrics: () => {
      metrics.sessions(sessions.count);
      return metrics.text();
    },
    status: () =>
      readStatus(fleet, core.activity, {
        memory: core.memory,
        sessions: sessions.count,
        config: reloading.config.path,
        configError: reloading.error,
      }),
    restart: (name) => restartBackend(core, name),
  });
}

/** What is wrong with the newest configuration may name what only those with the token may know. */
function configHealth(error: string | undefined, isFull: boolean): { readonly config_error: string | null } {
  if (error === undefined) return { config_error: null };
  return { config_error: isFull ? error : "the newest configuration is not used; the log says why" };
}
