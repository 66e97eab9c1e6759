// Streamable HTTP as a client speaks it, in either era; a legacy one has a session and a stream for what is unasked.

import { EventStreamParser } from "../../src/protocol/event-stream.ts";
import type { Json } from "../../src/protocol/jsonrpc.ts";
import type { AskOptions, Head, Wire } from "./wire.ts";

const JSON_BOTH_WAYS = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
};
/** A server that never ends its answer fails the test in its place. */
const ANSWER_MS = 15_000;
/** What the server asks for with `retry:` is for people's networks. */
const RESUME_DELAY_MS = 20;

export class HttpWire implements Wire {
  readonly unasked: Json[] = [];
  onQuestion: Wire["onQuestion"];
  readonly url: string;
  /** Sent with everything: what the handshake has agreed on. */
  headers: Readonly<Record<string, string>> = {};
  readonly #closed = new AbortController();

  constructor(url: string) {
    this.url = url;
  }

  async ask(message: Json, hear: (message: Json) => void, options: AskOptions = {}): Promise<Head> {
    const timeout = AbortSignal.timeout(ANSWER_MS);
    const signal = AbortSignal.any([timeout, ...(options.signal === undefined ? [] : [options.signal])]);
    try {
      return await this.#ask(message, hear, { ...options, signal });
    } catch (thrown) {
      if (options.signal?.aborted === true) return {};
      throw new Error(`no answer to ${JSON.stringify(message)}`, { cause: thrown });
    }
  }

  async tell(message: Json): Promise<Head> {
    const response = await this.post(JSON.stringify(message));
    await response.text();
    return headOf(response);
  }

  post(body: string, { headers = {}, signal }: AskOptions = {}): Promise<Response> {
    const all = { ...JSON_BOTH_WAYS, ...this.headers, ...headers };
    return fetch(this.url, { method: "POST", headers: all, body, ...(signal && { signal }) });
  }

  /** Opens the stream of a session for what is unasked. Its head may come as late as its first message. */
  listen(): void {
    const { signal } = this.#closed;
    const headers = { ...this.headers, accept: "text/event-stream" };
    const unasked = (message: Json) => {
      if (message.id === undefined) this.unasked.push(message);
      else this.onQuestion?.(message);
    };
    void fetch(this.url, { headers, signal })
      .then((response) => new Stream().read(response, unasked))
      .catch((thrown: unknown) => {
        if (!signal.aborted) throw thrown;
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    const { headers } = this;
    if (headers["mcp-session-id"] !== undefined) await fetch(this.url, { method: "DELETE", headers });
  }

  async #ask(message: Json, hear: (message: Json) => void, options: AskOptions): Promise<Head> {
    const response = await this.post(JSON.stringify(message), options);
    const head = headOf(response);
    if (head.type !== "text/event-stream") {
      const text = await response.text();
      if (text !== "") hear(JSON.parse(text));
      return head;
    }
    const stream = new Stream();
    await stream.read(response, hear);
    while (!stream.isAnswered && stream.lastId !== undefined) {
      await Bun.sleep(RESUME_DELAY_MS);
      await stream.read(await this.#resume(stream.lastId, options), hear);
    }
    return { ...head, framing: stream.framing };
  }

  #resume(lastId: string, { signal }: AskOptions): Promise<Response> {
    const headers = { ...this.headers, accept: "text/event-stream", "last-event-id": lastId };
    return fetch(this.url, { headers, ...(signal && { signal }) });
  }
}

export function headOf(response: Response): Head {
  return { status: response.status, type: response.headers.get("content-type")?.split(";")[0] };
}

/** One stream of events, possibly over several responses. */
class Stream {
  isAnswered = false;
  lastId: string | undefined;
  #isPrimed = false;
  #areNamed = true;
  #haveIds = true;

  get framing() {
    return { isPrimed: this.#isPrimed, areNamed: this.#areNamed, haveIds: this.#haveIds };
  }

  async read(response: Response, hear: (message: Json) => void): Promise<void> {
    const parser = new EventStreamParser();
    for await (const bytes of response.body ?? []) {
      for (const { id, event, data } of parser.push(bytes)) {
        this.lastId = id ?? this.lastId;
        if (data === "") {
          this.#isPrimed = true;
          continue;
        }
        this.#areNamed &&= event === "message";
        this.#haveIds &&= id !== undefined;
        const message = JSON.parse(data) as Json;
        this.isAnswered ||= message.method === undefined;
        hear(message);
      }
    }
  }
}
