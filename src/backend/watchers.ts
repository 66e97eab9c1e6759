// Which clients watch which resources of one connection.

import type { Subscriber } from "../protocol/call.ts";

export class Watchers {
  readonly #byUri = new Map<string, Set<Subscriber>>();

  /** The resources that somebody watches. */
  get uris(): string[] {
    return [...this.#byUri.keys()];
  }

  add(uri: string, subscriber: Subscriber): void {
    const watchers = this.#byUri.get(uri);
    if (watchers === undefined) this.#byUri.set(uri, new Set([subscriber]));
    else watchers.add(subscriber);
  }

  has(uri: string, subscriber: Subscriber): boolean {
    return this.#byUri.get(uri)?.has(subscriber) ?? false;
  }

  /** True where that was the last watcher of this resource. */
  remove(uri: string, subscriber: Subscriber): boolean {
    const watchers = this.#byUri.get(uri);
    if (watchers === undefined || !watchers.delete(subscriber) || watchers.size > 0) return false;
    return this.#byUri.delete(uri);
  }

  /** The client has gone. Returns the resources that it alone has watched. */
  removeAll(subscriber: Subscriber): string[] {
    return this.uris.filter((uri) => this.remove(uri, subscriber));
  }

  /** An update may name a part of the resource that was subscribed to (server/resources, "Subscriptions"). */
  of(uri: unknown): ReadonlySet<Subscriber> {
    if (typeof uri !== "string") return new Set();
    const exact = this.#byUri.get(uri);
    if (exact !== undefined) return new Set(exact);
    const parents = [...this.#byUri].filter(([watched]) =>
      uri.startsWith(watched.endsWith("/") ? watched : `${watched}/`),
    );
    return new Set(parents.flatMap(([, watchers]) => [...watchers]));
  }
}
