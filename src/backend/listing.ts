// Asks a backend for its lists, every page of them, and keeps the catalog true.

import { type Log, silentLog } from "../log.ts";
import { type Holding, MemoryBudget } from "../memory-budget.ts";
import { strictestPolicy } from "../protocol/cache-policy.ts";
import type { Answer } from "../protocol/call.ts";
import type { Abortable } from "../protocol/cancellation.ts";
import { changed, itemsOf, memberOf, writeJson } from "../protocol/exact.ts";
import { isObject, type Json } from "../protocol/jsonrpc.ts";
import { type Implementation, Method } from "../protocol/mcp.ts";
import { mirrorHeaders, readParamHeaders } from "../protocol/param-headers.ts";
import { type Catalog, type List, readPage } from "./catalog.ts";
import { type Connected, envelope } from "./handshake.ts";
import type { ToolPolicy } from "./tool-policy.ts";

/** More pages than this are taken for a loop. */
const MAX_PAGES = 1_000;
/** The largest list that is accepted, in bytes of JSON: many times the largest known list. */
const MAX_LIST_BYTES = 32 * 1024 * 1024;
/** The time for all pages of one list. Each page also has request_timeout. */
const WHOLE_LIST_MS = 300_000;

/** The capability that a server declares when it has such a list. */
const CAPABILITY: ReadonlyMap<string, string> = new Map([
  [Method.listTools, "tools"],
  [Method.listPrompts, "prompts"],
  [Method.listResources, "resources"],
  [Method.listResourceTemplates, "resources"],
]);

export interface ListingOptions {
  readonly catalog: Catalog;
  readonly policy: ToolPolicy | undefined;
  readonly identity: Implementation;
  readonly timeoutMs: number;
  readonly log: Log;
  /** Counts the memory of lists. */
  readonly budget?: MemoryBudget | undefined;
  /** A list was read; `isChanged`: it differs from what was known. */
  readonly onLearnt: (method: string, isChanged: boolean) => void;
}

interface ListRead {
  readonly items: readonly Json[];
  /** True if the list differs from the known one. */
  readonly isChanged: boolean;
}

export class Listing implements Disposable {
  readonly #options: ListingOptions;
  readonly #budget: MemoryBudget;
  readonly #catalogHeld: Holding;
  /** The size of each list in the catalog, in bytes. */
  readonly #sizes = new Map<string, number>();
  constructor(options: ListingOptions) {
    this.#options = options;
    this.#budget = options.budget ?? new MemoryBudget(silentLog);
    this.#catalogHeld = this.#budget.hold("catalogs");
  }

  /** The catalog belongs to the successor from now on, which counts its memory. */
  [Symbol.dispose](): void {
    this.#catalogHeld[Symbol.dispose]();
  }

  /** Reads these lists. Returns true if one of them differs from the known one. Rejects with RpcError or GatewayError. */
  async refresh(connected: Connected, methods: readonly string[], signal: Abortable): Promise<boolean> {
    let isChanged = false;
    for (const method of methods) {
      if ((await this.#read(connected, method, signal)).isChanged) isChanged = true;
    }
    return isChanged;
  }

  /** One list, all pages; empty if the server does not declare it. Rejects with RpcError or GatewayError. */
  async fetch(connected: Connected, method: string, signal: Abortable): Promise<readonly Json[]> {
    return (await this.#read(connected, method, signal)).items;
  }

  async #read(connected: Connected, method: string, signal: Abortable): Promise<ListRead> {
    if (connected.description.capabilities[CAPABILITY.get(method) ?? ""] === undefined) {
      return this.#learn(method, { items: [], rest: {} }, 0);
    }
    using held = this.#budget.hold("lists");
    const { items, rest } = await this.#collect(connected, method, signal, held);
    const { bytes } = held;
    // From here on the list counts as part of the catalog.
    held[Symbol.dispose]();
    if (method !== Method.listTools) return this.#learn(method, { items, rest }, bytes);
    this.#warnOfIdleRules(items);
    return this.#learn(method, { items: this.#toolsForClients(connected, items), rest }, bytes);
  }

  /** All pages, until one does not fit or has no new item; `held` counts their memory. */
  async #collect(connected: Connected, method: string, signal: Abortable, held: Holding): Promise<List> {
    const items: Json[] = [];
    const rests: Json[] = [];
    const seen = new Set<string>();
    const known = new Set<unknown>();
    const untilMs = performance.now() + WHOLE_LIST_MS;
    let cursor: string | undefined;
    let end: string | undefined;
    do {
      const result = await this.#ask(connected, method, cursor, signal);
      const page = readPage(method, result);
      const bytes = held.bytes + Buffer.byteLength(writeJson(result));
      if (bytes > MAX_LIST_BYTES || !held.set(bytes)) {
        end = "a list is too large";
        break;
      }
      if (cursor !== undefined && isKnown(page.items, known)) {
        end = "a page of a list has nothing new";
        break;
      }
      for (const item of page.items) {
        known.add(idOf(item));
        items.push(item);
      }
      rests.push(page.rest);
      cursor = page.nextCursor;
      if (cursor === undefined) break;
      if (seen.has(cursor) || seen.size >= MAX_PAGES) end = "a list repeats its pages";
      else if (performance.now() > untilMs) end = "a list takes too long";
      seen.add(cursor);
    } while (end === undefined);
    if (end !== undefined) {
      this.#options.log.warning(`${end}; keeping the items read so far`, { method, items: items.length });
    }
    return { items, rest: ofAllPages(rests) };
  }

  #warnOfIdleRules(tools: readonly Json[]): void {
    for (const rule of this.#options.policy?.unfitting(tools) ?? []) {
      this.#options.log.warning("a rule under tools fits none of the server's tools", { rule });
    }
  }

  #learn(method: string, list: List, bytes: number): ListRead {
    const others = [...this.#sizes].reduce((sum, [name, size]) => (name === method ? sum : sum + size), 0);
    if (!this.#catalogHeld.set(others + bytes)) {
      this.#options.log.warning("a list was not kept: memory_limit is reached", { method });
      return { items: this.#options.catalog.list(method) ?? [], isChanged: false };
    }
    this.#sizes.set(method, bytes);
    const isChanged = this.#options.catalog.learnList(method, list);
    this.#options.onLearnt(method, isChanged);
    return { items: list.items, isChanged };
  }

  /** The page of a tool list that a client asked for: as it came, where every tool is for clients as it is. */
  forClients(connected: Connected, answer: Answer): Answer {
    const listed = memberOf(answer.result, "tools");
    const { policy } = this.#options;
    if (!Array.isArray(listed) || (policy === undefined && !mirrorsHeaders(connected))) return answer;
    const kept = this.#toolsForClients(connected, itemsOf(listed).filter(isObject));
    const isWhole = policy === undefined && kept.length === listed.length;
    return isWhole ? answer : { result: changed(answer.result, { tools: kept }) };
  }

  #toolsForClients(connected: Connected, tools: readonly Json[]): Json[] {
    const valid = this.#validTools(connected, tools);
    return this.#options.policy?.shown(valid) ?? valid;
  }

  /** Less what a client of HTTP must not show. */
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
    signal: Abortable,
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

/** The identity of an item in its list: its name or URI. */
function idOf({ uri, uriTemplate, name }: Json): unknown {
  return uri ?? uriTemplate ?? name;
}

/** The other members of the first page, with the strictest cache policy of all pages. */
function ofAllPages([first = {}, ...others]: readonly Json[]): Json {
  return others.length === 0 ? first : changed(first, strictestPolicy([first, ...others]));
}

function isKnown(items: readonly Json[], known: ReadonlySet<unknown>): boolean {
  return items.length > 0 && items.every((item) => known.has(idOf(item)));
}

/** Only modern HTTP carries arguments in headers, so only there is a bad annotation a danger. */
function mirrorsHeaders(connected: Connected): boolean {
  return connected.era === "modern" && connected.connection.transport.kind === "http";
}
