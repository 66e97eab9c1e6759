// The compiled gateway as a person runs it: a folder with a servers.yaml, a command line, a terminal to read.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBinary } from "./binary.ts";
import type { ProcessEntry } from "./process-table.ts";
import { TAG, taggedProcesses } from "./tagged-processes.ts";
import { waitFor } from "./wait-for.ts";

export type Settings = Readonly<Record<string, unknown>>;

export interface RunOptions {
  /** Of servers.yaml: text as it is, or what is written as JSON, which is YAML. Without it there is no file. */
  readonly config?: string | Settings;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Health {
  readonly status: string;
  readonly backends: Readonly<Record<string, BackendHealth>>;
}

export interface BackendHealth {
  readonly running: boolean;
  readonly restart_count: number;
  readonly tools_cached: number;
  readonly state: string;
  readonly transport: string;
  readonly revision: string | null;
  readonly in_flight: number;
  readonly last_error: string | null;
}

const START_MS = 15_000;
const END_MS = 20_000;

/** A run of the program, in a folder and with a state of its own; nothing of the user's is read or written. */
export class ProgramRun implements AsyncDisposable {
  readonly folder: string;
  /** Carried by the run, and by every backend of a config that is given as an object. */
  readonly tag: string;
  readonly #process: Bun.Subprocess<"pipe", "pipe", "pipe">;
  #stdout = "";
  #stderr = "";
  readonly #read: Promise<unknown>;

  private constructor(folder: string, tag: string, child: Bun.Subprocess<"pipe", "pipe", "pipe">) {
    this.folder = folder;
    this.tag = tag;
    this.#process = child;
    this.#read = Promise.all([
      collect(child.stdout, (text) => {
        this.#stdout += text;
      }),
      collect(child.stderr, (text) => {
        this.#stderr += text;
      }),
    ]);
  }

  static async start(args: readonly string[], options: Omit<RunOptions, "args"> = {}): Promise<ProgramRun> {
    const binary = await findBinary();
    const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-e2e-"));
    const tag = crypto.randomUUID();
    if (options.config !== undefined) {
      const { config } = options;
      const text = typeof config === "string" ? config : JSON.stringify(tagged(config, tag), null, 2);
      writeFileSync(join(folder, "servers.yaml"), text);
    }
    const own = { HOME: folder, XDG_STATE_HOME: folder, XDG_CACHE_HOME: folder, XDG_CONFIG_HOME: folder };
    const child = Bun.spawn([binary, ...args], {
      cwd: folder,
      env: { ...process.env, ...own, [TAG]: tag, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    return new ProgramRun(folder, tag, child);
  }

  get pid(): number {
    return this.#process.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** What runs on behalf of this run, itself left out. */
  get children(): ProcessEntry[] {
    return taggedProcesses(this.tag).filter(({ pid }) => pid !== this.pid);
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Writes one message to stdin. */
  send(message: object): void {
    this.write(`${JSON.stringify(message)}\n`);
  }

  /** Writes to stdin what may be no message. */
  write(data: string | Uint8Array<ArrayBuffer>): void {
    void this.#process.stdin.write(data);
    void this.#process.stdin.flush();
  }

  endInput(): void {
    void this.#process.stdin.end();
  }

  /** The exit code, when everything that was written has been read. */
  async exited(): Promise<number> {
    const exitCode = await within(this.#process.exited, END_MS, () => `the end of:\n${this.stderr}`);
    await this.#read;
    return exitCode;
  }

  /** Ends the run and holds it to its promise: nothing that it started is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.isRunning) this.signal("SIGTERM");
      await this.exited();
      const left = this.children;
      if (left.length > 0) throw new Error(`left behind: ${left.map(({ command }) => command).join("; ")}`);
    } finally {
      this.#process.kill("SIGKILL");
      for (const { pid } of this.children) process.kill(pid, "SIGKILL");
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

/** A run that serves HTTP. */
export class GatewayRun implements AsyncDisposable {
  readonly run: ProgramRun;
  readonly url: string;

  private constructor(run: ProgramRun, url: string) {
    this.run = run;
    this.url = url;
  }

  /** Resolves when /health answers. */
  static async start(options: RunOptions = {}): Promise<GatewayRun> {
    const port = findFreePort();
    const run = await ProgramRun.start(["-p", String(port), ...(options.args ?? [])], options);
    const gateway = new GatewayRun(run, `http://127.0.0.1:${port}`);
    try {
      await waitFor(() => !run.isRunning || isUp(gateway.url), { timeoutMs: START_MS, what: "/health" });
      if (!run.isRunning) throw new Error("the gateway ended");
      return gateway;
    } catch (thrown) {
      await run[Symbol.asyncDispose]().catch(() => {});
      throw new Error(`The gateway did not start:\n${run.stderr}`, { cause: thrown });
    }
  }

  get stderr(): string {
    return this.run.stderr;
  }

  async health(): Promise<Health> {
    const response = await fetch(`${this.url}/health`);
    return (await response.json()) as Health;
  }

  async backendHealth(name: string): Promise<BackendHealth> {
    const found = (await this.health()).backends[name];
    if (found === undefined) throw new Error(`/health knows no ${name}`);
    return found;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.run[Symbol.asyncDispose]();
  }
}

/** Runs the program to its end. */
export async function runToEnd(
  args: readonly string[],
  options: Omit<RunOptions, "args"> = {},
): Promise<{ exitCode: number; stdout: string; stderr: string; folder: string }> {
  await using run = await ProgramRun.start(args, options);
  run.endInput();
  const exitCode = await run.exited();
  return { exitCode, stdout: run.stdout, stderr: run.stderr, folder: run.folder };
}

export function findFreePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

/** Every stdio backend carries the tag, as the gateway hands nothing of its own environment on. */
function tagged(config: Settings, tag: string): Settings {
  const { backends } = config;
  if (typeof backends !== "object" || backends === null) return config;
  const entries = Object.entries(backends).map(([name, backend]) => {
    const isStdio = typeof backend === "object" && backend !== null && "command" in backend;
    return [name, isStdio ? { ...backend, env: { [TAG]: tag, ...backend.env } } : backend];
  });
  return { ...config, backends: Object.fromEntries(entries) };
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}

async function collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
}

async function within<T>(promise: Promise<T>, ms: number, what: () => string): Promise<T> {
  const timer = Promise.withResolvers<never>();
  const timeout = setTimeout(() => timer.reject(new Error(`waited ${ms} ms in vain for ${what()}`)), ms);
  try {
    return await Promise.race([promise, timer.promise]);
  } finally {
    clearTimeout(timeout);
  }
}
