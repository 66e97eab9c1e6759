// All backends of one gateway, by name: those that there are now, and those that others have taken the place of and that
// only finish what they were asked. Knows nothing of where the settings come from.

import { isDeepStrictEqual } from "node:util";
import type { BackendConfig } from "../config/config.ts";
import type { Subscriber } from "../protocol/call.ts";
import { Backend, type BackendOptions } from "./backend.ts";
import { StartTurns } from "./start-turns.ts";

/** How long calls may go on at a backend that is no longer what the configuration says. */
const DRAIN_MS = 60_000;
/** The same for a backend that is restarted on request, possibly because it hangs. */
const RENEW_DRAIN_MS = 10_000;

/** What other settings have come to; each backend is in one of the lists or was left alone. */
export interface FleetChange {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly RemovedBackend[];
}

export interface RemovedBackend {
  readonly name: string;
  /** Resolves when it has finished what it was asked, and nothing of it is left. */
  readonly ended: Promise<void>;
}

export class Fleet implements AsyncDisposable {
  readonly #options: BackendOptions;
  #backends = new Map<string, Backend>();
  /** Tells the backend that has a name from those that had it. */
  readonly #editions = new Map<string, symbol>();
  readonly #retiring = new Set<Backend>();
  /** Resolves, for each name, when the processes of all earlier backends of this name have ended. */
  readonly #endings = new Map<string, Promise<void>>();
  readonly #subscriptions = new Set<FleetSubscription>();
  readonly #closing = new AbortController();

  constructor(configs: readonly BackendConfig[], options: BackendOptions) {
    this.#options = { startTurns: new StartTurns(), ...options };
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

  /**
   * Applies other settings synchronously and as a whole. A backend is not touched if its settings are the same, or differ only
   * in their description. Otherwise it gets no new calls: they go to its successor, which starts when it is needed. The
   * successor of a process starts after the end of that process.
   */
  apply(configs: readonly BackendConfig[]): FleetChange {
    const before = this.#backends;
    const isSame = (config: BackendConfig) => isDeepStrictEqual(before.get(config.name)?.config, config);
    const changed = configs.filter((config) => before.has(config.name) && !isSame(config));
    const added = configs.filter(({ name }) => !before.has(name));
    const removed = [...before.values()].filter(
      ({ name }) => !configs.some((config) => config.name === name),
    );
    const ended = removed.map((backend) => ({ name: backend.name, ended: this.#remove(backend) }));
    for (const config of changed) {
      if (before.get(config.name)?.redescribe(config) !== true) this.#replace(config);
    }
    for (const config of added) this.#add(config).announceChange();
    this.#backends = new Map(
      configs.flatMap(({ name }) => {
        const backend = this.#backends.get(name);
        return backend === undefined ? [] : [[name, backend]];
      }),
    );
    return { added: namesOf(added), changed: namesOf(changed), removed: ended };
  }

  /** A new backend of the same settings in the place of this one, its failures forgotten; undefined for an unknown name. */
  renew(name: string): Backend | undefined {
    const before = this.#backends.get(name);
    return before === undefined ? undefined : this.#replace(before.config, RENEW_DRAIN_MS);
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

  /** How many calls run now, by the name of their backend. */
  inFlight(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const backend of [...this.all(), ...this.#retiring]) {
      const { inFlight } = backend.status();
      if (inFlight > 0) counts[backend.name] = (counts[backend.name] ?? 0) + inFlight;
    }
    return counts;
  }

  /** Resolves when no call is in flight any more, or after `timeoutMs`. */
  async whenIdle(timeoutMs: number): Promise<void> {
    await Promise.all([...this.all(), ...this.#retiring].map((backend) => backend.whenIdle(timeoutMs)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.all(), ...this.#retiring].map((backend) => backend[Symbol.asyncDispose]()));
  }

  #add(config: BackendConfig): Backend {
    const backend = this.#create(config);
    this.#backends.set(config.name, backend);
    for (const subscription of this.#subscriptions) subscription.add(backend);
    return backend;
  }

  /** The successor has the subscribers of the one before, who learn that its lists may have changed. */
  #replace(config: BackendConfig, drainMs = DRAIN_MS): Backend {
    const before = this.#backends.get(config.name);
    // Before the successor is made, which waits for this end. Nothing ends before this function has returned.
    if (before !== undefined) void this.#retire(before, drainMs);
    const backend = this.#create(config, before);
    this.#backends.set(config.name, backend);
    before?.announceChange();
    const { observe } = this.#options;
    observe?.stateChanged(config.name, backend.status().state, "stopped");
    // Watchers were promised news, which only a running backend has.
    if (backend.isWatched) backend.wake(this.#closing.signal).catch(ignore);
    return backend;
  }

  #remove(backend: Backend): Promise<void> {
    backend.announceChange();
    this.#backends.delete(backend.name);
    this.#editions.delete(backend.name);
    for (const subscription of this.#subscriptions) subscription.drop(backend.name);
    backend.announceEnd();
    return this.#retire(backend, DRAIN_MS);
  }

  #retire(backend: Backend, drainMs: number): Promise<void> {
    const { name, wire } = backend.config;
    this.#retiring.add(backend);
    const ended = backend.retire(drainMs).finally(() => this.#retiring.delete(backend));
    if (wire.kind === "url") return ended;
    const before = this.#endings.get(name);
    const allEnded = Promise.allSettled([before, ended]).then(() => {
      if (this.#endings.get(name) === allEnded) this.#endings.delete(name);
    });
    this.#endings.set(name, allEnded);
    return ended;
  }

  /** How one fares that has a successor is no news of that name. */
  #create(config: BackendConfig, before?: Backend): Backend {
    const edition = Symbol(config.name);
    this.#editions.set(config.name, edition);
    const { observe } = this.#options;
    const predecessor = () => this.#endings.get(config.name);
    if (observe === undefined) return new Backend(config, { ...this.#options, predecessor }, before);
    const stateChanged: typeof observe.stateChanged = (name, state, previous) => {
      if (this.#editions.get(name) === edition) observe.stateChanged(name, state, previous);
    };
    return new Backend(
      config,
      { ...this.#options, predecessor, observe: { ...observe, stateChanged } },
      before,
    );
  }
}

class FleetSubscription implements Disposable {
  readonly #toSubscriber: (backend: Backend) => Subscriber;
  /** A successor has the subscribers of the one before, so a name is all that it takes. */
  readonly #byName = new Map<string, Disposable>();

  constructor(toSubscriber: (backend: Backend) => Subscriber) {
    this.#toSubscriber = toSubscriber;
  }

  add(backend: Backend): void {
    this.#byName.set(backend.name, backend.subscribe(this.#toSubscriber(backend)));
  }

  drop(name: string): void {
    this.#byName.get(name)?.[Symbol.dispose]();
    this.#byName.delete(name);
  }

  [Symbol.dispose](): void {
    for (const subscription of this.#byName.values()) subscription[Symbol.dispose]();
  }
}

function namesOf(configs: readonly BackendConfig[]): string[] {
  return configs.map(({ name }) => name);
}

/** The backend's own state and the log tell of it. */
function ignore(): void {
  // Nothing.
}
