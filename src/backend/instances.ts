// The processes of one backend, or the connections to it: either one for all clients plus variants for some of them, or one
// for each client, with a bound.

import type { BackendConfig } from "../config/config.ts";
import type { Asker, Caller } from "../protocol/call.ts";
import { GatewayError } from "../protocol/errors.ts";
import type { Instance } from "./instance.ts";
import type { StateName } from "./state.ts";
import { COMMON, LEGACY, readVariant } from "./variant.ts";

/** Those that say the most about the backend as a whole come first. */
const TELLING: readonly StateName[] = ["ready", "starting", "draining", "failed", "asleep", "stopped"];

/** Who comes and goes unseen never says that it is gone: its process ends after this long, where no other time is set. */
const UNSEEN_IDLE_MS = 30 * 60_000;
/** A process that was used within this time makes way for nobody. */
const IN_USE_MS = 60_000;

/** Clients with further sets of extensions share the connection without extensions. */
const MAX_VARIANTS = 9;

export type MakeInstance = (key: string, config: BackendConfig, onAsleep: () => void) => Instance;

export class Instances implements AsyncDisposable {
  readonly #config: BackendConfig;
  readonly #make: MakeInstance;
  readonly #variantOf: (asker: Asker) => string;
  readonly #byKey = new Map<string, Instance>();
  /** Those of clients that tell when they are gone. */
  readonly #tied = new WeakSet<Instance>();
  /** Ended by their sessions; their processes may still be on their way out. */
  readonly #leaving = new Map<Instance, Promise<void>>();
  #startsBefore = 0;
  #startedBefore = 0;
  #isClosed = false;

  /** `variantOf`: the key of the connection for a client, if clients share the backend. */
  constructor(config: BackendConfig, make: MakeInstance, variantOf: (asker: Asker) => string) {
    this.#config = config;
    this.#make = make;
    this.#variantOf = variantOf;
    if (!this.#isPerClient) this.#add(COMMON);
  }

  /** Throws GatewayError where there are as many as there may be. */
  of(caller: Caller): Instance {
    return this.#isPerClient ? this.#get(keyOf(caller), caller.ended) : this.sharedBy(caller);
  }

  /** The instance that serves this kind of client; with one instance for each client, the instance for lists and search. */
  sharedBy(asker: Asker): Instance {
    return this.#isPerClient ? this.common() : this.#variant(this.#variantOf(asker));
  }

  /** The one for what concerns no client: lists and handshakes. Throws as `of` does. */
  common(): Instance {
    return this.#get(COMMON);
  }

  /** The instance of this caller where there is one already. */
  find(caller: Caller): Instance | undefined {
    return this.#byKey.get(this.#isPerClient ? keyOf(caller) : this.#variantOf(caller));
  }

  withKey(key: string): Instance {
    return this.#isPerClient ? this.#get(key) : this.#variant(readVariant(key) === undefined ? COMMON : key);
  }

  /** The connections beside the common one. */
  get variants(): Instance[] {
    return this.#isPerClient ? [] : this.all().filter(({ key }) => key !== COMMON);
  }

  all(): Instance[] {
    return [...this.#byKey.values()];
  }

  /** The one whose state stands for the backend. */
  get telling(): Instance | undefined {
    const rank = ({ lifecycle }: Instance) => TELLING.indexOf(lifecycle.state);
    return this.all().sort((a, b) => rank(a) - rank(b))[0];
  }

  get starts(): number {
    return this.all().reduce((sum, { lifecycle }) => sum + lifecycle.starts, this.#startsBefore);
  }

  /** How many instances have started at all. */
  get started(): number {
    return this.#startedBefore + this.all().filter(({ lifecycle }) => lifecycle.starts > 0).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all([
      ...this.all().map((instance) => instance[Symbol.asyncDispose]()),
      ...this.#leaving.values(),
    ]);
  }

  #variant(key: string): Instance {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    this.#throwIfClosed();
    if (this.#byKey.size >= MAX_VARIANTS) this.#dropIdle();
    if (this.#byKey.size < MAX_VARIANTS || key === COMMON) return this.#add(key);
    return this.#byKey.get(LEGACY) ?? this.#variant(COMMON);
  }

  #throwIfClosed(): void {
    if (!this.#isClosed) return;
    throw new GatewayError("shutting-down", `${this.#config.name}: it is being closed; try again shortly.`);
  }

  get #isPerClient(): boolean {
    return this.#config.scope === "session";
  }

  #get(key: string, ended?: AbortSignal): Instance {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const { name, maxInstances } = this.#config;
    this.#throwIfClosed();
    if (this.#count >= maxInstances) this.#dropIdle();
    if (this.#count >= maxInstances && !this.#dropUnused()) {
      throw new GatewayError(
        "backend-busy",
        `${name}: ${maxInstances} clients have a process of their own and there may be no more (max_instances). Try ` +
          "again when one of them has ended its session or has been idle, or raise max_instances.",
      );
    }
    return this.#add(key, ended);
  }

  get #count(): number {
    return (
      this.#byKey.size + [...this.#leaving.keys()].filter((instance) => !isWithoutProcess(instance)).length
    );
  }

  #add(key: string, ended?: AbortSignal): Instance {
    const isUnseen = this.#isPerClient && ended === undefined;
    const isVariant = !this.#isPerClient && key !== COMMON;
    const instance = this.#make(key, this.#configOf(isUnseen || isVariant), () => {
      // A client's sleeper has nothing worth keeping: its place is for others. Unless somebody waits for it to wake.
      const isNeeded = instance.lifecycle.users > 0 || !this.#isPerClient;
      if (!isNeeded && this.#byKey.get(key) === instance) this.#remove(instance);
    });
    this.#byKey.set(key, instance);
    if (!isUnseen) this.#tied.add(instance);
    const { closing } = instance.lifecycle;
    ended?.addEventListener("abort", () => this.#remove(instance), { once: true, signal: closing });
    return instance;
  }

  /** Clients without a session do not say when they leave, so their process or connection ends when it is idle. */
  #configOf(isForSome: boolean): BackendConfig {
    if (!isForSome) return this.#config;
    const idleTimeoutMs = this.#config.idleTimeoutMs > 0 ? this.#config.idleTimeoutMs : UNSEEN_IDLE_MS;
    return { ...this.#config, idleTimeoutMs, keepAlive: this.#isPerClient && this.#config.keepAlive };
  }

  /** What has failed holds no process. */
  #dropIdle(): void {
    for (const instance of this.#isPerClient ? this.all() : this.variants) {
      if (instance.lifecycle.users === 0 && isWithoutProcess(instance)) this.#remove(instance);
    }
  }

  /** The one that was used the longest time ago, of nobody or of a client that may be gone. True where there was one. */
  #dropUnused(): boolean {
    const sinceMs = ({ lifecycle }: Instance) => lifecycle.idleSinceMs;
    const nowMs = performance.now();
    const isSpare = (instance: Instance) => instance.key === COMMON || nowMs - sinceMs(instance) >= IN_USE_MS;
    const [oldest] = this.all()
      .filter((instance) => !this.#tied.has(instance) && !instance.isNeeded && isSpare(instance))
      .sort((a, b) => sinceMs(a) - sinceMs(b));
    if (oldest !== undefined) this.#remove(oldest);
    return oldest !== undefined;
  }

  #remove(instance: Instance): void {
    if (this.#byKey.get(instance.key) !== instance) return;
    this.#byKey.delete(instance.key);
    this.#startsBefore += instance.lifecycle.starts;
    this.#startedBefore += instance.lifecycle.starts > 0 ? 1 : 0;
    const ended = instance[Symbol.asyncDispose]().finally(() => this.#leaving.delete(instance));
    this.#leaving.set(instance, ended);
  }
}

function isWithoutProcess({ lifecycle }: Instance): boolean {
  return ["failed", "asleep", "stopped"].includes(lifecycle.state);
}

/** A session, or for clients without sessions, whose credentials and which program. */
function keyOf({ era, key, principal, clientInfo }: Caller): string {
  return era === "legacy" ? key : JSON.stringify([principal, clientInfo?.name, clientInfo?.version]);
}
