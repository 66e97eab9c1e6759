// Who hears what a backend says outside of calls: changed lists, updated resources, finished elicitations.

import type { Subscriber } from "../protocol/call.ts";
import { type Json, type Notification, notification } from "../protocol/jsonrpc.ts";
import { Notice } from "../protocol/mcp.ts";
import { Watchers } from "./watchers.ts";

const MAX_OPEN_ELICITATIONS = 1_000;

const CHANGED = [
  ["tools", Notice.toolsChanged],
  ["prompts", Notice.promptsChanged],
  ["resources", Notice.resourcesChanged],
] as const;

export class Subscriptions {
  readonly #subscribers = new Set<Subscriber>();
  /** By the key of the instances whose resources they are. */
  readonly #watchers = new Map<string, { readonly watchers: Watchers; instances: number }>();
  /** Caller.key of the client that was sent to a URL, by elicitation id. */
  readonly #elicitations = new Map<string, string>();

  add(subscriber: Subscriber): Disposable {
    this.#subscribers.add(subscriber);
    return {
      [Symbol.dispose]: () => {
        this.#subscribers.delete(subscriber);
        for (const [key, { watchers }] of this.#watchers) {
          watchers.removeAll(subscriber);
          this.#forgetUnused(key);
        }
      },
    };
  }

  /** Nothing more will come. */
  end(): void {
    for (const subscriber of [...this.#subscribers]) subscriber.ended?.();
  }

  /** Who watches what on one instance, until it is released; the same object for the next one with this key. */
  watchers(key: string): Watchers {
    const kept = this.#watchers.get(key) ?? { watchers: new Watchers(), instances: 0 };
    kept.instances += 1;
    this.#watchers.set(key, kept);
    return kept.watchers;
  }

  /** An instance with this key is gone. Those who watch its resources are remembered for the next. */
  release(key: string): void {
    const kept = this.#watchers.get(key);
    if (kept !== undefined) kept.instances -= 1;
    this.#forgetUnused(key);
  }

  /** The instances that somebody watches a resource of. */
  get watchedKeys(): string[] {
    return [...this.#watchers].filter(([, { watchers }]) => watchers.uris.length > 0).map(([key]) => key);
  }

  /** The instances on which this client watches this resource. */
  keysOf(uri: string, subscriber: Subscriber): string[] {
    return [...this.#watchers].filter(([, kept]) => kept.watchers.has(uri, subscriber)).map(([key]) => key);
  }

  expectCompletion(elicitationId: string, callerKey: string): void {
    if (this.#elicitations.size >= MAX_OPEN_ELICITATIONS) {
      const oldest = this.#elicitations.keys().next();
      if (!oldest.done) this.#elicitations.delete(oldest.value);
    }
    this.#elicitations.set(elicitationId, callerKey);
  }

  /** Hands a notification to those it is for, and to nobody where that cannot be told. `owner`: whose process says so. */
  deliver(notification: Notification, owner?: string): void {
    for (const subscriber of this.#recipients(notification, owner)) subscriber.deliver(notification);
  }

  /** Says that the lists of a server with these capabilities may have changed; unknown ones may be any. */
  announceChange(capabilities: Json | undefined): void {
    for (const [capability, method] of CHANGED) {
      const mayHave = capabilities === undefined || capabilities[capability] !== undefined;
      if (mayHave) this.deliver(notification(method));
    }
  }

  #forgetUnused(key: string): void {
    const kept = this.#watchers.get(key);
    if (kept?.instances === 0 && kept.watchers.uris.length === 0) this.#watchers.delete(key);
  }

  #recipients({ method, params }: Notification, owner: string | undefined): Iterable<Subscriber> {
    if (method === Notice.elicitationComplete) {
      const id = params?.elicitationId;
      const key = typeof id === "string" ? this.#elicitations.get(id) : undefined;
      return [...this.#subscribers].filter((subscriber) => key !== undefined && subscriber.key === key);
    }
    const wanting = [...this.#subscribers].filter((subscriber) => subscriber.wants(method));
    if (isForAll(method)) return wanting;
    if (owner !== undefined) return wanting.filter(({ key }) => key === owner);
    const keys = new Set([...this.#subscribers].map(({ key }) => key));
    return keys.size === 1 ? wanting : [];
  }
}

function isForAll(method: string): boolean {
  return (
    method === Notice.toolsChanged || method === Notice.promptsChanged || method === Notice.resourcesChanged
  );
}
