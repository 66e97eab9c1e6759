// Plays rows: starts what a row needs, runs the suite against it, scores what came out.

import { join } from "node:path";
import { referenceCommand, startReference } from "../fixtures/reference/start.ts";
import { type BackendEntry, GatewayFolder, type RunningGateway, startGateway } from "./gateway.ts";
import { BACKENDS, type BackendKind, type BackendName, type ClientRun, type Row } from "./rows.ts";
import { readExpected, type Score, scoreOf } from "./score.ts";
import { startBridge } from "./stdio-bridge.ts";
import { playAgainstClient, playAgainstServer, type Revision, requiredScenarios } from "./suite.ts";

const DRIVER = join(import.meta.dir, "client-driver.ts");

/** Everything that rows share, each thing started when a row first asks for it. */
export class Stage implements AsyncDisposable {
  readonly #lifetimes = new AsyncDisposableStack();
  readonly #gateways: RunningGateway[] = [];
  readonly #started = new Map<string, Promise<unknown>>();

  /** Where the suite finds what the row is about. */
  async urlOf(row: Row): Promise<string> {
    switch (row.route) {
      case "direct":
        return this.#directUrl(row.backend as BackendName);
      case "gateway":
        return `${(await this.#gateway(row)).url}/mcp/${row.backend}`;
      case "meta":
        return `${(await this.#gateway(row)).url}/mcp`;
      case "face": {
        const folder = await this.#folder(row);
        const face = { command: folder.faceCommand(row.backend), env: folder.env };
        return this.#once(row.name, async () => this.#lifetimes.use(startBridge(face)).url);
      }
    }
  }

  required(revision: Revision): Promise<string[]> {
    return this.#once(revision, () => requiredScenarios(revision));
  }

  #directUrl(name: BackendName): Promise<string> {
    const kind: BackendKind = BACKENDS[name];
    return this.#once(name, async () => {
      if (kind.wire === "stdio")
        return this.#lifetimes.use(startBridge({ command: referenceCommand(kind.eras) })).url;
      return this.#lifetimes.use(await startReference(kind.wire, kind.eras)).url;
    });
  }

  #folder({ name, backend }: Row): Promise<GatewayFolder> {
    return this.#once(`folder of ${name}`, async () => {
      const names = backend === "all" ? (Object.keys(BACKENDS) as BackendName[]) : [backend];
      const entries = await Promise.all(names.map(async (name) => [name, await this.#entry(name)] as const));
      return this.#lifetimes.use(new GatewayFolder(Object.fromEntries(entries)));
    });
  }

  async #entry(name: BackendName): Promise<BackendEntry> {
    const kind: BackendKind = BACKENDS[name];
    if (kind.wire !== "stdio") return { http_url: await this.#directUrl(name) };
    const [command, ...args] = referenceCommand(kind.eras);
    return { command, args };
  }

  /** A gateway of the row's own, so that no row meets what another one has left open. */
  #gateway(row: Row): Promise<RunningGateway> {
    return this.#once(row.name, async () => {
      const gateway = await startGateway(await this.#folder(row));
      this.#gateways.push(gateway);
      return gateway;
    });
  }

  #once<T>(key: string, start: () => Promise<T>): Promise<T> {
    const known = this.#started.get(key);
    // One key has one kind of value: they are all written above.
    if (known !== undefined) return known as Promise<T>;
    const starting = start();
    this.#started.set(key, starting);
    return starting;
  }

  /** Gateways may take their time to stop: side by side. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#gateways.map((gateway) => gateway[Symbol.asyncDispose]()));
    await this.#lifetimes.disposeAsync();
  }
}

export async function playRow(row: Row, stage: Stage): Promise<Score> {
  const results = await playAgainstServer(await stage.urlOf(row), row.revision, row.scenarios);
  return scoreOf(results, {
    required: row.scenarios ?? (await stage.required(row.revision)),
    also: row.also,
    isStrict: row.isSameEra,
    expected: readExpected(row.name),
  });
}

export function nameOf({ scenario, revision }: ClientRun): string {
  return `${scenario}-${revision}`;
}

/** Plays one mock server against the gateway, or, direct, against the SDK client that otherwise drives the gateway. */
export async function playClientRun(run: ClientRun, via: "direct" | "gateway"): Promise<Score> {
  const name = `client-${via}-${nameOf(run)}`;
  const command = [process.execPath, "run", DRIVER, ...(via === "direct" ? ["--direct"] : [])];
  const results = await playAgainstClient(command, run.scenario, run.revision);
  return scoreOf(results, {
    required: [run.scenario],
    also: [],
    isStrict: true,
    expected: readExpected(name),
  });
}

export function isPassed(score: Score): boolean {
  return score.unexpected.length === 0 && score.stale.length === 0;
}
