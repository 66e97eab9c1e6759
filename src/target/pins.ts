// Chosen tools of the backends, shown to clients just as they are. Knows nothing of the four meta-tools beside them.

import type { Backend } from "../backend/backend.ts";
import type { Fleet } from "../backend/fleet.ts";
import type { Log } from "../log.ts";
import type { Call, Subscriber } from "../protocol/call.ts";
import { signalOf } from "../protocol/cancellation.ts";
import { Method, Notice } from "../protocol/mcp.ts";
import { listedFor } from "./listed-for.ts";
import { qualification } from "./qualified.ts";
import { Sharing } from "./sharing.ts";

/** A backend that does not answer within this time is left out of the list, and comes in with its list_changed. */
const LIST_DEADLINE_MS = 15_000;

export interface Pin {
  readonly backend: Backend;
  /** As the backend calls it. */
  readonly tool: string;
}

export interface PinsOptions {
  readonly fleet: Fleet;
  /** Each as `server.tool`. */
  readonly pinned: readonly string[];
  readonly log: Log;
}

export class Pins {
  readonly #fleet: Fleet;
  readonly #pinned: readonly string[];
  readonly #log: Log;
  readonly #warned = new Set<string>();
  readonly #sharing: Sharing;

  constructor({ fleet, pinned, log }: PinsOptions) {
    this.#sharing = new Sharing(log);
    this.#fleet = fleet;
    this.#pinned = pinned;
    this.#log = log;
  }

  get isEmpty(): boolean {
    return this.#pinned.length === 0;
  }

  /** The backends that have a pinned tool. */
  get backends(): readonly Backend[] {
    return [...new Set(this.#all().map(({ backend }) => backend))];
  }

  /** The definitions under qualified names, in the order of the configuration; what does not exist is left out. */
  async list(call: Call): Promise<unknown[]> {
    const deadline = AbortSignal.any([signalOf(call.signal), AbortSignal.timeout(LIST_DEADLINE_MS)]);
    // Why one does not answer stands in its state and in the log.
    await Promise.allSettled(this.backends.map((backend) => backend.glance(Method.listTools, deadline)));
    const lists = this.#pinned.flatMap((written) => {
      const pin = this.#read(written);
      const tool = pin?.backend.catalog.tool(pin.tool);
      if (pin !== undefined && tool !== undefined)
        return [{ backend: pin.backend, items: listedFor(call, pin.backend, "tools", [tool]) }];
      this.#warn(written, pin);
      return [];
    });
    return this.#sharing.shared("tools", lists, call.caller.era);
  }

  /** The tool behind a qualified name, unless it is known not to be there. */
  find(qualified: string): Pin | undefined {
    if (this.isEmpty) return undefined;
    const there = this.#all().filter(
      ({ backend, tool }) =>
        backend.catalog.list(Method.listTools) === undefined || backend.catalog.tool(tool) !== undefined,
    );
    const called = (how: string) =>
      there.find(({ backend, tool }) => qualification(qualified, backend.name, tool) === how);
    return called("exact") ?? called("loose");
  }

  /** Tells of changed tools, but only of backends that have a pinned one. */
  subscribe(subscriber: Subscriber): Disposable {
    return this.#fleet.subscribe(({ name }) => ({
      key: subscriber.key,
      wants: (method) => method === Notice.toolsChanged && this.#has(name) && subscriber.wants(method),
      deliver: (message) => subscriber.deliver(message),
    }));
  }

  #all(): Pin[] {
    return this.#pinned.map((written) => this.#read(written)).filter((pin) => pin !== undefined);
  }

  /** Names of servers and tools may contain dots. The longest matching server that has the tool is used, else the longest. */
  #read(written: string): Pin | undefined {
    const fitting = this.#fleet.enabled().filter(({ name }) => written.startsWith(`${name}.`));
    const pins = fitting
      .toSorted((a, b) => b.name.length - a.name.length)
      .map((backend) => ({ backend, tool: written.slice(backend.name.length + 1) }));
    return pins.find(({ backend, tool }) => backend.catalog.tool(tool) !== undefined) ?? pins[0];
  }

  #has(name: string): boolean {
    return this.#all().some(({ backend }) => backend.name === name);
  }

  #warn(written: string, pin: Pin | undefined): void {
    const reason = whyMissing(pin);
    const text = `${written} ${reason}`;
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    this.#log.warning("left out a pinned tool", { pinned: written, reason });
  }
}

function whyMissing(pin: Pin | undefined): string {
  if (pin === undefined) return "no enabled backend has that name";
  const { backend } = pin;
  const isListed = backend.catalog.list(Method.listTools) !== undefined;
  return isListed ? `${backend.name} has no such tool` : `${backend.name} has not listed its tools yet`;
}
