// What one backend offers, as it said when it was last asked: it stays known while the backend sleeps.

import { changed, itemsOf, memberOf, objectOf, writeJson } from "../protocol/exact.ts";
import { isObject, type Json } from "../protocol/jsonrpc.ts";
import { LIST_KEY, Method } from "../protocol/mcp.ts";
import { type ParamHeader, readParamHeaders } from "../protocol/param-headers.ts";
import type { Handshake } from "./introductions.ts";

/** A tool as the backend described it; only the name has been looked at. */
export interface Tool extends Json {
  readonly name: string;
}

/** `fresh`: this gateway has heard the tools from the backend. `remembered`: an earlier run of it has. */
export type Freshness = "fresh" | "remembered" | "unknown";

/** One list, whole. */
export interface List {
  readonly items: readonly Json[];
  /** What the server said beside the items: how long the list may be kept and by whom, `_meta`. */
  readonly rest: Json;
}

export interface CatalogRecord {
  readonly handshake: Handshake;
  readonly lists: Readonly<Record<string, List>>;
  readonly listedAtMs: number;
}

export class Catalog {
  #handshake: Handshake | undefined;
  /** Grows with every change, so that an index knows whether it is behind. */
  version = 0;
  readonly #lists = new Map<string, List>();
  /** Attaches its text to a restored value, only when it is needed: most items are never sent, and search needs no text. */
  #giveTexts: (() => void) | undefined;
  /** The lists that this gateway has heard itself. */
  readonly #heard = new Set<string>();
  readonly #tools = new Map<string, Tool>();
  readonly #paramHeaders = new Map<string, readonly ParamHeader[]>();
  #listedAtMs: number | undefined;

  get handshake(): Handshake | undefined {
    return this.#handshake;
  }

  get freshness(): Freshness {
    if (this.#heard.has(Method.listTools)) return "fresh";
    return this.#lists.has(Method.listTools) ? "remembered" : "unknown";
  }

  /** When a list was last heard from the backend. */
  get listedAtMs(): number | undefined {
    return this.#listedAtMs;
  }

  learnHandshake({ era, revision, description }: Handshake): void {
    this.#handshake = { era, revision, description };
    this.version += 1;
  }

  /** The items of one list method, or undefined where it was never listed. */
  list(method: string): readonly Json[] | undefined {
    return this.whole(method)?.items;
  }

  /** A list with what the server said beside its items. */
  whole(method: string): List | undefined {
    this.#giveTexts?.();
    this.#giveTexts = undefined;
    return this.#lists.get(method);
  }

  /** Returns true where the list differs from what was known. */
  learnList(method: string, list: List): boolean {
    const before = this.whole(method);
    const isSame = before !== undefined && writeJson(before.items) === writeJson(list.items);
    this.#put(method, list);
    this.#heard.add(method);
    this.#listedAtMs = Date.now();
    if (!isSame) this.version += 1;
    return before !== undefined && !isSame;
  }

  /** Takes up what an earlier run of the gateway has learnt. */
  restore(record: CatalogRecord): void {
    this.learnHandshake(record.handshake);
    for (const [method, list] of Object.entries(record.lists)) this.#put(method, list);
    this.#listedAtMs = record.listedAtMs;
    this.#giveTexts = () => giveTexts(record);
  }

  /** What is worth keeping; undefined where nothing is known. */
  record(): CatalogRecord | undefined {
    if (this.#handshake === undefined || this.#listedAtMs === undefined) return undefined;
    const { capabilities } = this.#handshake.description;
    // A server that declares tools and lists none may not have been done yet: it is asked again.
    const isKept = ([method, { items }]: [string, List]) =>
      items.length > 0 || method !== Method.listTools || capabilities.tools === undefined;
    this.#giveTexts?.();
    const lists = Object.fromEntries([...this.#lists].filter(isKept));
    return { handshake: this.#handshake, lists, listedAtMs: this.#listedAtMs };
  }

  get tools(): readonly Tool[] {
    return [...this.#tools.values()];
  }

  tool(name: string): Tool | undefined {
    this.whole(Method.listTools);
    return this.#tools.get(name);
  }

  /** The arguments of a tool that a modern HTTP request mirrors in headers; undefined for an unknown tool. */
  paramHeaders(name: string): readonly ParamHeader[] | undefined {
    const known = this.#paramHeaders.get(name);
    const tool = this.#tools.get(name);
    if (known !== undefined || tool === undefined) return known;
    const read = readParamHeaders(tool.inputSchema) ?? [];
    this.#paramHeaders.set(name, read);
    return read;
  }

  #put(method: string, list: List): void {
    this.#lists.set(method, list);
    if (method !== Method.listTools) return;
    this.#tools.clear();
    this.#paramHeaders.clear();
    for (const item of list.items) {
      if (isTool(item)) this.#tools.set(item.name, item);
    }
  }
}

export function isTool(item: Json): item is Tool {
  return typeof item.name === "string";
}

function giveTexts({ lists }: CatalogRecord): void {
  for (const method of Object.keys(lists)) {
    const list = objectOf(lists, method);
    if (list === undefined) continue;
    const items = memberOf(list, "items");
    if (Array.isArray(items)) itemsOf(items);
    memberOf(list, "rest");
  }
}

/** The items of one page and the cursor of the next; null and "" mean that there is none. Items that are no objects are skipped. */
export function readPage(method: string, result: Json): List & { readonly nextCursor: string | undefined } {
  const key = LIST_KEY.get(method) ?? "";
  const listed = memberOf(result, key);
  const items = Array.isArray(listed) ? itemsOf(listed).filter(isObject) : [];
  const { nextCursor } = result;
  return {
    items,
    rest: changed(result, { [key]: undefined, nextCursor: undefined }),
    nextCursor: typeof nextCursor === "string" && nextCursor !== "" ? nextCursor : undefined,
  };
}
