// A gateway in a process of its own, from source, that can be killed and started again: same port, same state.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "../support/wait-for.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const START_MS = 20_000;

export type Settings = Readonly<Record<string, unknown>>;

export class GatewayProcess implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "mcp-gateway-process-"));
  readonly #port = findFreePort();
  #settings: Settings;
  #child: Bun.Subprocess<"ignore", "ignore", "pipe"> | undefined;
  #log = "";

  private constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** `settings` is what stands in servers.yaml. */
  static async start(settings: Settings): Promise<GatewayProcess> {
    const gateway = new GatewayProcess(settings);
    try {
      await gateway.startAgain();
      return gateway;
    } catch (thrown) {
      await gateway[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number {
    return this.#running.pid;
  }

  /** What it has written to stderr, over all its lives. */
  get log(): string {
    return this.#log;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** `kill -9`: it has no chance to say or write anything. */
  async kill(): Promise<void> {
    this.#running.kill("SIGKILL");
    await this.#running.exited;
  }

  /** Resolves when /health answers. */
  async startAgain(settings: Settings = this.#settings): Promise<void> {
    this.#settings = settings;
    const config = join(this.folder, "servers.yaml");
    // JSON is YAML.
    writeFileSync(config, JSON.stringify(settings, null, 2));
    const own = { HOME: this.folder, XDG_STATE_HOME: this.folder, XDG_CACHE_HOME: this.folder };
    const child = Bun.spawn(
      [process.execPath, "run", MAIN, "serve", "-c", config, "-p", String(this.#port)],
      {
        stdio: ["ignore", "ignore", "pipe"],
        env: { ...process.env, ...own, XDG_CONFIG_HOME: this.folder },
      },
    );
    this.#child = child;
    void this.#collect(child.stderr);
    await waitFor(() => child.exitCode !== null || this.isHealthy(), {
      timeoutMs: START_MS,
      what: `a gateway:\n${this.#log}`,
    });
    if (child.exitCode !== null) throw new Error(`The gateway ended:\n${this.#log}`);
  }

  async isHealthy(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/health`)).ok;
    } catch {
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child?.kill("SIGTERM");
    const force = setTimeout(() => this.#child?.kill("SIGKILL"), 15_000);
    await this.#child?.exited;
    clearTimeout(force);
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #running(): Bun.Subprocess<"ignore", "ignore", "pipe"> {
    if (this.#child === undefined) throw new Error("not started");
    return this.#child;
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.#log += decoder.decode(chunk, { stream: true });
  }
}

export function findFreePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

/** An entry under `backends:` for a program. */
export function programEntry([command, ...args]: readonly string[]): Settings {
  return { command, args };
}
