// What one backend offers, as it said when it was last asked: it stays known while the backend sleeps.

import { itemsOf, memberOf } from "../protocol/exact.ts";
import { isObject, type Json } from "../protocol/jsonrpc.ts";
import { LIST_KEY, Method } from "../protocol/mcp.ts";
import { type ParamHeader, readParamHeaders } from "../protocol/param-headers.ts";
import { hideSecrets } from "../shown.ts";
import type { Handshake } from "./introductions.ts";

/** A tool as the backend described it; only the name has been looked at. */
export interface Tool extends Json {
  readonly name: string;
}

/** `fresh`: this gateway has heard the tools from the backend. `remembered`: an earlier run of it has. */
export type Freshness = "fresh" | "remembered" | "unknown";

export interface CatalogRecord {
  readonly handshake: Handshake;
  readonly lists: Readonly<Record<string, readonly Json[]>>;
  readonly listedAtMs: number;
}

export class Catalog {
  #handshake: Handshake | undefined;
  /** Grows with every change, so that an index knows whether it is behind. */
  version = 0;
  readonly #lists = new Map<string, readonly Json[]>();
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
    return this.#lists.get(method);
  }

  /** Returns true where the list differs from what was known. */
  learnList(method: string, items: readonly Json[]): boolean {
    const before = this.#lists.get(method);
    const isSame = before !== undefined && comparable(before) === comparable(items);
    this.#put(method, items);
    this.#heard.add(method);
    this.#listedAtMs = Date.now();
    if (!isSame) this.version += 1;
    return before !== undefined && !isSame;
  }

  /** Takes up what an earlier run of the gateway has learnt. */
  restore({ handshake, lists, listedAtMs }: CatalogRecord): void {
    this.learnHandshake(handshake);
    for (const [method, items] of Object.entries(lists)) this.#put(method, items);
    this.#listedAtMs = listedAtMs;
  }

  /** What is worth keeping; undefined where nothing is known. */
  record(): CatalogRecord | undefined {
    if (this.#handshake === undefined || this.#listedAtMs === undefined) return undefined;
    const { capabilities } = this.#handshake.description;
    // A server that declares tools and lists none may not have been done yet: it is asked again.
    const isKept = ([method, items]: [string, readonly Json[]]) =>
      items.length > 0 || method !== Method.listTools || capabilities.tools === undefined;
    const lists = Object.fromEntries([...this.#lists].filter(isKept));
    return { handshake: this.#handshake, lists, listedAtMs: this.#listedAtMs };
  }

  get tools(): readonly Tool[] {
    return [...this.#tools.values()];
  }

  tool(name: string): Tool | undefined {
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

  #put(method: string, items: readonly Json[]): void {
    this.#lists.set(method, items);
    if (method !== Method.listTools) return;
    this.#tools.clear();
    this.#paramHeaders.clear();
    for (const item of items) {
      if (isTool(item)) this.#tools.set(item.name, item);
    }
  }
}

export function isTool(item: Json): item is Tool {
  return typeof item.name === "string";
}

/** JSON without the secrets that it may hold: what goes to disk, and so what can be compared with it. */
export function comparable(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "string" ? hideSecrets(inner) : inner,
  );
}

/** The items of one page, and where the next one starts: null and "" mean nowhere. Whatever is no object is left out. */
export function readPage(method: string, result: Json): { items: Json[]; nextCursor: string | undefined } {
  const listed = memberOf(result, LIST_KEY.get(method) ?? "");
  const items = Array.isArray(listed) ? itemsOf(listed).filter(isObject) : [];
  const { nextCursor } = result;
  return { items, nextCursor: typeof nextCursor === "string" && nextCursor !== "" ? nextCursor : undefined };
}
