// The index of all tools of all servers, and the questions it answers. Pure: catalogues in, finds out.

import { Corpus } from "./corpus.ts";
import { type Explained, explain } from "./explain.ts";
import { nearest } from "./nearest.ts";
import { readQuery } from "./query.ts";
import { fits, type Ranked, rank } from "./ranking.ts";
import type { ServerDoc, ToolDoc } from "./tool.ts";

export type { Explained } from "./explain.ts";
export type { ServerDoc, ToolDoc } from "./tool.ts";

export interface Hit {
  readonly server: string;
  readonly tool: ToolDoc;
  /** Comparable within one answer only. */
  readonly score: number;
}

export class SearchIndex {
  readonly #corpus = new Corpus();

  /** Replaces what is known of one server. */
  update(server: ServerDoc): void {
    this.#corpus.add(server);
  }

  remove(name: string): void {
    this.#corpus.remove(name);
  }

  /** The best first; equally good ones by name. Nothing for a query without words. */
  search(query: string, limit: number): Hit[] {
    return this.judgedSearch(query, limit).hits;
  }

  /** As `search`, and whether any hit fits the query well. */
  judgedSearch(query: string, limit: number): { readonly hits: Hit[]; readonly fits: boolean } {
    const read = readQuery(query, this.#corpus);
    const ranked = rank(this.#corpus, read, limit);
    return { hits: ranked.map(hitOf), fits: fits(read, ranked) };
  }

  /** As `search`, with the reasons. */
  explain(query: string, limit: number): Explained[] {
    return explain(this.#corpus, readQuery(query, this.#corpus), limit);
  }

  /** Tools that somebody may have meant who named one that is not there; those of a known server come first. */
  nearest(server: string | undefined, name: string, limit: number): Hit[] {
    return nearest(this.#corpus, { server, name }, limit);
  }
}

function hitOf({ entry, score }: Ranked): Hit {
  return { server: entry.server.name, tool: entry.tool, score };
}
