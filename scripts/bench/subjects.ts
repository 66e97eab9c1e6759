// The programs under measurement, all up at once: the gateway, what it is compared with, and where each takes requests.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { peerCommand, referenceCommand } from "./installed.ts";
import type { Endpoint } from "./mcp-client.ts";
import { freePort, Program } from "./program.ts";
import { type BackendName, PEERS, type SubjectName, type Workload } from "./workloads.ts";

const ROOT = join(import.meta.dir, "..", "..");

export class Subjects implements AsyncDisposable {
  readonly #owned: AsyncDisposableStack;
  readonly #programs: ReadonlyMap<SubjectName, Program>;
  /** Peers that could not be started, and why. */
  readonly missing: readonly string[];

  private constructor(
    owned: AsyncDisposableStack,
    programs: ReadonlyMap<SubjectName, Program>,
    missing: readonly string[],
  ) {
    this.#owned = owned;
    this.#programs = programs;
    this.missing = missing;
  }

  /** Starts the wanted ones; `folder` is for their files. A peer that cannot be started is missing, others must start. */
  static async start(
    gateway: readonly string[],
    wanted: ReadonlySet<SubjectName>,
    folder: string,
  ): Promise<Subjects> {
    await using owned = new AsyncDisposableStack();
    const programs = new Map<SubjectName, Program>();
    const missing: string[] = [];
    const keep = async (name: SubjectName, program: Promise<Program>) =>
      void programs.set(name, owned.use(await program));
    await keep("direct", startReference());
    const url = `http://127.0.0.1:${programs.get("direct")?.port}`;
    if (wanted.has("floor")) await keep("floor", startFloor(url));
    if (wanted.has("gateway")) await keep("gateway", startGateway(gateway, gatewayConfig(url), folder));
    if (wanted.has("everything-http")) await keep("everything-http", startEverything());
    for (const peer of PEERS) {
      if (!wanted.has(peer)) continue;
      try {
        await keep(peer, startPeer(peer));
      } catch (thrown) {
        missing.push(thrown instanceof Error ? thrown.message : String(thrown));
      }
    }
    return new Subjects(owned.move(), programs, missing);
  }

  program(name: SubjectName): Program | undefined {
    return this.#programs.get(name);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }
}

/** Where a subject serves a workload. */
export function endpointOf({ name, port }: Program, workload: Workload): Endpoint {
  return { port, path: pathOf(name, workload) };
}

function pathOf(subject: string, { backend, isMeta }: Workload): string {
  const own = backend.replace(/^(?:http|stdio)-/, "");
  if (subject === "direct") return `/${own}`;
  if (subject === "floor") return backend.startsWith("http") ? `/http/${own}` : "/stdio";
  if (subject === "gateway" && !isMeta) return `/mcp/${backend}`;
  return "/mcp";
}

function gatewayConfig(url: string): object {
  const [command, ...args] = referenceCommand();
  const [node, ...everything] = everythingCommand("stdio");
  const backends: Record<BackendName, object> = {
    "stdio-legacy": { command, args: [...args, "stdio", "legacy"] },
    "stdio-modern": { command, args: [...args, "stdio", "modern"] },
    "http-legacy": { url: `${url}/legacy` },
    "http-modern": { url: `${url}/modern` },
    "http-legacy-events": { url: `${url}/legacy-events` },
    everything: { command: node, args: everything },
  };
  return { backends };
}

/** The gateway as a person runs it, with a state and a configuration of its own in `folder`. */
export function startGateway(command: readonly string[], config: object, folder: string): Promise<Program> {
  return Program.start(
    "gateway",
    [...command, ...serveArguments(config, folder), "--port", "0"],
    { prints: listeningPort },
    gatewayEnv(folder),
  );
}

export function serveArguments(config: object, folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "servers.json");
  writeFileSync(path, JSON.stringify(config));
  return ["serve", "--config", path, "--log-format", "json"];
}

/** Nothing of the person's own gateway is read or written. */
export function gatewayEnv(folder: string): Record<string, string> {
  return { XDG_STATE_HOME: join(folder, "state"), XDG_CACHE_HOME: join(folder, "cache") };
}

function listeningPort(line: string): number | undefined {
  const url = /"message":"listening".*"url":"http:\/\/[^"]*:(\d+)\//.exec(line)?.[1];
  return url === undefined ? undefined : Number(url);
}

function startReference(): Promise<Program> {
  return Program.start("direct", [...referenceCommand(), "http"], { prints: wholeNumber });
}

function startFloor(url: string): Promise<Program> {
  const floor = join(import.meta.dir, "floor.ts");
  const command = [process.execPath, floor, url, ...referenceCommand(), "stdio", "legacy"];
  return Program.start("floor", command, { prints: wholeNumber });
}

function wholeNumber(line: string): number | undefined {
  return /^\d+$/.test(line) ? Number(line) : undefined;
}

function everythingCommand(mode: "stdio" | "streamableHttp"): string[] {
  const program = join(ROOT, "node_modules/@modelcontextprotocol/server-everything/dist/index.js");
  return [Bun.which("node") ?? process.execPath, program, mode];
}

async function startEverything(): Promise<Program> {
  const port = await freePort();
  return Program.start(
    "everything-http",
    everythingCommand("streamableHttp"),
    { listensOn: port },
    { PORT: `${port}` },
  );
}

async function startPeer(peer: (typeof PEERS)[number]): Promise<Program> {
  const port = await freePort();
  const backend = [...referenceCommand(), "stdio", "legacy"];
  const args = {
    "mcp-proxy": ["--host", "127.0.0.1", "--port", `${port}`, "--server", "stream", "--", ...backend],
    supergateway: [
      ...["--stdio", backend.map((word) => `'${word}'`).join(" "), "--outputTransport", "streamableHttp"],
      ...["--stateful", "--port", `${port}`, "--logLevel", "none"],
    ],
  };
  return Program.start(peer, [...peerCommand(peer), ...args[peer]], { listensOn: port });
}
