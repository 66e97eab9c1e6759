// The gateway for one client that only speaks stdio: the meta target, or one backend, over stdin and stdout.

import { serveOverStdio } from "../stdio-gateway.ts";
import { type CommonOptions, createCommandLog, readConfig } from "./config-option.ts";

export interface StdioOptions extends CommonOptions {
  readonly backend?: string;
  /** False with --no-meta-mcp. */
  readonly metaMcp: boolean;
}

export async function serveStdio(options: StdioOptions): Promise<void> {
  const config = readConfig(options, options.metaMcp ? {} : { enableMetaMcp: false });
  const stopped = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopped.abort());
  await serveOverStdio(config, {
    log: createCommandLog(config, options),
    input: Bun.stdin.stream(),
    write: (text) => void process.stdout.write(text),
    signal: stopped.signal,
    ...(options.backend === undefined ? {} : { backend: options.backend }),
  });
}
