// A client that makes calls to a backend which may do its worst, and looks at every message that comes for them: is it well
// formed, is it for this call, does it hold a word of somebody else?

import { EventStreamParser } from "../../src/protocol/event-stream.ts";
import { isObject, type Json } from "../../src/protocol/jsonrpc.ts";
import { envelope, modernHeaders } from "../edge/modern-post.ts";
import { judgeMessage } from "./judge.ts";
import type { Random } from "./random.ts";
import { foreignWords, wordOf } from "./words.ts";

const ACCEPT = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const CAPABILITIES = { elicitation: {}, sampling: {}, roots: {} };
const REVISIONS = ["2025-03-26", "2025-06-18", "2025-11-25"];
const PATIENCE_MS = 30_000;
const MOST_ROUNDS = 3;

export interface Heard {
  /** The final answer; undefined where the stream ended without one, or the client left. */
  readonly answer: Json | undefined;
  readonly problems: string[];
  readonly hasLeft: boolean;
}

export interface CallOptions {
  readonly random: Random;
  readonly call: number;
  readonly leavesAfterMs?: number;
}

/** What is known of one call while it runs. */
interface Running {
  readonly id: number | string;
  readonly token: number | string;
  readonly call: number;
  readonly random: Random;
  readonly problems: string[];
  answer: Json | undefined;
}

export class Caller {
  readonly client: number;
  readonly isModern: boolean;
  readonly #url: string;
  readonly #headers: Record<string, string> = { ...ACCEPT };

  private constructor(url: string, client: number, isModern: boolean) {
    this.#url = url;
    this.client = client;
    this.isModern = isModern;
  }

  static async open(url: string, client: number, isModern: boolean): Promise<Caller> {
    const caller = new Caller(url, client, isModern);
    if (!isModern) await caller.#initialize();
    return caller;
  }

  async call(method: string, params: Json, options: CallOptions): Promise<Heard> {
    const { random, call } = options;
    const id = random.chance(0.5) ? call : `id-${call}`;
    const token = random.chance(0.5) ? 1 : `token-${call % 3}`;
    const running: Running = { id, token, call, random, problems: [], answer: undefined };
    const leaving =
      options.leavesAfterMs === undefined ? undefined : AbortSignal.timeout(options.leavesAfterMs);
    try {
      await this.#ask(running, method, params, leaving);
    } catch (thrown) {
      if (leaving?.aborted !== true) running.problems.push(String(thrown));
    }
    return { answer: running.answer, problems: running.problems, hasLeft: leaving?.aborted === true };
  }

  /** Round after round, where the answer is a question. */
  async #ask(
    running: Running,
    method: string,
    params: Json,
    leaving: AbortSignal | undefined,
  ): Promise<void> {
    let asked = params;
    for (let round = 0; ; round++) {
      await this.#request(running, method, asked, leaving);
      const result = running.answer?.result;
      const isQuestion = this.isModern && isObject(result) && result.resultType === "input_required";
      if (!isQuestion || round === MOST_ROUNDS || running.random.chance(0.2)) return;
      const keys = isObject(result.inputRequests) ? Object.keys(result.inputRequests) : [];
      const inputResponses = Object.fromEntries(keys.map((key) => [key, this.#answerTo(running)]));
      asked = { ...params, inputResponses, requestState: result.requestState };
      running.answer = undefined;
    }
  }

  async #request(
    running: Running,
    method: string,
    params: Json,
    leaving: AbortSignal | undefined,
  ): Promise<void> {
    const { id, token } = running;
    const meta = this.isModern ? envelope(CAPABILITIES, { progressToken: token }) : { progressToken: token };
    const message = { jsonrpc: "2.0", id, method, params: { ...params, _meta: meta } };
    const late = AbortSignal.timeout(PATIENCE_MS);
    const headers = this.isModern ? modernHeaders(method, params) : {};
    const signal = leaving === undefined ? late : AbortSignal.any([late, leaving]);
    const response = await this.#post(message, headers, signal);
    if (response.status >= 500) running.problems.push(`status ${response.status}`);
    const parser = new EventStreamParser();
    if (response.headers.get("content-type") !== "text/event-stream")
      return this.#take(running, await response.text());
    for await (const bytes of response.body ?? []) {
      for (const { data } of parser.push(bytes)) if (data !== "") this.#take(running, data);
    }
  }

  #take(running: Running, text: string): void {
    const { problems, id, token } = running;
    const message: unknown = JSON.parse(text);
    const malformed = judgeMessage(message);
    if (malformed !== undefined || !isObject(message)) return void problems.push(malformed ?? "no object");
    const [foreign] = foreignWords(text, this.client, running.call);
    if (foreign !== undefined) problems.push(`holds ${foreign} of somebody else: ${text.slice(0, 400)}`);
    if (/CROSSED|Internal error in the gateway/.test(text)) problems.push(text.slice(0, 400));
    if (message.method === "notifications/progress") {
      const own = isObject(message.params) ? message.params.progressToken : undefined;
      if (own !== token) problems.push(`progress for the token ${JSON.stringify(own)}`);
    } else if (message.method !== undefined) {
      if (message.id !== undefined) void this.#reply(running, message);
    } else {
      if (running.answer !== undefined) problems.push("answered twice");
      if (message.id !== id) problems.push(`answered under the id ${JSON.stringify(message.id)}`);
      running.answer = message;
    }
  }

  /** To a question; now and then a bad answer, or none. */
  async #reply(running: Running, { id }: Json): Promise<void> {
    if (running.random.chance(0.15)) return;
    const outcome = running.random.chance(0.8)
      ? { result: this.#answerTo(running) }
      : { error: running.random.pick<unknown>([{ code: -1, message: "no" }, "no", null]) };
    await this.#post({ jsonrpc: "2.0", id, ...outcome }, {}, AbortSignal.timeout(PATIENCE_MS)).then(
      (response) => response.text(),
      () => "",
    );
  }

  #answerTo({ call }: Running): Json {
    return { action: "accept", content: { name: wordOf(this.client, call) } };
  }

  async #initialize(): Promise<void> {
    const protocolVersion = REVISIONS[this.client % REVISIONS.length];
    const params = {
      protocolVersion,
      capabilities: CAPABILITIES,
      clientInfo: { name: `client-${this.client}`, version: "1" },
    };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await this.#post({ jsonrpc: "2.0", id: 0, method: "initialize", params }, {}, signal);
    const text = await response.text();
    const session = response.headers.get("mcp-session-id");
    if (session === null) throw new Error(`no session at ${this.#url}: ${text}`);
    this.#headers["mcp-session-id"] = session;
  }

  #post(message: Json, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    return fetch(this.#url, {
      method: "POST",
      headers: { ...this.#headers, ...headers },
      body: JSON.stringify(message),
      signal,
    });
  }
}
