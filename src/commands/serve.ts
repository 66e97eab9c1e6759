// The gateway as a program: start, tell the person where it is, run until a signal, end cleanly.

import type { Config } from "../config/config.ts";
import { Gateway } from "../gateway.ts";
import { connectNotifier } from "../ops/notify.ts";
import { arrangeOwnProcess } from "../ops/own-process.ts";
import { shownLine } from "../shown.ts";
import { VERSION } from "../version.ts";
import { type CommonOptions, createCommandLog } from "./config-option.ts";
import { followConfig, openConfig } from "./follow-config.ts";
import { runAtFullSpeed } from "./full-speed.ts";
import { printNote } from "./print.ts";
import { QuietCollection } from "./quiet-collection.ts";
import { liftRequestLimit } from "./request-limit.ts";
import { untilSignal } from "./until-signal.ts";

export interface ServeOptions extends CommonOptions {
  readonly port?: number;
  readonly host?: string;
  /** False with --no-meta-mcp. */
  readonly metaMcp: boolean;
}

export async function serve(options: ServeOptions): Promise<void> {
  const overrides = {
    port: options.port,
    host: options.host,
    ...(options.metaMcp ? {} : { enableMetaMcp: false }),
  };
  using source = openConfig(options, overrides);
  const config = source.read();
  liftRequestLimit(config);
  let running: Gateway | undefined;
  const log = createCommandLog(config, options, () => (running?.config ?? config).logLevel);
  using notifier = await connectNotifier(log);
  using quiet = new QuietCollection();
  using _own = await arrangeOwnProcess();
  const gateway = await Gateway.start(config, { log, onMessage: () => quiet.worked() });
  running = gateway;
  runAtFullSpeed();
  if (options.logFormat === "json") log.info("listening", { url: `${gateway.url}/mcp`, config: config.path });
  else printNote(welcome(gateway));
  const status = () => `${gateway.url}/mcp, backends: ${gateway.config.backends.length}`;
  notifier.ready(status());
  const following = followConfig(gateway, source, {
    log,
    onBegin: () => notifier.reloading(),
    onEnd: () => notifier.ready(status()),
  });
  await untilSignal(log, () => {
    following[Symbol.dispose]();
    notifier.stopping();
    return gateway.close();
  });
}

function welcome({ config, url }: Gateway): string {
  const from = config.path ?? "no configuration found, so this is the demo";
  const port = new URL(url).port;
  const endpoint = `${isWildcard(config) ? `http://localhost:${port}` : url}/mcp`;
  const width = Math.max(0, ...config.backends.map(({ name }) => name.length));
  const backends = config.backends.map(
    (backend) =>
      `    ${backend.name.padEnd(width)}  ${shownLine(backend.description || wireOf(backend), 200)}${stateOf(backend)}`,
  );
  return [
    `mcp-gateway ${VERSION} listens on ${endpoint}`,
    `  config:   ${from}`,
    `  backends: ${config.backends.length === 0 ? "none" : ""}`.trimEnd(),
    ...backends,
    `  Claude Code:   claude mcp add --transport http gateway ${endpoint}`,
    `  other clients: {"mcpServers": {"gateway": {"type": "http", "url": "${endpoint}"}}}`,
  ].join("\n");
}

function isWildcard({ host }: Config): boolean {
  return host === "0.0.0.0" || host === "::";
}

function wireOf({ wire }: Config["backends"][number]): string {
  return wire.kind === "url" ? new URL(wire.url).origin : (wire.argv[0] ?? "");
}

function stateOf({ enabled, problem }: Config["backends"][number]): string {
  if (!enabled) return " (disabled)";
  return problem === undefined ? "" : " (cannot start, see above)";
}
