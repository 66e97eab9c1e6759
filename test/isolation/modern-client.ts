// A client without a session, by hand: every request stands alone, questions come as results.

import type { Json } from "../../src/protocol/jsonrpc.ts";
import { META, Notice } from "../../src/protocol/mcp.ts";
import { envelope, modernHeaders } from "../edge/modern-post.ts";
import {
  ACCEPT_BOTH,
  ANSWER_MS,
  type CallOptions,
  type Client,
  type Heard,
  type Question,
  readMessages,
} from "./client.ts";

const CAPABILITIES = { roots: {}, sampling: {}, elicitation: {} };

export interface ModernOptions {
  readonly name: string;
  readonly url: string;
  readonly logLevel: string | undefined;
}

export class ModernClient implements Client {
  readonly era = "modern";
  readonly name: string;
  readonly logLevel: string | undefined;
  readonly unasked: Json[] = [];
  readonly #url: string;
  readonly #closed = new AbortController();

  constructor({ name, url, logLevel }: ModernOptions) {
    this.name = name;
    this.logLevel = logLevel;
    this.#url = url;
  }

  async call(method: string, params: Json, options: CallOptions): Promise<Heard> {
    const notifications: Json[] = [];
    const questions: Question[] = [];
    let asked: Json = params;
    for (;;) {
      const round = await this.#request(method, asked, options);
      notifications.push(...round.notifications);
      const result = round.response?.result as Json | undefined;
      if (result?.resultType !== "input_required")
        return { notifications, questions, response: round.response };
      const requests = Object.entries((result.inputRequests ?? {}) as Record<string, Question>);
      questions.push(...requests.map(([, question]) => question));
      const answers = await Promise.all(
        requests.map(async ([key, question]) => [key, await options.answer(question)]),
      );
      const { requestState } = result;
      asked = {
        ...params,
        inputResponses: Object.fromEntries(answers),
        ...(requestState === undefined ? {} : { requestState }),
      };
    }
  }

  async watch(uri: string): Promise<void> {
    const params = { notifications: { resourceSubscriptions: [uri] } };
    const response = await this.#post("subscriptions/listen", params, { id: 99 }, this.#closed.signal);
    const acknowledged = Promise.withResolvers<void>();
    void (async () => {
      try {
        for await (const message of readMessages(response)) {
          if (message.method === Notice.listenAcknowledged) acknowledged.resolve();
          else this.unasked.push(message);
        }
      } catch (thrown) {
        if (!this.#closed.signal.aborted) throw thrown;
      }
    })();
    await acknowledged.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
  }

  async #request(method: string, params: Json, { id, progressToken, cancels }: CallOptions) {
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(ANSWER_MS)]);
    const notifications: Json[] = [];
    let response: Json | undefined;
    try {
      const reply = await this.#post(method, params, { id, progressToken }, signal);
      for await (const message of readMessages(reply)) {
        if (typeof message.method !== "string") response = message;
        else if (notifications.push(message) === 1 && cancels === true) abort.abort();
      }
    } catch (thrown) {
      if (!abort.signal.aborted) throw thrown;
    }
    return { notifications, response };
  }

  #post(
    method: string,
    params: Json,
    { id, progressToken }: { id: number; progressToken?: string | number },
    signal: AbortSignal,
  ): Promise<Response> {
    const _meta = {
      ...envelope(CAPABILITIES),
      [META.clientInfo]: { name: this.name, version: "1" },
      ...(progressToken === undefined ? {} : { progressToken }),
      ...(this.logLevel === undefined ? {} : { [META.logLevel]: this.logLevel }),
    };
    return fetch(this.#url, {
      method: "POST",
      headers: { ...ACCEPT_BOTH, ...modernHeaders(method, params) },
      body: JSON.stringify({ jsonrpc: "2.0", id, method, params: { ...params, _meta } }),
      signal,
    });
  }
}
