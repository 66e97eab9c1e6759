// Who hears what a backend says outside of calls: changed lists, updated resources, finished elicitations.

import type { Subscriber } from "../protocol/call.ts";
import { type Json, type Notification, notification } from "../protocol/jsonrpc.ts";
import { Notice } from "../protocol/mcp.ts";

const MAX_OPEN_ELICITATIONS = 1_000;

const CHANGED = [
  ["tools", Notice.toolsChanged],
  ["prompts", Notice.promptsChanged],
  ["resources", Notice.resourcesChanged],
] as const;

export class Subscriptions {
  readonly #subscribers = new Set<Subscriber>();
  readonly #watchers = new Map<string, Set<Subscriber>>();
  /** Caller.key of the client that was sent to a URL, by elicitation id. */
  readonly #elicitations = new Map<string, string>();

  add(subscriber: Subscriber): Disposable {
    this.#subscribers.add(subscriber);
    return {
      [Symbol.dispose]: () => {
        this.#subscribers.delete(subscriber);
        for (const uri of this.#watchers.keys()) this.unwatch(uri, subscriber);
      },
    };
  }

  /** The resources that somebody watches. */
  get watched(): string[] {
    return [...this.#watchers.keys()];
  }

  watch(uri: string, subscriber: Subscriber): void {
    const watchers = this.#watchers.get(uri);
    if (watchers === undefined) this.#watchers.set(uri, new Set([subscriber]));
    else watchers.add(subscriber);
  }

  /** True where that was the last watcher of this resource. */
  unwatch(uri: string, subscriber: Subscriber): boolean {
    const watchers = this.#watchers.get(uri);
    if (watchers === undefined || !watchers.delete(subscriber) || watchers.size > 0) return false;
    return this.#watchers.delete(uri);
  }

  expectCompletion(elicitationId: string, callerKey: string): void {
    if (this.#elicitations.size >= MAX_OPEN_ELICITATIONS) {
      const oldest = this.#elicitations.keys().next();
      if (!oldest.done) this.#elicitations.delete(oldest.value);
    }
    this.#elicitations.set(elicitationId, callerKey);
  }

  /** Hands a notification to those it is for, and to nobody where that cannot be told. */
  deliver(notification: Notification): void {
    for (const subscriber of this.#recipients(notification)) subscriber.deliver(notification);
  }

  /** Says that the lists of a server with these capabilities may have changed; unknown ones may be any. */
  announceChange(capabilities: Json | undefined): void {
    for (const [capability, method] of CHANGED) {
      const mayHave = capabilities === undefined || capabilities[capability] !== undefined;
      if (mayHave) this.deliver(notification(method));
    }
  }

  #recipients({ method, params }: Notification): Iterable<Subscriber> {
    if (method === Notice.resourceUpdated) return [...this.#watchersOf(params?.uri)];
    if (method === Notice.elicitationComplete) {
      const key = this.#elicitations.get(String(params?.elicitationId));
      return [...this.#subscribers].filter((subscriber) => key !== undefined && subscriber.key === key);
    }
    const wanting = [...this.#subscribers].filter((subscriber) => subscriber.wants(method));
    if (isForAll(method)) return wanting;
    const keys = new Set([...this.#subscribers].map(({ key }) => key));
    return keys.size === 1 ? wanting : [];
  }

  /** An update may name a part of the resource that was subscribed to (server/resources, "Subscriptions"). */
  #watchersOf(uri: unknown): ReadonlySet<Subscriber> {
    if (typeof uri !== "string") return new Set();
    const exact = this.#watchers.get(uri);
    if (exact !== undefined) return exact;
    const parents = [...this.#watchers].filter(([watched]) =>
      uri.startsWith(watched.endsWith("/") ? watched : `${watched}/`),
    );
    return new Set(parents.flatMap(([, watchers]) => [...watchers]));
  }
}

function isForAll(method: string): boolean {
  return (
    method === Notice.toolsChanged || method === Notice.promptsChanged || method === Notice.resourcesChanged
  );
}
