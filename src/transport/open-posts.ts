// The POSTs under way on one wire, each with the means to give it up: one by the id of its request, all with the wire.
// Knows nothing of what comes back.

import { InFlight } from "../protocol/in-flight.ts";
import type { Id } from "../protocol/jsonrpc.ts";

/** One POST of ours, until all that comes of it has been read. */
export class OpenPost {
  /** Among all that are open. */
  readonly key: number;
  /** The id of our request; undefined where we sent what needs no answer. */
  readonly id: Id | undefined;
  /** True where the POST named a session, which the server may have lost. */
  readonly inSession: boolean;
  /** Aborted by whoever no longer wants the reply, and by the reply itself to let go of the response. */
  readonly signal: AbortSignal;
  #controller: AbortController | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(key: number, id: Id | undefined, inSession: boolean, controller: AbortController) {
    this.key = key;
    this.id = id;
    this.inSession = inSession;
    this.signal = controller.signal;
    this.#controller = controller;
  }

  giveUpAfter(ms: number): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.giveUp(), ms).unref();
  }

  /** Does nothing to a POST that is over. */
  giveUp(): void {
    this.#controller?.abort();
  }

  /** It is over: from now on its controller may be another's. */
  release(): AbortController | undefined {
    clearTimeout(this.#deadline);
    const controller = this.#controller;
    this.#controller = undefined;
    return controller;
  }
}

const MAX_SPARE = 64;
/** How long a server may hold back its response to a message that expects no answer. */
export const UNANSWERED_MS = 30_000;
/** How long a response may go on when the answer has come by another way. */
const LINGER_MS = 1_000;

export class OpenPosts {
  readonly #unansweredMs: number;
  readonly #open = new InFlight<OpenPost>();
  /** Never aborted. Of all that a small call takes a controller is among the dearest, so they serve again. */
  readonly #spare: AbortController[] = [];

  constructor(unansweredMs = UNANSWERED_MS) {
    this.#unansweredMs = unansweredMs;
  }

  /**
   * The POST of a request lives until `giveUp`, which the caller's timeout calls. Nobody waits for other POSTs, so they have a
   * deadline of their own.
   */
  begin(id: Id | undefined, inSession: boolean): OpenPost {
    const controller = this.#spare.pop() ?? new AbortController();
    const post = new OpenPost(this.#open.nextKey(), id, inSession, controller);
    this.#open.set(post.key, post);
    if (id === undefined) post.giveUpAfter(this.#unansweredMs);
    return post;
  }

  /** `isRead` says that its response has come to its end: nothing of it still hears the signal. */
  end(post: OpenPost, isRead: boolean): void {
    this.#open.delete(post.key);
    const controller = post.release();
    if (controller === undefined || !isRead || controller.signal.aborted) return;
    if (this.#spare.length < MAX_SPARE) this.#spare.push(controller);
  }

  giveUp(id: Id): void {
    this.#open.find((post) => post.id === id)?.giveUp();
  }

  /** The answer to request `id` arrived on another stream, so the response to its POST may never arrive. */
  answeredElsewhere(id: Id): void {
    this.#open.find((post) => post.id === id)?.giveUpAfter(LINGER_MS);
  }

  giveUpAll(): void {
    for (const post of this.#open.values()) post.giveUp();
  }
}
