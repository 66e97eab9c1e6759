// Records which clients watch which resources of one connection. A watch belongs to one client and one URI; the server gets
// `resources/unsubscribe` when the last watch of a URI ends.

import type { Subscriber, Watch } from "../protocol/call.ts";

/** Tells a server that nobody watches this resource any more. Rejects with RpcError or GatewayError. */
export type Unsubscribe = (uri: string) => Promise<void>;

export class Watchers {
  readonly #byUri = new Map<string, Set<OpenWatch>>();
  /** One function for each instance that serves these watches: two while a reload replaces the backend. */
  readonly #instances = new Set<Unsubscribe>();
  readonly #onUnused: () => void;

  /** `onUnused` is called when there is neither a watch nor an instance left. */
  constructor(onUnused: () => void) {
    this.#onUnused = onUnused;
  }

  /** The resources that somebody watches. */
  get uris(): string[] {
    return [...this.#byUri.keys()];
  }

  /** An instance serves these watches from now on, until it detaches. */
  attach(unsubscribe: Unsubscribe): void {
    this.#instances.add(unsubscribe);
  }

  detach(unsubscribe: Unsubscribe): void {
    this.#instances.delete(unsubscribe);
    this.#reportUnused();
  }

  add(uri: string, subscriber: Subscriber): OpenWatch {
    const watch = new OpenWatch(uri, subscriber, this);
    const watches = this.#byUri.get(uri);
    if (watches === undefined) this.#byUri.set(uri, new Set([watch]));
    else watches.add(watch);
    return watch;
  }

  /** Returns true if that was the last watch of its resource. */
  remove(watch: OpenWatch): boolean {
    const watches = this.#byUri.get(watch.uri);
    if (watches === undefined || !watches.delete(watch) || watches.size > 0) return false;
    this.#byUri.delete(watch.uri);
    this.#reportUnused();
    return true;
  }

  async unsubscribe(uri: string): Promise<void> {
    await Promise.all([...this.#instances].map((unsubscribe) => unsubscribe(uri)));
  }

  /** The clients that an update of this resource is for, each once. An update may name a part of the resource that was
   * subscribed to (2025-11-25, server/resources, "Subscriptions"). */
  of(uri: unknown): ReadonlySet<Subscriber> {
    if (typeof uri !== "string") return new Set();
    const exact = this.#byUri.get(uri);
    if (exact !== undefined) return subscribersOf(exact);
    const parents = [...this.#byUri].filter(([watched]) =>
      uri.startsWith(watched.endsWith("/") ? watched : `${watched}/`),
    );
    return subscribersOf(parents.flatMap(([, watches]) => [...watches]));
  }

  #reportUnused(): void {
    if (this.#instances.size === 0 && this.#byUri.size === 0) this.#onUnused();
  }
}

export class OpenWatch implements Watch {
  readonly uri: string;
  readonly subscriber: Subscriber;
  readonly #watchers: Watchers;

  constructor(uri: string, subscriber: Subscriber, watchers: Watchers) {
    this.uri = uri;
    this.subscriber = subscriber;
    this.#watchers = watchers;
  }

  async end(): Promise<void> {
    if (this.#watchers.remove(this)) await this.#watchers.unsubscribe(this.uri);
  }
}

function subscribersOf(watches: Iterable<OpenWatch>): ReadonlySet<Subscriber> {
  return new Set([...watches].map(({ subscriber }) => subscriber));
}
