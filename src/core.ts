// What every gateway is built of, whichever way its clients come: the backends, the targets, the modern edge.

import { join } from "node:path";
import { Fleet } from "./backend/fleet.ts";
import { Via } from "./backend/via.ts";
import type { Config } from "./config/config.ts";
import { randomBytes, randomName, sha256 } from "./digest.ts";
import { ModernEdge } from "./edge/modern.ts";
import { RunningCalls } from "./edge/running-calls.ts";
import { Seal } from "./edge/seal.ts";
import { loadSessionKey } from "./edge/session-key.ts";
import { cacheFolder, stateFolder } from "./folders.ts";
import { type Log, silentLog } from "./log.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { Activity } from "./ops/activity.ts";
import { ChildLedger } from "./ops/child-ledger.ts";
import { Metrics } from "./ops/metrics.ts";
import { observeInto } from "./ops/observe.ts";
import type { Implementation } from "./protocol/mcp.ts";
import { shownText } from "./shown.ts";
import { DirectTarget } from "./target/direct.ts";
import { LargeResults } from "./target/large-results.ts";
import { MergedTarget } from "./target/merged.ts";
import { MetaTarget } from "./target/meta.ts";
import { Prewarm } from "./target/prewarm.ts";
import type { Target } from "./target/target.ts";
import { ToolSearch } from "./target/tool-search.ts";
import { COMMIT, VERSION } from "./version.ts";

export const IDENTITY: Implementation = { name: "mcp-gateway", version: VERSION };

export interface CoreOptions {
  /** Silent unless given. */
  readonly log?: Log;
  /** Where the session key and the ended sessions are kept; the user's state folder unless given. */
  readonly stateFolder?: string;
  /** Where the catalogues of backends are kept; the user's cache folder unless given. */
  readonly cacheFolder?: string;
}

export interface Core {
  readonly fleet: Fleet;
  readonly metrics: Metrics;
  readonly activity: Activity;
  readonly modern: ModernEdge;
  readonly log: Log;
  readonly via: Via;
  /** Counts the memory held for clients and backends. */
  readonly memory: MemoryBudget;
  /** Signs session ids and request states. */
  readonly key: Buffer;
  readonly stateFolder: string;
  /** What `/mcp` serves. */
  readonly root: Target;
  /** One target for each backend, the same one each time; undefined for an unknown name. */
  readonly target: (backend: string) => Target | undefined;
}

/** Everything that has a lifetime is given to `owned`; nothing is started yet. */
export async function buildCore(
  config: Config,
  options: CoreOptions,
  owned: AsyncDisposableStack,
): Promise<Core> {
  const log = options.log ?? silentLog;
  const memory = new MemoryBudget(log, config.memoryLimitBytes);
  const metrics = new Metrics({ version: VERSION, commit: COMMIT });
  metrics.watchMemory(memory);
  // Before the fleet, so that it ends after it.
  owned.use(new ChildLedger(join(options.stateFolder ?? stateFolder(), "children"), log));
  const activity = new Activity();
  const via = new Via(randomName(12));
  const fleet: Fleet = owned.use(
    new Fleet(config.backends, {
      identity: IDENTITY,
      via: (name) => via.headerFor(name),
      log,
      budget: memory,
      observe: observeInto(metrics, activity, (name) => fleet.get(name)?.pids ?? []),
      cacheFolder: options.cacheFolder ?? cacheFolder(),
    }),
  );
  const folder = options.stateFolder ?? stateFolder();
  const key = await sessionKey(config, folder, log);
  const running = owned.use(new RunningCalls(new Seal(key, "request-state")));
  const targets = new Map<string, Target>();
  return {
    fleet,
    metrics,
    activity,
    log,
    via,
    memory,
    key,
    stateFolder: folder,
    modern: new ModernEdge(running, log),
    root: rootTarget(config, { fleet, metrics, log, results: owned.use(new LargeResults({}, memory)) }),
    target: (name) => {
      if (fleet.get(name) === undefined) return void targets.delete(name);
      const known = targets.get(name);
      if (known !== undefined) return known;
      const target = new DirectTarget(fleet, name);
      targets.set(name, target);
      return target;
    },
  };
}

interface RootParts extends Pick<Core, "fleet" | "metrics" | "log"> {
  readonly results: LargeResults;
}

function rootTarget(config: Config, { fleet, metrics, log, results }: RootParts): Target {
  if (!config.enableMetaMcp) return new MergedTarget({ fleet, identity: IDENTITY, log });
  const search = new ToolSearch({
    fleet,
    prewarm: new Prewarm(config.prewarm),
    onSearched: (seconds) => metrics.searched(seconds),
  });
  return new MetaTarget({ fleet, identity: IDENTITY, search, log, results, settings: config });
}

/** The key that replicas share, or this machine's. A state folder that cannot be used costs the sessions a restart. */
async function sessionKey({ auth }: Config, folder: string, log: Log): Promise<Buffer> {
  if (auth.sessionKey !== undefined) return sha256(auth.sessionKey);
  const path = join(folder, "session.key");
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

/** How one backend did when it was started to see whether it can be. */
export interface Trial {
  readonly name: string;
  readonly isReady: boolean;
  readonly transport: string;
  readonly revision: string | undefined;
  readonly toolCount: number | undefined;
  readonly milliseconds: number;
  /** What has changed since it last started well, in a sentence. */
  readonly drift: string | undefined;
  /** Without secrets. */
  readonly error: string | undefined;
}

/**
 * Starts each enabled backend once, all at the same time, lists its tools and ends it again.
 * Rejects with the signal's reason, when everything has ended.
 */
export async function tryBackends(config: Config, signal: AbortSignal): Promise<Trial[]> {
  await using fleet = new Fleet(config.backends, {
    identity: IDENTITY,
    log: silentLog,
    cacheFolder: cacheFolder(),
    isCacheReadOnly: true,
  });
  const trials = await Promise.all(
    fleet.enabled().map(async (backend) => {
      const startedMs = performance.now();
      const error = await backend.relist(signal).then(
        () => undefined,
        (thrown: unknown) => shownText(thrown instanceof Error ? thrown.message : String(thrown)),
      );
      await backend.whenCompared();
      const { state, transport, revision, toolCount, drift } = backend.status();
      const milliseconds = Math.round(performance.now() - startedMs);
      return {
        name: backend.name,
        isReady: state === "ready",
        transport,
        revision,
        toolCount,
        milliseconds,
        drift: drift === undefined ? undefined : shownText(drift),
        error,
      };
    }),
  );
  signal.throwIfAborted();
  return trials;
}
