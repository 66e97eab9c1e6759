// The tools of a configuration, for commands that measure or search them and then end. Starts only servers whose tools
// nobody has listed yet.

import { Fleet } from "./backend/fleet.ts";
import type { Config } from "./config/config.ts";
import { IDENTITY } from "./core.ts";
import type { Explained } from "./discovery/search.ts";
import { answerLine, askedIn } from "./discovery/signature.ts";
import { cacheFolder } from "./folders.ts";
import { silentLog } from "./log.ts";
import { Method } from "./protocol/mcp.ts";
import { shownText } from "./shown.ts";
import { metaToolDefinitions } from "./target/meta-tools.ts";
import { Prewarm } from "./target/prewarm.ts";
import { qualifyName } from "./target/qualified.ts";
import { ToolSearch } from "./target/tool-search.ts";

/** What a client tells its model of a tool. */
export interface Definition {
  readonly name: string;
  readonly description?: unknown;
  readonly inputSchema?: unknown;
}

export interface SurveyedServer {
  readonly name: string;
  readonly definitions: readonly Definition[];
  /** Why its tools are not known: begins with its name, without secrets. */
  readonly problem: string | undefined;
}

export interface ExplainedLine extends Explained {
  /** What a model would be told. */
  readonly line: string;
}

export class Survey implements AsyncDisposable {
  readonly servers: readonly SurveyedServer[];
  /** The four. */
  readonly metaDefinitions: readonly Definition[];
  readonly pinnedDefinitions: readonly Definition[];
  readonly #fleet: Fleet;
  readonly #search: ToolSearch;

  private constructor(fleet: Fleet, servers: readonly SurveyedServer[], pinned: readonly string[]) {
    this.#fleet = fleet;
    this.#search = new ToolSearch({ fleet, prewarm: new Prewarm(false) });
    this.servers = servers;
    this.metaDefinitions = metaToolDefinitions(servers.map(({ name }) => name)).map(definitionOf);
    const names = new Set(
      fleet
        .enabled()
        .flatMap(({ name, catalog }) =>
          catalog.tools
            .filter((tool) => pinned.includes(`${name}.${tool.name}`))
            .map((tool) => qualifyName(name, tool.name)),
        ),
    );
    this.pinnedDefinitions = servers.flatMap(({ definitions }) =>
      definitions.filter(({ name }) => names.has(name)),
    );
  }

  /** Asks all enabled servers side by side. Rejects with the signal's reason, when everything has ended. */
  static async take(config: Config, signal: AbortSignal): Promise<Survey> {
    const options = { identity: IDENTITY, log: silentLog, cacheFolder: cacheFolder() };
    await using owned = new AsyncDisposableStack();
    const fleet = owned.use(new Fleet(config.backends, options));
    const servers = await Promise.all(
      fleet.enabled().map(async (backend) => {
        const problem = await backend.glance(Method.listTools, signal).then(
          () => undefined,
          (thrown: unknown) => problemOf(backend.name, thrown),
        );
        const { name, catalog } = backend;
        const qualified = catalog.tools.map((tool) => ({ ...tool, name: qualifyName(name, tool.name) }));
        return { name, definitions: qualified.map(definitionOf), problem };
      }),
    );
    signal.throwIfAborted();
    owned.move();
    return new Survey(fleet, servers, config.pinned);
  }

  /** The best hits of what is known, with the reasons. */
  explain(query: string, limit: number): ExplainedLine[] {
    const asked = askedIn(query);
    return this.#search.explain(query, limit).map((hit) => ({ ...hit, line: answerLine(hit, asked) }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#fleet[Symbol.asyncDispose]();
  }
}

function definitionOf({ name, description, inputSchema }: Definition): Definition {
  return { name, description, inputSchema };
}

function problemOf(name: string, thrown: unknown): string {
  const message = shownText(thrown instanceof Error ? thrown.message : String(thrown));
  return message.startsWith(name) ? message : `${name}: ${message}`;
}
