// Who hears what a backend says outside of calls: changed lists, updated resources, finished elicitations.

import type { Era, Subscriber } from "../protocol/call.ts";
import { type Json, type Notification, notification } from "../protocol/jsonrpc.ts";
import { Notice } from "../protocol/mcp.ts";
import { Watchers } from "./watchers.ts";

const MAX_OPEN_ELICITATIONS = 1_000;

const CHANGED = [
  ["tools", Notice.toolsChanged],
  ["prompts", Notice.promptsChanged],
  ["resources", Notice.resourcesChanged],
] as const;

/** Where a notification comes from. */
export interface NewsSource {
  /** The key of the client, if the process belongs to one client. */
  readonly owner?: string | undefined;
  /** The era of the clients that use this connection, if each era has a connection. */
  readonly era?: Era | undefined;
}

export class Subscriptions {
  readonly #subscribers = new Set<Subscriber>();
  /** By the key of the instances whose resources they are. */
  readonly #watchers = new Map<string, Watchers>();
  /** Caller.key of the client that was sent to a URL, by elicitation id. */
  readonly #elicitations = new Map<string, string>();

  add(subscriber: Subscriber): Disposable {
    this.#subscribers.add(subscriber);
    return { [Symbol.dispose]: () => void this.#subscribers.delete(subscriber) };
  }

  /** Nothing more will come. */
  end(): void {
    for (const subscriber of [...this.#subscribers]) subscriber.ended?.();
  }

  /** The watches of the instances with this key. They survive an instance: the next one serves them. */
  watchers(key: string): Watchers {
    const known = this.#watchers.get(key);
    if (known !== undefined) return known;
    const watchers = new Watchers(() => {
      if (this.#watchers.get(key) === watchers) this.#watchers.delete(key);
    });
    this.#watchers.set(key, watchers);
    return watchers;
  }

  /** The instances that somebody watches a resource of. */
  get watchedKeys(): string[] {
    return [...this.#watchers].filter(([, watchers]) => watchers.uris.length > 0).map(([key]) => key);
  }

  expectCompletion(elicitationId: string, callerKey: string): void {
    if (this.#elicitations.size >= MAX_OPEN_ELICITATIONS) {
      const oldest = this.#elicitations.keys().next();
      if (!oldest.done) this.#elicitations.delete(oldest.value);
    }
    this.#elicitations.set(elicitationId, callerKey);
  }

  /** Passes on a notification to the clients that it is for, and to nobody if that cannot be decided. */
  deliver(notification: Notification, source: NewsSource = {}): void {
    for (const subscriber of this.#recipients(notification, source)) subscriber.deliver(notification);
  }

  /** Says that the lists of a server with these capabilities may have changed; unknown ones may be any. */
  announceChange(capabilities: Json | undefined): void {
    for (const [capability, method] of CHANGED) {
      const mayHave = capabilities === undefined || capabilities[capability] !== undefined;
      if (mayHave) this.deliver(notification(method));
    }
  }

  #recipients({ method, params }: Notification, { owner, era }: NewsSource): Iterable<Subscriber> {
    if (method === Notice.elicitationComplete) {
      const id = params?.elicitationId;
      const key = typeof id === "string" ? this.#elicitations.get(id) : undefined;
      return [...this.#subscribers].filter((subscriber) => key !== undefined && subscriber.key === key);
    }
    const isInReach = (subscriber: Subscriber) =>
      era === undefined || (subscriber.era === "legacy") === (era === "legacy");
    const inReach = [...this.#subscribers].filter(isInReach);
    const wanting = inReach.filter((subscriber) => subscriber.wants(method));
    if (isForAll(method)) return wanting;
    if (owner !== undefined) return wanting.filter(({ key }) => key === owner);
    const keys = new Set(inReach.map(({ key }) => key));
    return keys.size === 1 ? wanting : [];
  }
}

function isForAll(method: string): boolean {
  return (
    method === Notice.toolsChanged || method === Notice.promptsChanged || method === Notice.resourcesChanged
  );
}
