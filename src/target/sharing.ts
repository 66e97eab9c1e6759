// Merges the lists of several backends into one, in which each name occurs once and clients accept each item. Each repair
// and each omission is logged once.

import type { Backend } from "../backend/backend.ts";
import type { Log } from "../log.ts";
import type { Era } from "../protocol/call.ts";
import { isObject, type Json } from "../protocol/jsonrpc.ts";
import { qualifyItem } from "./qualified.ts";
import { shareable } from "./shareable.ts";

const MOST_WARNINGS = 1_000;

export interface BackendList {
  readonly backend: Backend;
  readonly items: readonly unknown[];
}

export class Sharing {
  readonly #log: Log;
  readonly #warned = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** `key` is the member of the result with the list. If two backends give the same name, the longer backend name wins. */
  shared(key: string, lists: readonly BackendList[], era: Era): Json[] {
    const shared = new Map<unknown, { readonly backend: Backend; readonly item: Json }>();
    for (const { backend, items } of lists) {
      const own = new Set<unknown>();
      for (const item of items) {
        const fitted = this.#fitted(key, backend, item, era);
        if (fitted === undefined) continue;
        const id = idOf(fitted);
        const other = shared.get(id);
        if (own.has(id)) this.#warn("left out an item that a server lists twice", backend, key, item);
        else if (other === undefined || other.backend.name.length < backend.name.length)
          shared.set(id, { backend, item: fitted });
        own.add(id);
      }
    }
    return [...shared.values()].map(({ item }) => item);
  }

  #fitted(key: string, backend: Backend, item: unknown, era: Era): Json | undefined {
    const fitted = shareable(key, item, era);
    if (fitted === undefined) this.#warn("left out an item that clients refuse", backend, key, item);
    else if (fitted !== item) this.#warn("repaired an item that clients refuse", backend, key, item);
    const qualified = qualifyItem(backend.name, fitted);
    return isObject(qualified) ? qualified : undefined;
  }

  #warn(message: string, backend: Backend, key: string, item: unknown): void {
    const name = isObject(item) ? String(item.name ?? idOf(item) ?? "") : "";
    const text = `${message} ${backend.name} ${key} ${name}`;
    if (this.#warned.has(text) || this.#warned.size >= MOST_WARNINGS) return;
    this.#warned.add(text);
    this.#log.warning(message, { backend: backend.name, list: key, name });
  }
}

function idOf({ uri, uriTemplate, name }: Json): unknown {
  return uri ?? uriTemplate ?? name;
}
