// A client with a session, by hand: an SDK would choose ids and progress tokens of its own.

import type { Json } from "../../src/protocol/jsonrpc.ts";
import {
  ACCEPT_BOTH,
  ANSWER_MS,
  type CallOptions,
  type Client,
  type Heard,
  type Question,
  readMessages,
} from "./client.ts";

export interface LegacyOptions {
  readonly name: string;
  readonly url: string;
  readonly revision: string;
  readonly logLevel: string | undefined;
  readonly opensStream: boolean;
}

export class LegacyClient implements Client {
  readonly era = "legacy";
  readonly name: string;
  readonly logLevel: string | undefined;
  readonly unasked: Json[] = [];
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #closed = new AbortController();

  private constructor({ name, url, revision, logLevel }: LegacyOptions, sessionId: string) {
    this.name = name;
    this.logLevel = logLevel;
    this.#url = url;
    this.#headers = { ...ACCEPT_BOTH, "mcp-session-id": sessionId, "mcp-protocol-version": revision };
  }

  static async open(options: LegacyOptions): Promise<LegacyClient> {
    const params = {
      protocolVersion: options.revision,
      capabilities: { roots: {}, sampling: {}, elicitation: {} },
      clientInfo: { name: options.name, version: "1" },
    };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params });
    const response = await fetch(options.url, { method: "POST", headers: ACCEPT_BOTH, body });
    const sessionId = response.headers.get("mcp-session-id");
    if (sessionId === null) throw new Error(`${options.name} got no session: ${await response.text()}`);
    await response.text();
    const client = new LegacyClient(options, sessionId);
    await client.#send({ method: "notifications/initialized" });
    if (options.opensStream) await client.#listen();
    if (options.logLevel !== undefined) {
      const level = { id: 1, method: "logging/setLevel", params: { level: options.logLevel } };
      await client.#send(level);
    }
    return client;
  }

  async call(method: string, params: Json, options: CallOptions): Promise<Heard> {
    const { id, progressToken } = options;
    const notifications: Json[] = [];
    const questions: Question[] = [];
    let answer: Json | undefined;
    const request = { id, method, params: { ...params, _meta: { progressToken } } };
    for await (const message of readMessages(await this.#post(request))) {
      if (typeof message.method !== "string") answer = message;
      else if (message.id === undefined) {
        notifications.push(message);
        const isFirst = notifications.length === 1 && options.cancels === true;
        if (isFirst) void this.#send({ method: "notifications/cancelled", params: { requestId: id } });
      } else {
        const question = { method: message.method, params: message.params as Json };
        questions.push(question);
        void options.answer(question).then((result) => this.#send({ id: message.id, result }));
      }
    }
    return { notifications, questions, response: answer };
  }

  async watch(uri: string): Promise<void> {
    await this.#send({ id: 2, method: "resources/subscribe", params: { uri } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await (await fetch(this.#url, { method: "DELETE", headers: this.#headers })).text();
  }

  async #listen(): Promise<void> {
    const signal = this.#closed.signal;
    const headers = { ...this.#headers, accept: "text/event-stream" };
    const stream = await fetch(this.#url, { headers, signal });
    void (async () => {
      try {
        for await (const message of readMessages(stream)) this.unasked.push(message);
      } catch (thrown) {
        if (!signal.aborted) throw thrown;
      }
    })();
  }

  #post(message: Json): Promise<Response> {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    const signal = AbortSignal.timeout(ANSWER_MS);
    return fetch(this.#url, { method: "POST", headers: this.#headers, body, signal });
  }

  async #send(message: Json): Promise<void> {
    const response = await this.#post(message);
    const text = await response.text();
    if (!response.ok || text.includes('"error"'))
      throw new Error(
        `${this.name}: ${JSON.stringify(message)} was answered with ${response.status} ${text}`,
      );
  }
}
