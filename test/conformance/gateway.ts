// Starts the gateway from source, as a person would: a config file, `serve`, and a look at /health.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const START_MS = 20_000;
const POLL_MS = 25;

/** One entry under `backends:`. */
export type BackendEntry = Readonly<Record<string, unknown>>;

export interface RunningGateway extends AsyncDisposable {
  readonly url: string;
  /** What it has written to stderr so far. */
  readonly log: () => string;
}

/** The gateway's own folder: config and state, gone with it. */
export class GatewayFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "mcp-gateway-conformance-"));
  readonly config = join(this.path, "servers.yaml");

  constructor(backends: Readonly<Record<string, BackendEntry>>) {
    // JSON is YAML.
    writeFileSync(this.config, JSON.stringify({ backends }, null, 2));
  }

  /** Nothing of the user's own state is read or written. */
  get env(): Record<string, string | undefined> {
    const own = { XDG_STATE_HOME: this.path, XDG_CACHE_HOME: this.path, XDG_CONFIG_HOME: this.path };
    return { ...process.env, ...own };
  }

  /** The stdio face of one backend. */
  faceCommand(backend: string): string[] {
    return [process.execPath, "run", MAIN, "stdio", "-c", this.config, "--backend", backend];
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export async function startGateway(folder: GatewayFolder): Promise<RunningGateway> {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const child = Bun.spawn([process.execPath, "run", MAIN, "serve", "-c", folder.config, "-p", String(port)], {
    stdio: ["ignore", "ignore", "pipe"],
    env: folder.env,
  });
  const log: string[] = [];
  collect(child.stderr, log).catch(() => {});
  const gateway: RunningGateway = {
    url,
    log: () => log.join(""),
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
  const deadline = Date.now() + START_MS;
  while (!(await isHealthy(url))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await gateway[Symbol.asyncDispose]();
      const how =
        child.exitCode === null ? `did not answer /health in ${START_MS} ms` : `exited (${child.exitCode})`;
      throw new Error(`The gateway ${how}:\n${gateway.log().slice(-4000)}`);
    }
    await Bun.sleep(POLL_MS);
  }
  return gateway;
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}

async function collect(stream: ReadableStream<Uint8Array>, into: string[]): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) into.push(decoder.decode(chunk, { stream: true }));
}

async function findFreePort(): Promise<number> {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
