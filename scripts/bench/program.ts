// A program under measurement: started, waited for, watched (processor time, memory), ended.

import { readFileSync } from "node:fs";
import type { Subprocess } from "bun";

/** How a program tells that it listens: it prints its port, or it was given one and takes a connection there. */
export type Ready =
  | { readonly prints: (line: string) => number | undefined }
  | { readonly listensOn: number };

const START_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 5_000;
/** Of the clock that /proc counts processor time in; Linux has the same everywhere. */
const TICK_MS = 10;

/** What runs now: none of it may outlive the harness, however that ends. */
const running = new Set<Subprocess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

export class Program implements AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly #child: Subprocess<"ignore", "pipe", "pipe">;

  private constructor(name: string, port: number, child: Subprocess<"ignore", "pipe", "pipe">) {
    this.name = name;
    this.port = port;
    this.#child = child;
  }

  /** Rejects with the program's last words where it does not come to listen. */
  static async start(
    name: string,
    command: readonly string[],
    ready: Ready,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Program> {
    const child = Bun.spawn([...command], {
      env: { ...withoutProxy(process.env), ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    running.add(child);
    void child.exited.then(() => running.delete(child));
    const printed = Promise.withResolvers<number>();
    const lastWords: string[] = [];
    const hear = (line: string) => {
      lastWords.push(line);
      if (lastWords.length > 20) lastWords.shift();
      const port = "prints" in ready ? ready.prints(line) : undefined;
      if (port !== undefined) printed.resolve(port);
    };
    void eachLine(child.stdout, hear);
    void eachLine(child.stderr, hear);
    const listening = "prints" in ready ? printed.promise : untilListening(ready.listensOn, child);
    const failed = child.exited.then(() => undefined);
    const port = await within(START_TIMEOUT_MS, Promise.race([listening, failed]));
    if (port !== undefined) return new Program(name, port, child);
    child.kill();
    throw new Error(`${name} did not start to listen: ${lastWords.join(" | ")}`);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Of this process alone: what it started is not its own work. NaN where there is no /proc. */
  cpuMs(): number {
    const stat = readProc(this.pid, "stat");
    // The name stands in brackets and may hold anything; counted from behind it, user and system time are 12th and 13th.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }

  /** Resident memory; NaN where there is no /proc. */
  rssMb(): number {
    return Number(/^VmRSS:\s*(\d+)/m.exec(readProc(this.pid, "status"))?.[1]) / 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    const isGone = await within(
      END_TIMEOUT_MS,
      this.#child.exited.then(() => true),
    );
    if (!isGone) this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

/** Undefined where the promise has not come true by then. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), milliseconds);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** A proxy from the environment cannot reach this machine's own loopback. */
export function withoutProxy(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/_proxy$/i.test(name)));
}

export async function freePort(): Promise<number> {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

async function untilListening(port: number, child: Subprocess): Promise<number | undefined> {
  while (child.exitCode === null && child.signalCode === null) {
    if (await isListening(port)) return port;
    await Bun.sleep(10);
  }
  return undefined;
}

async function isListening(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => undefined } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}

async function eachLine(stream: ReadableStream<Uint8Array>, hear: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) hear(line);
  }
}
