// The gateway for one client that only speaks stdio: the meta target, or one backend, over stdin and stdout.

import { StdioEdge } from "../edge/stdio.ts";
import { buildCore } from "../gateway.ts";
import { unknownBackend } from "../target/merged.ts";
import { type CommonOptions, createCommandLog, readConfig } from "./config-option.ts";

export interface StdioOptions extends CommonOptions {
  readonly backend?: string;
  readonly metaMcp: boolean;
}

export async function serveStdio(options: StdioOptions): Promise<void> {
  const config = readConfig(options, options.metaMcp ? {} : { enableMetaMcp: false });
  const log = createCommandLog(config, options);
  await using owned = new AsyncDisposableStack();
  const core = await buildCore(config, { log }, owned);
  const target = options.backend === undefined ? core.root : core.target(options.backend);
  if (target === undefined) throw unknownBackend(options.backend ?? "", core.fleet.names);
  const edge = new StdioEdge({ target, modern: core.modern, log });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => edge.stop());
  await edge.run(Bun.stdin.stream(), (line) => process.stdout.write(line));
}
