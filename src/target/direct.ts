// One backend, exactly as it is.

import type { Backend } from "../backend/backend.ts";
import type { Answer, Call, Subscriber } from "../protocol/call.ts";
import type { Notification } from "../protocol/jsonrpc.ts";
import type { ParamHeader } from "../protocol/param-headers.ts";
import type { Described, Target } from "./target.ts";

export class DirectTarget implements Target {
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get name(): string {
    return `backend:${this.#backend.name}`;
  }

  async describe(signal: AbortSignal): Promise<Described> {
    const { era, revision, description } = await this.#backend.handshake(signal);
    return era === "legacy" ? { ...description, revision } : description;
  }

  call(call: Call): Promise<Answer> {
    return this.#backend.call(call);
  }

  notify(notification: Notification): void {
    this.#backend.notify(notification);
  }

  subscribe(subscriber: Subscriber): Disposable {
    return this.#backend.subscribe(subscriber);
  }

  watch(uri: string, subscriber: Subscriber, call: Call): Promise<void> {
    return this.#backend.watch(uri, subscriber, call);
  }

  unwatch(uri: string, subscriber: Subscriber): Promise<void> {
    return this.#backend.unwatch(uri, subscriber);
  }

  paramHeaders(tool: string, signal: AbortSignal): Promise<readonly ParamHeader[]> {
    return this.#backend.paramHeaders(tool, signal);
  }
}
