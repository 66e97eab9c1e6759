// Plays cases as a client of one era and writes down everything that came for each, in order.

import type { Era } from "../../src/protocol/call.ts";
import type { Json } from "../../src/protocol/jsonrpc.ts";
import { META } from "../../src/protocol/mcp.ts";
import { envelope, modernHeaders } from "../edge/modern-post.ts";
import { answerTo, type Question } from "./answers.ts";
import type { Case, Manner } from "./case.ts";
import { HttpWire } from "./http-wire.ts";
import type { Head, Wire } from "./wire.ts";

export const CLIENT_INFO = { name: "differential", title: "Differential", version: "1.0.0" };
export const ABLE = { roots: {}, sampling: {}, elicitation: { form: {}, url: {} } };
const LEGACY_REVISION = "2025-11-25";
const MAX_ROUNDS = 4;
/** The id of what is no case of the table. */
const UNNAMED = "unnamed";

/** One request and what it was answered with. */
export interface Round extends Head {
  readonly messages: readonly Json[];
}

export interface Player {
  readonly era: Era;
  readonly wire: Wire;
  play(one: Case, options?: PlayOptions): Promise<readonly Round[]>;
}

export interface PlayOptions {
  readonly signal?: AbortSignal;
  readonly hear?: (message: Json) => void;
}

/** Goes on where the era of the client begins: with the handshake, or with nothing. */
export async function startPlayer(era: Era, wire: Wire, isPlain = false): Promise<Player> {
  const capabilities = isPlain ? {} : ABLE;
  return era === "modern" ? new ModernPlayer(wire, capabilities) : LegacyPlayer.open(wire, capabilities);
}

class LegacyPlayer implements Player {
  readonly era = "legacy";
  readonly wire: Wire;

  private constructor(wire: Wire) {
    this.wire = wire;
  }

  static async open(wire: Wire, capabilities: Json): Promise<LegacyPlayer> {
    const params = { protocolVersion: LEGACY_REVISION, capabilities, clientInfo: CLIENT_INFO };
    const message = { jsonrpc: "2.0", id: "open", method: "initialize", params };
    if (wire instanceof HttpWire) {
      const response = await wire.post(JSON.stringify(message));
      await response.text();
      const session = response.headers.get("mcp-session-id");
      if (session === null) throw new Error(`${wire.url} gave no session`);
      wire.headers = { "mcp-session-id": session, "mcp-protocol-version": LEGACY_REVISION };
    } else {
      await wire.ask(message, () => {});
    }
    await wire.tell({ jsonrpc: "2.0", method: "notifications/initialized" });
    if (wire instanceof HttpWire) wire.listen();
    return new LegacyPlayer(wire);
  }

  async play(one: Case, options: PlayOptions = {}): Promise<readonly Round[]> {
    const messages: Json[] = [];
    const { manner = "accept", method, meta, params } = one;
    const sent = meta === undefined ? params : { ...params, _meta: meta };
    const request = { jsonrpc: "2.0", id: one.id ?? UNNAMED, method, ...(sent && { params: sent }) };
    const told: Promise<unknown>[] = [];
    const leaves = () => manner === "fail" && told.length > 0;
    const hear = (message: Json) => {
      messages.push(message);
      const isQuestion = message.method !== undefined && message.id !== undefined;
      if (isQuestion && !leaves()) told.push(this.#answer(message, manner));
      options.hear?.(message);
    };
    this.wire.onQuestion = hear;
    const head = await this.wire.ask(request, hear, options);
    await Promise.all(told);
    return [{ ...head, messages }];
  }

  async #answer(question: Json, manner: Manner): Promise<void> {
    const { id, method, params } = question;
    const result = answerTo({ method: String(method), params: params as Json }, manner);
    const error = { code: -32000, message: "The person has gone.", data: { kept: true } };
    await this.wire.tell({ jsonrpc: "2.0", id, ...(result === undefined ? { error } : { result }) });
  }
}

class ModernPlayer implements Player {
  readonly era = "modern";
  readonly wire: Wire;
  readonly #capabilities: Json;

  constructor(wire: Wire, capabilities: Json) {
    this.wire = wire;
    this.#capabilities = capabilities;
  }

  async play(one: Case, options: PlayOptions = {}): Promise<readonly Round[]> {
    const rounds: Round[] = [];
    const { manner = "accept" } = one;
    let honest: Json = {};
    let retry: Json = {};
    while (rounds.length < MAX_ROUNDS) {
      const round = await this.#ask(one, retry, rounds.length, options);
      rounds.push(round);
      const result = round.messages.at(-1)?.result as Json | undefined;
      const isAsked = result?.resultType === "input_required";
      if (isAsked) honest = answersOf(result, rounds.length === 1 ? manner : "accept");
      const isFirst = rounds.length === 1;
      // What was refused for a forgery goes on with the true state.
      if (!isAsked && (manner !== "forge" || rounds.length > 2)) break;
      retry = manner === "forge" && isFirst ? { ...honest, requestState: `${honest.requestState}x` } : honest;
    }
    return rounds;
  }

  async #ask(one: Case, retry: Json, rounds: number, options: PlayOptions): Promise<Round> {
    const { method, params, meta, headers, id = UNNAMED } = one;
    const messages: Json[] = [];
    const _meta = { ...envelope(this.#capabilities, { [META.clientInfo]: CLIENT_INFO }), ...meta };
    const request = {
      jsonrpc: "2.0",
      id: rounds === 0 ? id : `${id}, round ${rounds}`,
      method,
      params: { ...params, ...retry, _meta },
    };
    const hear = (message: Json) => {
      messages.push(message);
      options.hear?.(message);
    };
    const all = { ...modernHeaders(method, params ?? {}), ...headers };
    const head = await this.wire.ask(request, hear, { ...options, headers: all });
    return { ...head, messages };
  }
}

function answersOf(result: Json, manner: Manner): Json {
  const requests = Object.entries((result.inputRequests ?? {}) as Record<string, Question>);
  const answers = requests.flatMap(([key, question]) => {
    const answer = answerTo(question, manner);
    return answer === undefined ? [] : [[key, answer] as const];
  });
  const { requestState } = result;
  return { inputResponses: Object.fromEntries(answers), ...(requestState !== undefined && { requestState }) };
}
