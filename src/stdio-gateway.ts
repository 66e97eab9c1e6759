// The gateway for one client over a pair of byte streams: the composition root of the stdio face.

import type { Config } from "./config/config.ts";
import { buildCore, type CoreOptions } from "./core.ts";
import type { Pipe } from "./edge/line-writer.ts";
import { StdioEdge } from "./edge/stdio.ts";
import { finishConfig, type Reloadable, Reloading } from "./reloading.ts";
import { unknownBackend } from "./target/merged.ts";

export interface StdioGatewayOptions extends CoreOptions {
  /** Serve this backend alone, exactly as it is. */
  readonly backend?: string;
  readonly input: ReadableStream<Uint8Array>;
  readonly output: Pipe;
  /** Ends it, as does the end of the input. */
  readonly signal: AbortSignal;
  /** Called when it serves: what can take up another configuration, until the disposal of what is returned. */
  readonly onServing?: (running: Reloadable) => Disposable;
}

/** Serves until the client closes its end; then every backend has ended. Rejects for an unknown backend. */
export async function serveOverStdio(config: Config, options: StdioGatewayOptions): Promise<void> {
  await using owned = new AsyncDisposableStack();
  const core = await buildCore(config, options, owned);
  const target = options.backend === undefined ? core.root : core.target(options.backend);
  if (target === undefined) throw unknownBackend(options.backend ?? "", core.fleet.names);
  const edge = new StdioEdge({ target, modern: core.modern, log: core.log, memory: core.memory });
  options.signal.addEventListener(
    "abort",
    () => {
      // Ends the calls in flight, so that they are answered before the edge stops.
      void core.fleet[Symbol.asyncDispose]();
      edge.stop();
    },
    { once: true },
  );
  using reloading = new Reloading(config, {
    log: core.log,
    check: finishConfig,
    apply: ({ backends, memoryLimitBytes }) => {
      core.memory.limitBytes = memoryLimitBytes;
      const { added, changed, removed } = core.fleet.apply(backends);
      return { added, changed, removed: removed.map(({ name }) => name) };
    },
  });
  using _following = options.onServing?.(reloading);
  await edge.run(options.input, options.output);
}
