// The gateway for one client that only speaks stdio: the meta target, or one backend, over stdin and stdout.

import { arrangeOwnProcess } from "../ops/own-process.ts";
import type { Reloadable } from "../reloading.ts";
import { serveOverStdio } from "../stdio-gateway.ts";
import { type CommonOptions, createCommandLog } from "./config-option.ts";
import { followConfig, openConfig } from "./follow-config.ts";
import { runAtFullSpeed } from "./full-speed.ts";
import { untilInterrupted } from "./until-interrupted.ts";

export interface StdioOptions extends CommonOptions {
  readonly backend?: string;
  /** False with --no-meta-mcp. */
  readonly metaMcp: boolean;
}

export async function serveStdio(options: StdioOptions): Promise<void> {
  using source = openConfig(options, options.metaMcp ? {} : { enableMetaMcp: false });
  const config = source.read();
  let running: Reloadable | undefined;
  const log = createCommandLog(config, options, () => (running?.config ?? config).logLevel);
  using _own = await arrangeOwnProcess();
  await serveOverStdio(config, {
    log,
    input: Bun.stdin.stream(),
    output: process.stdout,
    signal: untilInterrupted(),
    onServing: (serving) => {
      running = serving;
      runAtFullSpeed();
      return followConfig(serving, source, { log });
    },
    ...(options.backend === undefined ? {} : { backend: options.backend }),
  });
  // Without this, the runtime would wait until the client has read all output.
  process.exit(0);
}
