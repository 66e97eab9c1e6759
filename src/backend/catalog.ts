// What one backend offers, as it said when it was last asked: it stays known while the backend sleeps.

import { isObject, type Json } from "../protocol/jsonrpc.ts";
import { LIST_KEY, Method } from "../protocol/mcp.ts";
import { type ParamHeader, readParamHeaders } from "../protocol/param-headers.ts";
import type { Handshake } from "./introductions.ts";

/** A tool as the backend described it; only the name has been looked at. */
export interface Tool extends Json {
  readonly name: string;
}

export class Catalog {
  #handshake: Handshake | undefined;
  /** Grows with every change, so that an index knows whether it is behind. */
  version = 0;
  readonly #lists = new Map<string, readonly Json[]>();
  readonly #tools = new Map<string, Tool>();
  readonly #paramHeaders = new Map<string, readonly ParamHeader[]>();

  get handshake(): Handshake | undefined {
    return this.#handshake;
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
    this.#lists.set(method, items);
    this.version += 1;
    if (method === Method.listTools) this.#indexTools(items);
    return before !== undefined && JSON.stringify(before) !== JSON.stringify(items);
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

  #indexTools(items: readonly Json[]): void {
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

/** The items of one page, and where the next one starts. Whatever is no object is left out. */
export function readPage(method: string, result: Json): { items: Json[]; nextCursor: string | undefined } {
  const listed = result[LIST_KEY.get(method) ?? ""];
  const items = Array.isArray(listed) ? listed.filter(isObject) : [];
  return { items, nextCursor: typeof result.nextCursor === "string" ? result.nextCursor : undefined };
}
