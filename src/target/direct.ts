// One backend, exactly as it is. Whoever is connected to it stays so when other settings take the place of these.

import type { Backend } from "../backend/backend.ts";
import type { Fleet } from "../backend/fleet.ts";
import type { Answer, Asker, Call, Caller, Subscriber, Watch } from "../protocol/call.ts";
import type { Abortable } from "../protocol/cancellation.ts";
import type { Notification } from "../protocol/jsonrpc.ts";
import type { ParamHeader } from "../protocol/param-headers.ts";
import { unknownBackend } from "./merged.ts";
import type { Described, Target } from "./target.ts";

export class DirectTarget implements Target {
  readonly name: string;
  readonly #fleet: Fleet;
  readonly #backendName: string;

  constructor(fleet: Fleet, backend: string) {
    this.name = directTargetName(backend);
    this.#fleet = fleet;
    this.#backendName = backend;
  }

  async describe(signal: Abortable, asker: Asker): Promise<Described> {
    const { era, revision, description } = await this.#backend.handshake(signal, asker);
    return era === "legacy" ? { ...description, revision } : description;
  }

  call(call: Call): Promise<Answer> {
    return this.#backend.call(call);
  }

  notify(notification: Notification, caller: Caller): void {
    this.#fleet.get(this.#backendName)?.notify(notification, caller);
  }

  subscribe(subscriber: Subscriber): Disposable {
    return this.#backend.subscribe(subscriber);
  }

  async watch(uri: string, subscriber: Subscriber, call: Call): Promise<Watch> {
    return await this.#backend.watch(uri, subscriber, call);
  }

  paramHeaders(tool: string): readonly ParamHeader[] | Promise<readonly ParamHeader[]> {
    return this.#backend.paramHeaders(tool);
  }

  /** The one that has these settings now. Throws GatewayError where the configuration has it no longer. */
  get #backend(): Backend {
    const backend = this.#fleet.get(this.#backendName);
    if (backend === undefined) throw unknownBackend(this.#backendName, this.#fleet.names);
    return backend;
  }
}

/** Sessions are bound to it. */
export function directTargetName(backend: string): string {
  return `backend:${backend}`;
}
