// Asks a backend for its lists, every page of them, and keeps the catalog true.

import type { Log } from "../log.ts";
import type { Answer } from "../protocol/call.ts";
import { isObject, type Json } from "../protocol/jsonrpc.ts";
import { type Implementation, Method } from "../protocol/mcp.ts";
import { mirrorHeaders, readParamHeaders } from "../protocol/param-headers.ts";
import { type Catalog, readPage } from "./catalog.ts";
import { type Connected, envelope } from "./handshake.ts";

/** More pages than this are taken for a loop. */
const MAX_PAGES = 1_000;

/** The capability that a server declares when it has such a list. */
const CAPABILITY: ReadonlyMap<string, string> = new Map([
  [Method.listTools, "tools"],
  [Method.listPrompts, "prompts"],
  [Method.listResources, "resources"],
  [Method.listResourceTemplates, "resources"],
]);

export interface ListingOptions {
  readonly catalog: Catalog;
  readonly identity: Implementation;
  readonly timeoutMs: number;
  readonly log: Log;
  /** A list was read; `isChanged`: it differs from what was known. */
  readonly onLearnt: (method: string, isChanged: boolean) => void;
}

export class Listing {
  readonly #options: ListingOptions;
  /** How many lists were found to differ from what was known. */
  #news = 0;

  constructor(options: ListingOptions) {
    this.#options = options;
  }

  /** Every list that the server declares, or those named. True where one differs from what was known. */
  async refresh(
    connected: Connected,
    methods: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const before = this.#news;
    for (const method of methods ?? CAPABILITY.keys()) await this.fetch(connected, method, signal);
    return this.#news > before;
  }

  /** One list, all pages; none where the server does not declare it. Rejects with RpcError or GatewayError. */
  async fetch(connected: Connected, method: string, signal: AbortSignal): Promise<readonly Json[]> {
    if (connected.description.capabilities[CAPABILITY.get(method) ?? ""] === undefined) {
      this.#learn(method, []);
      return [];
    }
    const items: Json[] = [];
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = readPage(method, await this.#ask(connected, method, cursor, signal));
      items.push(...page.items);
      cursor = page.nextCursor;
      if (cursor !== undefined && (seen.has(cursor) || seen.size >= MAX_PAGES)) {
        this.#options.log.warning("a list repeats its pages; taking what came so far", { method });
        break;
      }
      if (cursor !== undefined) seen.add(cursor);
    } while (cursor !== undefined);
    const kept = method === Method.listTools ? this.#validTools(connected, items) : items;
    this.#learn(method, kept);
    return kept;
  }

  #learn(method: string, items: readonly Json[]): void {
    const isChanged = this.#options.catalog.learnList(method, items);
    if (isChanged) this.#news += 1;
    this.#options.onLearnt(method, isChanged);
  }

  /** The page of a tool list that a client asked for, less what a client of HTTP must not show. */
  withoutInvalidTools(connected: Connected, answer: Answer): Answer {
    const listed = answer.result.tools;
    if (!Array.isArray(listed) || !mirrorsHeaders(connected)) return answer;
    const kept = this.#validTools(connected, listed.filter(isObject));
    return kept.length === listed.length ? answer : { result: { ...answer.result, tools: kept } };
  }

  #validTools(connected: Connected, tools: readonly Json[]): Json[] {
    if (!mirrorsHeaders(connected)) return [...tools];
    return tools.filter((tool) => {
      const isValid = readParamHeaders(tool.inputSchema) !== undefined;
      if (!isValid)
        this.#options.log.warning("left out a tool with an invalid x-mcp-header", { tool: tool.name });
      return isValid;
    });
  }

  async #ask(
    connected: Connected,
    method: string,
    cursor: string | undefined,
    signal: AbortSignal,
  ): Promise<Json> {
    const page = cursor === undefined ? {} : { cursor };
    const isModern = connected.era === "modern";
    const params = isModern ? { ...page, _meta: envelope(connected.revision, this.#options.identity) } : page;
    const { result } = await connected.connection.request(method, params, {
      timeoutMs: this.#options.timeoutMs,
      signal,
      ...(isModern ? { headers: mirrorHeaders(method, params) } : {}),
    });
    return result;
  }
}

/** Only modern HTTP carries arguments in headers, so only there is a bad annotation a danger. */
function mirrorsHeaders(connected: Connected): boolean {
  return connected.era === "modern" && connected.connection.transport.kind === "http";
}
