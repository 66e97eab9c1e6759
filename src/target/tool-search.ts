// Search over everything that the fleet offers, awake or asleep, and the words for what was not found.

import type { Backend } from "../backend/backend.ts";
import type { Tool } from "../backend/catalog.ts";
import type { Fleet } from "../backend/fleet.ts";
import type { BackendConfig } from "../config/config.ts";
import { type Explained, SearchIndex } from "../discovery/search.ts";
import { answerLine, askedIn } from "../discovery/signature.ts";
import { oneLine } from "../discovery/type-text.ts";
import { type Abortable, signalOf } from "../protocol/cancellation.ts";
import { RpcError } from "../protocol/jsonrpc.ts";
import { Method } from "../protocol/mcp.ts";
import { withCutsExplained } from "./answers.ts";
import { unknownBackend } from "./merged.ts";
import type { Prewarm } from "./prewarm.ts";

/** How long a search waits for servers whose tools were never listed. */
const ASK_DEADLINE_MS = 10_000;
const NEAREST = 3;
/** So many characters of a query are quoted in the answer. */
const LONGEST_QUOTED = 120;

export interface ToolSearchOptions {
  readonly fleet: Fleet;
  readonly prewarm: Prewarm;
  readonly onSearched?: (seconds: number) => void;
}

export class ToolSearch {
  readonly #fleet: Fleet;
  readonly #index = new SearchIndex();
  /** What the index was built from, for each backend: the backend itself, its settings and the version of its catalogue. */
  readonly #indexed = new Map<
    string,
    { readonly backend: Backend; readonly config: BackendConfig; readonly version: number }
  >();
  readonly #prewarm: Prewarm;
  readonly #onSearched: ((seconds: number) => void) | undefined;

  constructor({ fleet, prewarm, onSearched }: ToolSearchOptions) {
    this.#fleet = fleet;
    this.#prewarm = prewarm;
    this.#onSearched = onSearched;
  }

  /** Hits as lines that a model can act on, best first, and who could not be asked. */
  async answer(query: string, limit: number, signal: Abortable): Promise<string> {
    const unavailable = await this.#askUnknown(signal);
    const startedMs = performance.now();
    this.#bringUpToDate();
    const { hits: found, fits } = this.#index.judgedSearch(query, limit);
    const hits = fits ? found : found.slice(0, NEAREST);
    this.#onSearched?.((performance.now() - startedMs) / 1000);
    const best = this.#fleet.get(hits[0]?.server ?? "");
    if (best !== undefined) this.expectCall(best);
    const asked = askedIn(query);
    const lines = hits.map((hit) => ({ ...hit, line: answerLine(hit, asked) }));
    const parts = hits.length === 0 || !fits ? [this.#nothingFound(query, hits.length)] : [];
    if (hits.length > 0) parts.push(withCutsExplained(lines));
    if (unavailable.length > 0) parts.push(notSearched(unavailable));
    return parts.join("\n");
  }

  /** What is known now, with the reasons; asks nobody. */
  explain(query: string, limit: number): Explained[] {
    this.#bringUpToDate();
    return this.#index.explain(query, limit);
  }

  /** The client is shown what this backend can do: it may be called next. */
  expectCall(backend: Backend): void {
    this.#prewarm.hint(backend);
  }

  /** Throws GatewayError naming the servers that there are. */
  requireBackend(name: string): Backend {
    const backend = this.#fleet.get(name);
    if (backend === undefined)
      throw unknownBackend(
        name,
        this.#fleet.enabled().map(({ name: known }) => known),
      );
    return backend;
  }

  /** Throws RpcError naming the nearest tools. */
  requireTool(backend: Backend, name: string): Tool {
    const tool = backend.catalog.tool(name);
    if (tool === undefined) throw new RpcError(-32602, this.unknownToolText(backend.name, name));
    return tool;
  }

  unknownToolText(server: string | undefined, name: string): string {
    this.#bringUpToDate();
    const nearest = this.#index.nearest(server, name, NEAREST).map((hit) => answerLine(hit));
    const where = server === undefined ? "" : ` on ${server}`;
    const hint =
      nearest.length === 0 ? "Find tools with gateway_search_tools." : `Nearest:\n${nearest.join("\n")}`;
    return `Unknown tool "${oneLine(name, LONGEST_QUOTED)}"${where}. ${hint}`;
  }

  #nothingFound(query: string, near: number): string {
    const quoted = oneLine(query, LONGEST_QUOTED);
    if (near > 0) return `No tool fits "${quoted}" well. The nearest:`;
    const names = this.#fleet.enabled().map(({ name }) => name);
    return `No tool fits "${quoted}". Servers: ${names.join(", ")}. Try other words, one need per query.`;
  }

  /** Lists all backends with unknown tools in parallel. Returns those that failed, each with a short reason. */
  async #askUnknown(signal: Abortable): Promise<Unavailable[]> {
    const unknown = this.#fleet.enabled().filter(({ catalog }) => catalog.list("tools/list") === undefined);
    if (unknown.length === 0) return [];
    const deadline = AbortSignal.timeout(ASK_DEADLINE_MS);
    const both = AbortSignal.any([signalOf(signal), deadline]);
    const results = await Promise.all(
      unknown.map(async (backend): Promise<Unavailable | undefined> => {
        try {
          await backend.glance(Method.listTools, both);
          return undefined;
        } catch {
          const isLate = deadline.aborted && !signal.aborted;
          return { name: backend.name, why: isLate ? "still starting, search again shortly" : "failed" };
        }
      }),
    );
    return results.filter((result) => result !== undefined);
  }

  #bringUpToDate(): void {
    for (const name of this.#indexed.keys()) {
      if (this.#fleet.get(name)?.config.enabled === true) continue;
      this.#index.remove(name);
      this.#indexed.delete(name);
    }
    for (const backend of this.#fleet.enabled()) {
      const { name, catalog, config } = backend;
      const indexed = this.#indexed.get(name);
      if (indexed?.backend === backend && indexed.config === config && indexed.version === catalog.version)
        continue;
      this.#index.update({ name, description: config.description, tools: catalog.tools });
      this.#indexed.set(name, { backend, config, version: catalog.version });
    }
  }
}

interface Unavailable {
  readonly name: string;
  readonly why: string;
}

/** Only names and a word: this is part of every answer, and gateway_list_servers has the details. */
function notSearched(unavailable: readonly Unavailable[]): string {
  const groups = [...Map.groupBy(unavailable, ({ why }) => why)];
  const texts = groups.map(([why, some]) => `${some.map(({ name }) => name).join(", ")}: ${why}`);
  return `(not searched: ${texts.join("; ")})`;
}
