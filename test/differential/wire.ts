// What a client speaks by, raw: a request goes out, all that comes for it is heard in order. No SDK, nothing dropped.

import type { Json } from "../../src/protocol/jsonrpc.ts";
import { META } from "../../src/protocol/mcp.ts";

/** What a response says of itself beside its messages; nothing on wires that are not HTTP. */
export interface Head {
  readonly status?: number;
  readonly type?: string | undefined;
  /** Of an event stream. */
  readonly framing?: { readonly isPrimed: boolean; readonly areNamed: boolean; readonly haveIds: boolean };
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Closes the stream of the response. */
  readonly signal?: AbortSignal;
}

export interface Wire extends AsyncDisposable {
  /** What came and belongs to no request. */
  readonly unasked: Json[];
  /** Takes a question that came on another stream than that of a request. */
  onQuestion?: ((question: Json) => void) | undefined;
  /** Resolves when the response has come; everything before it and the response itself are heard. */
  ask(message: Json, hear: (message: Json) => void, options?: AskOptions): Promise<Head>;
  /** Sends what is answered by nothing. */
  tell(message: Json): Promise<Head>;
}

const FOR_EVERYBODY = /^notifications\/(?:(?:tools|prompts|resources)\/list_changed|resources\/updated)$/;

/** Who hears what on a wire with one channel for all: requests are made one at a time, subscriptions beside them. */
export class Hearing {
  readonly unasked: Json[] = [];
  readonly #open = new Map<unknown, { hear: (message: Json) => void; done: () => void }>();

  /** Resolves when the response to `id` has been heard, or when the signal says that nobody waits for it. */
  until(id: unknown, hear: (message: Json) => void, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#open.delete(id);
        resolve();
      };
      this.#open.set(id, { hear, done });
      signal?.addEventListener("abort", done, { once: true });
    });
  }

  receive(message: Json): void {
    const isResponse = message.method === undefined;
    const listener = isResponse ? this.#open.get(message.id) : this.#listenerOf(message);
    if (listener === undefined) this.unasked.push(message);
    else listener.hear(message);
    if (isResponse) listener?.done();
  }

  #listenerOf(message: Json) {
    const params = message.params as Json | undefined;
    const subscription = (params?._meta as Json | undefined)?.[META.subscriptionId];
    if (subscription !== undefined) return this.#open.get(subscription);
    if (FOR_EVERYBODY.test(String(message.method))) return;
    return [...this.#open.values()].at(-1);
  }
}
