// All backends of one gateway, by name.

import type { BackendConfig } from "../config/config.ts";
import type { Subscriber } from "../protocol/call.ts";
import { Backend, type BackendOptions } from "./backend.ts";

export class Fleet implements AsyncDisposable {
  readonly #options: BackendOptions;
  readonly #backends = new Map<string, Backend>();
  readonly #subscriptions = new Set<FleetSubscription>();

  constructor(configs: readonly BackendConfig[], options: BackendOptions) {
    this.#options = options;
    for (const config of configs) this.#add(config);
  }

  get names(): string[] {
    return [...this.#backends.keys()];
  }

  get(name: string): Backend | undefined {
    return this.#backends.get(name);
  }

  /** In the order of the configuration. */
  all(): Backend[] {
    return [...this.#backends.values()];
  }

  /** Those that a client may use, whether or not they run now. */
  enabled(): Backend[] {
    return this.all().filter(({ config }) => config.enabled);
  }

  /** Subscribes to every backend, those included that come later. */
  subscribe(toSubscriber: (backend: Backend) => Subscriber): Disposable {
    const subscription = new FleetSubscription(toSubscriber);
    for (const backend of this.#backends.values()) subscription.add(backend);
    this.#subscriptions.add(subscription);
    return {
      [Symbol.dispose]: () => {
        this.#subscriptions.delete(subscription);
        subscription[Symbol.dispose]();
      },
    };
  }

  /** Resolves when no call is in flight any more, or after `timeoutMs`. */
  async whenIdle(timeoutMs: number): Promise<void> {
    await Promise.all(this.all().map((backend) => backend.whenIdle(timeoutMs)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all().map((backend) => backend[Symbol.asyncDispose]()));
  }

  #add(config: BackendConfig): void {
    const backend = new Backend(config, this.#options);
    this.#backends.set(config.name, backend);
    for (const subscription of this.#subscriptions) subscription.add(backend);
  }
}

class FleetSubscription implements Disposable {
  readonly #toSubscriber: (backend: Backend) => Subscriber;
  readonly #byBackend = new Map<
    string,
    { readonly subscriber: Subscriber; readonly subscription: Disposable }
  >();

  constructor(toSubscriber: (backend: Backend) => Subscriber) {
    this.#toSubscriber = toSubscriber;
  }

  add(backend: Backend): void {
    const subscriber = this.#toSubscriber(backend);
    this.#byBackend.set(backend.name, { subscriber, subscription: backend.subscribe(subscriber) });
  }

  [Symbol.dispose](): void {
    for (const { subscription } of this.#byBackend.values()) subscription[Symbol.dispose]();
  }
}
