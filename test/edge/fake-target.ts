// A target that answers as a test says, and keeps what it was asked.

import type { Answer, Call, Subscriber, Watch } from "../../src/protocol/call.ts";
import type { Notification } from "../../src/protocol/jsonrpc.ts";
import type { ParamHeader } from "../../src/protocol/param-headers.ts";
import type { Described, Target } from "../../src/target/target.ts";

export class FakeTarget implements Target {
  readonly name: string;
  readonly calls: Call[] = [];
  readonly notified: Notification[] = [];
  readonly subscribers = new Set<Subscriber>();
  readonly #answer: (call: Call) => Answer | Promise<Answer>;

  constructor(
    answer: (call: Call) => Answer | Promise<Answer> = () => ({ result: {} }),
    name = "backend:fake",
  ) {
    this.#answer = answer;
    this.name = name;
  }

  describe(): Promise<Described> {
    const capabilities = { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} };
    return Promise.resolve({ serverInfo: { name: "fake", version: "1" }, capabilities });
  }

  async call(call: Call): Promise<Answer> {
    this.calls.push(call);
    return this.#answer(call);
  }

  notify(notification: Notification): void {
    this.notified.push(notification);
  }

  subscribe(subscriber: Subscriber): Disposable {
    this.subscribers.add(subscriber);
    return { [Symbol.dispose]: () => void this.subscribers.delete(subscriber) };
  }

  /** Tells every subscriber. */
  announce(notification: Notification): void {
    for (const subscriber of this.subscribers) subscriber.deliver(notification);
  }

  watch(): Promise<Watch> {
    return Promise.resolve({ end: () => Promise.resolve() });
  }

  paramHeaders(): Promise<readonly ParamHeader[]> {
    return Promise.resolve([]);
  }
}
