// What the gateway itself asks a backend to keep telling: changed lists and the resources that clients watch.
// Legacy: resources/subscribe per resource. Modern: one subscriptions/listen whose filter is all that is wanted.

import type { Subscriber, Watch } from "../protocol/call.ts";
import { changed, objectOf } from "../protocol/exact.ts";
import { isObject, type Json, type Notification, RpcError } from "../protocol/jsonrpc.ts";
import { type Implementation, META, Method, Notice } from "../protocol/mcp.ts";
import { mirrorHeaders } from "../protocol/param-headers.ts";
import { type Connected, envelope } from "./handshake.ts";
import type { Watchers } from "./watchers.ts";

const RELISTEN_DELAY_MS = 1_000;

export class Watching {
  readonly #watchers: Watchers;
  readonly #identity: Implementation;
  readonly #hear: (notification: Notification) => void;
  /** Ends the listen request that is open now. */
  #listening: AbortController | undefined;

  constructor(watchers: Watchers, identity: Implementation, hear: (notification: Notification) => void) {
    this.#watchers = watchers;
    this.#identity = identity;
    this.#hear = hear;
  }

  /** Rejects with RpcError if the backend refuses the resource. */
  async watch(connected: Connected, uri: string, subscriber: Subscriber, timeoutMs: number): Promise<Watch> {
    const isNew = !this.#watchers.uris.includes(uri);
    // Before the request: if another client's watch of this resource ends meanwhile, it is not the last.
    const watch = this.#watchers.add(uri, subscriber);
    try {
      if (connected.era === "legacy")
        await connected.connection.request(Method.subscribe, { uri }, { timeoutMs });
      else if (isNew) await this.#listen(connected);
    } catch (thrown) {
      this.#watchers.remove(watch);
      throw thrown;
    }
    return watch;
  }

  /** Nobody watches this resource any more. Rejects with RpcError or GatewayError. */
  async unsubscribe(connected: Connected, uri: string, timeoutMs: number): Promise<void> {
    if (connected.era === "modern") await this.#listen(connected);
    else await connected.connection.request(Method.unsubscribe, { uri }, { timeoutMs });
  }

  /** After a new handshake: everything that clients were promised goes on. */
  resume(connected: Connected, timeoutMs: number): void {
    if (connected.era === "modern") {
      void this.#listen(connected);
      return;
    }
    for (const uri of this.#watchers.uris) {
      connected.connection.request(Method.subscribe, { uri }, { timeoutMs }).catch(() => {
        // The resource is gone from the new process; its watchers hear nothing, as from any deleted resource.
      });
    }
  }

  /** Opens a listen request for all that is wanted now and resolves when it is acknowledged; then ends the one before. */
  #listen(connected: Connected): Promise<void> {
    const filter = this.#filter(connected);
    const before = this.#listening;
    const { promise: acknowledged, resolve } = Promise.withResolvers<void>();
    if (Object.keys(filter).length === 0) {
      before?.abort();
      this.#listening = undefined;
      return Promise.resolve();
    }
    const current = new AbortController();
    this.#listening = current;
    const params = { _meta: envelope(connected.revision, this.#identity), notifications: filter };
    const finish = () => {
      before?.abort();
      resolve();
    };
    void connected.connection
      .request(Method.listen, params, {
        timeoutMs: 0,
        signal: current.signal,
        headers: mirrorHeaders(Method.listen, params),
        listener: {
          onNotification: (notification) => {
            if (notification.method === Notice.listenAcknowledged) finish();
            else this.#hear(withoutSubscriptionId(notification));
          },
        },
      })
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      .then((thrown) => {
        finish();
        if (this.#listening !== current || connected.connection.end !== undefined) return;
        // A server that refuses to be listened to says so with an error; one that merely ended is listened to again.
        if (!(thrown instanceof RpcError))
          setTimeout(() => this.#relisten(connected, current), RELISTEN_DELAY_MS);
      });
    return acknowledged;
  }

  #relisten(connected: Connected, ended: AbortController): void {
    if (this.#listening === ended && connected.connection.end === undefined) void this.#listen(connected);
  }

  #filter({ description }: Connected): Json {
    const filter: Json = {};
    const declares = (capability: string) => {
      const declared = description.capabilities[capability];
      return isObject(declared) && declared.listChanged === true;
    };
    if (declares("tools")) filter.toolsListChanged = true;
    if (declares("prompts")) filter.promptsListChanged = true;
    if (declares("resources")) filter.resourcesListChanged = true;
    const watched = this.#watchers.uris;
    if (watched.length > 0) filter.resourceSubscriptions = watched;
    return filter;
  }
}

/** The id names our own listen request; each client's edge puts its own in. */
function withoutSubscriptionId({ jsonrpc, method, params }: Notification): Notification {
  const own = params === undefined ? undefined : objectOf(params, "_meta");
  if (params === undefined || own === undefined)
    return params === undefined ? { jsonrpc, method } : { jsonrpc, method, params };
  const meta = changed(own, { [META.subscriptionId]: undefined });
  const isEmpty = Object.keys(meta).length === 0;
  return { jsonrpc, method, params: changed(params, { _meta: isEmpty ? undefined : meta }) };
}
