// One call over one connection: the caller's words into the backend's era, the answer back into the caller's.

import type { Answer, Call, Question } from "../protocol/call.ts";
import { changed, objectOf } from "../protocol/exact.ts";
import { type Json, type Notification, RpcError } from "../protocol/jsonrpc.ts";
import { wantsLog } from "../protocol/log-level.ts";
import { McpErrorCode, META, Method, Notice } from "../protocol/mcp.ts";
import { toModernAnswer } from "../protocol/modern-result.ts";
import { mirrorHeaders, type ParamHeader } from "../protocol/param-headers.ts";
import { canAnswer, requiredCapabilities } from "../protocol/questions.ts";
import type { RequestOptions } from "./connection/connection.ts";
import type { Listener } from "./connection/pending.ts";
import type { Turn } from "./connection/turn.ts";
import type { Connected } from "./handshake.ts";
import type { Handshake } from "./introductions.ts";
import { type Ask, answerRounds, answerUrlElicitations, cannotAsk, unanswered } from "./rounds.ts";
import { toLegacyAnswer, toLegacyError, toLegacyParams, toModernError, toModernParams } from "./translate.ts";

/** Longer than an edge takes to gather the questions of one round. */
const REFUSAL_DELAY_MS = 50;

export interface ExchangeOptions {
  readonly timeoutMs: number;
  /** The mirrored arguments of the tool that a call names, from what is known of it; `isFresh` asks the backend first. */
  paramHeaders(connected: Connected, shown: Call, isFresh: boolean): Promise<readonly ParamHeader[]>;
  /** Told of every URL question, so that its completion can find the client later. */
  onUrlQuestion(elicitationId: string, callerKey: string): void;
  /** True where the call may be made a second time. */
  mayBeRepeated(shown: Call): boolean;
}

/** An answer that the gateway gives in a backend's place, in the caller's words. */
export function translateAnswer({ era, description }: Handshake, call: Call, answer: Answer): Answer {
  if (era === call.caller.era && era === "legacy") return answer;
  if (era === "modern" && call.caller.era === "legacy") return toLegacyAnswer(call.method, answer);
  return toModernAnswer(call.method, answer, description.serverInfo);
}

/** A call as the backend gets it, and as the client made it: the tool may have another name there. */
export interface Exchanged {
  readonly sent: Call;
  readonly shown: Call;
  /** The turn of the call on the connection. */
  readonly turn: Turn;
}

/** Rejects with RpcError (in the caller's words) or GatewayError. */
export function exchange(
  connected: Connected,
  exchanged: Exchanged,
  options: ExchangeOptions,
): Promise<Answer> {
  return connected.era === "modern"
    ? withModern(connected, exchanged, options)
    : withLegacy(connected, exchanged, options);
}

function withModern(connected: Connected, exchanged: Exchanged, options: ExchangeOptions): Promise<Answer> {
  const { sent } = exchanged;
  return sent.caller.era === "legacy" || sent.passesRounds === false
    ? withModernTranslated(connected, exchanged, options)
    : sendModern(connected, exchanged, sent.params, options);
}

async function withModernTranslated(
  connected: Connected,
  exchanged: Exchanged,
  options: ExchangeOptions,
): Promise<Answer> {
  const call = exchanged.sent;
  const isMixed = call.caller.era === "legacy";
  const translate = (params: Json | undefined) =>
    isMixed ? toModernParams(params, call.caller, connected.revision) : params;
  const send = (params: Json | undefined) => sendModern(connected, exchanged, translate(params), options);
  try {
    const answer = await answerRounds(
      { call, ask: askOf(connected, exchanged) },
      await send(call.params),
      send,
    );
    return isMixed ? toLegacyAnswer(call.method, answer) : answer;
  } catch (thrown) {
    if (!isMixed || !(thrown instanceof RpcError)) throw thrown;
    const error = toLegacyError(call.method, thrown);
    if (thrown.code === McpErrorCode.missingCapability) return unanswered(call, error);
    throw error;
  }
}

function sendModern(
  connected: Connected,
  exchanged: Exchanged,
  params: Json | undefined,
  options: ExchangeOptions,
): Promise<Answer> {
  const { connection } = connected;
  if (connection.transport.kind === "http") return sendMirrored(connected, exchanged, params, options);
  const call = exchanged.sent;
  return connection.request(call.method, params, modernRequest(exchanged, options));
}

/** Over HTTP a request has headers that say what its body says. */
async function sendMirrored(
  connected: Connected,
  exchanged: Exchanged,
  params: Json | undefined,
  options: ExchangeOptions,
): Promise<Answer> {
  const { connection } = connected;
  const { sent: call, shown } = exchanged;
  const tool = call.method === Method.callTool && typeof params?.name === "string" ? params.name : undefined;
  const send = async (isFresh: boolean) => {
    const mirrored = tool === undefined ? [] : await options.paramHeaders(connected, shown, isFresh);
    const headers = mirrorHeaders(call.method, params, mirrored);
    return connection.request(call.method, params, { ...modernRequest(exchanged, options), headers });
  };
  try {
    return await send(false);
  } catch (thrown) {
    // The schema that the headers came from was stale: list anew, once (basic/transports/streamable-http).
    const isStale = thrown instanceof RpcError && thrown.code === McpErrorCode.headerMismatch;
    if (!isStale || tool === undefined) throw thrown;
    return send(true);
  }
}

function modernRequest({ sent: call, turn }: Exchanged, { timeoutMs }: ExchangeOptions): RequestOptions {
  return {
    timeoutMs,
    signal: call.signal,
    caller: call.caller,
    turn,
    listener: { onNotification: (notification) => call.notify(notification) },
  };
}

function withLegacy(connected: Connected, exchanged: Exchanged, options: ExchangeOptions): Promise<Answer> {
  const { sent } = exchanged;
  return sent.caller.era === "modern"
    ? withLegacyTranslated(connected, exchanged, options)
    : sendLegacy(connected, exchanged, sent.params, new LegacyListener(exchanged, options));
}

async function withLegacyTranslated(
  connected: Connected,
  exchanged: Exchanged,
  options: ExchangeOptions,
): Promise<Answer> {
  const call = exchanged.sent;
  if (call.params?.requestState != null) {
    throw new RpcError(-32602, "This requestState is not one of ours, or was changed; make the call anew.");
  }
  const params = toLegacyParams(call.params);
  const listener = new LegacyListener(exchanged, options);
  try {
    const asking = { call, ask: askOf(connected, exchanged) };
    const answer = await answerUrlElicitations(asking, () =>
      sendLegacy(connected, exchanged, params, listener),
    );
    if (answer.result.isError === true) listener.throwIfMissing();
    return toModernAnswer(call.method, answer, connected.description.serverInfo);
  } catch (thrown) {
    listener.throwIfMissing();
    throw thrown instanceof RpcError ? toModernError(thrown) : thrown;
  }
}

function sendLegacy(
  { connection }: Connected,
  { sent: { method, signal, caller }, turn }: Exchanged,
  params: Json | undefined,
  listener: LegacyListener,
): Promise<Answer> {
  return connection.request(method, params, {
    timeoutMs: listener.timeoutMs,
    signal,
    caller,
    turn,
    listener,
  });
}

/** Asks the caller if the backend's wire carries no questions. The timeout is that of questions on the wire. */
function askOf({ connection }: Connected, { sent, turn }: Exchanged): Ask {
  return (question, withdrawn) =>
    connection.calls.ask(turn, (signal) => sent.ask(question, signal), withdrawn);
}

/** What a legacy server says and asks during one call. */
class LegacyListener implements Listener {
  readonly #call: Call;
  readonly #shown: Call;
  readonly #options: ExchangeOptions;
  /** What the caller would have to declare for the questions that could not be put to it. */
  #missing: Json | undefined;

  constructor({ sent, shown }: Exchanged, options: ExchangeOptions) {
    this.#call = sent;
    this.#shown = shown;
    this.#options = options;
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  onNotification(notification: Notification): void {
    if (notification.method !== Notice.message || wantsLog(this.#call, notification.params))
      this.#call.notify(notification);
  }

  mayBeRepeated(): boolean {
    return this.#options.mayBeRepeated(this.#shown);
  }

  async onQuestion(question: Question, signal: AbortSignal): Promise<Json> {
    const { caller } = this.#call;
    if (!canAnswer(caller, question)) {
      this.#missing = { ...this.#missing, ...requiredCapabilities(question) };
      // A server that asks several things at once fails with the first refusal: what can be asked goes out before it.
      await Bun.sleep(REFUSAL_DELAY_MS);
      throw cannotAsk(question);
    }
    const elicitationId = question.params?.elicitationId;
    if (typeof elicitationId === "string") this.#options.onUrlQuestion(elicitationId, caller.key);
    const asked = caller.era === "modern" ? toModernQuestion(question) : question;
    return this.#call.ask(asked, signal);
  }

  /** A modern caller is told what it lacks (-32021), once the backend has failed for want of it. */
  throwIfMissing(): void {
    if (this.#missing === undefined || this.#call.caller.era === "legacy") return;
    const words = `This call needs a client that supports ${Object.keys(this.#missing).join(", ")}.`;
    throw new RpcError(McpErrorCode.missingCapability, words, { requiredCapabilities: this.#missing });
  }
}

/** Modern questions are no requests: none has an id to be told of later, or a token to report progress on. */
function toModernQuestion({ method, params = {} }: Question): Question {
  const meta = changed(objectOf(params, "_meta") ?? {}, { [META.progressToken]: undefined });
  const isEmpty = Object.keys(meta).length === 0;
  return { method, params: changed(params, { elicitationId: undefined, _meta: isEmpty ? undefined : meta }) };
}
