// The compiled gateway under strain: started, killed and started again on the same port, with the same state; what it
// holds (memory, descriptors) and what it leaves behind.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBinary } from "../../test/support/binary.ts";
import type { ProcessEntry } from "../../test/support/process-table.ts";
import { TAG, taggedProcesses } from "../../test/support/tagged-processes.ts";
import { waitFor } from "../../test/support/wait-for.ts";

const START_MS = 30_000;

export class StrainedGateway implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "mcp-gateway-strain-"));
  /** In the environment of every child. */
  readonly tag = crypto.randomUUID();
  readonly port = findLowPort();
  readonly url = `http://127.0.0.1:${this.port}`;
  #child: Bun.Subprocess | undefined;
  /** How often it was killed. */
  kills = 0;

  /** Each backend is a fixture program and its keys. */
  static async start(
    backends: Readonly<Record<string, { readonly argv: readonly string[]; readonly keys?: object }>>,
    env: (gateway: StrainedGateway) => Readonly<Record<string, string>> = () => ({}),
  ): Promise<StrainedGateway> {
    const gateway = new StrainedGateway();
    const entries = Object.entries(backends).map(([name, { argv, keys }]) => {
      const [command, ...args] = argv;
      return [name, { command, args, env: { [TAG]: gateway.tag, ...env(gateway) }, ...keys }];
    });
    const config = { log_level: "ERROR", backends: Object.fromEntries(entries) };
    writeFileSync(join(gateway.folder, "servers.yaml"), JSON.stringify(config));
    await gateway.#run();
    return gateway;
  }

  get pid(): number {
    if (this.#child === undefined) throw new Error("the gateway does not run");
    return this.#child.pid;
  }

  /** What runs on its behalf. */
  get children(): ProcessEntry[] {
    return taggedProcesses(this.tag);
  }

  get rssMb(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) / 1024;
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  get threads(): number {
    return readdirSync(`/proc/${this.pid}/task`).length;
  }

  /** With no chance to put anything in order, and at once up again. */
  async killAndRestart(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
    this.kills += 1;
    await this.#run();
  }

  /** Ends it as a person would. Resolves with its exit code. */
  async stop(): Promise<number> {
    this.#child?.kill("SIGTERM");
    return (await this.#child?.exited) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
    for (const { pid } of this.children) process.kill(pid, "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    const own = { HOME: this.folder, XDG_STATE_HOME: this.folder, XDG_CACHE_HOME: this.folder };
    const log = Bun.file(join(this.folder, `gateway-${this.kills}.log`));
    const child = Bun.spawn([await findBinary(), "-p", String(this.port)], {
      cwd: this.folder,
      env: { ...process.env, ...own, XDG_CONFIG_HOME: this.folder },
      stdio: ["ignore", log, log],
    });
    this.#child = child;
    const isUp = () =>
      fetch(`${this.url}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    await waitFor(() => child.exitCode !== null || isUp(), { timeoutMs: START_MS, what: "/health" });
    if (child.exitCode !== null) throw new Error(`the gateway ended: ${await log.text()}`);
  }
}

/** Below those that the system gives to clients: while the gateway is down, a client must not get its port. */
function findLowPort(): number {
  for (let port = 20_000 + Math.floor(Math.random() * 10_000); ; port++) {
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data: () => undefined } }).stop(true);
      return port;
    } catch (thrown) {
      if (port > 31_000) throw thrown;
    }
  }
}
