// One client on one channel that carries everything both ways (stdio, or HTTP+SSE of 2024-11-05), in either era.
// Knows messages and the channel's way out; how bytes come and go is the edge's business.

import type { Log } from "../log.ts";
import { CLIENT_LIMITS, JsonLimitError, parseBounded } from "../protocol/bounded-json.ts";
import { classify } from "../protocol/era.ts";
import { itemTexts } from "../protocol/json-text.ts";
import {
  ErrorCode,
  errorResponse,
  type Id,
  idIn,
  isNotification,
  isRequest,
  type Message,
  type Request,
  toMessage,
  writeMessage,
} from "../protocol/jsonrpc.ts";
import { LATEST_LEGACY, Method, Notice } from "../protocol/mcp.ts";
import type { Target } from "../target/target.ts";
import { responseText } from "./http-reply.ts";
import { agreeOnRevision, LegacySession, readFacts } from "./legacy-session.ts";
import type { ModernEdge } from "./modern.ts";
import type { Outlet } from "./outlet.ts";

export interface ChannelOptions {
  /** Tells this client from every other. */
  readonly id: string;
  readonly target: Target;
  readonly principal: string;
  readonly modern: ModernEdge;
  readonly log: Log;
  /** Takes the JSON of one message. */
  readonly send: (json: string) => void;
}

const POLL_MS = 10;

export class Channel implements Disposable {
  readonly #options: ChannelOptions;
  /** What to call when the client cancels a modern request. */
  readonly #modernCalls = new Map<Id, () => void>();
  #session: LegacySession | undefined;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  /** Takes the text of one message, or of a batch. What it is answered with goes out by `send`. */
  receiveText(text: string): void {
    let value: unknown;
    try {
      value = parseBounded(text, CLIENT_LIMITS);
    } catch (thrown) {
      const isLimit = thrown instanceof JsonLimitError;
      const message = isLimit ? `The message ${thrown.message}.` : "The message is not valid JSON.";
      this.#send(
        errorResponse(null, { code: isLimit ? ErrorCode.invalidRequest : ErrorCode.parse, message }),
      );
      return;
    }
    // An empty batch asks for nothing, and JSON-RPC wants it refused like what is no message.
    if (!Array.isArray(value) || value.length === 0) return this.#receiveValue(value, text);
    const texts = itemTexts(text);
    for (const [at, item] of value.entries()) this.#receiveValue(item, texts[at] ?? "");
  }

  /** Sends an error for a message that could not be read. */
  refuse(message: string): void {
    this.#send(errorResponse(null, { code: ErrorCode.invalidRequest, message }));
  }

  /** Resolves when everything has been answered, or after `timeoutMs`. */
  async whenAnswered(timeoutMs: number): Promise<void> {
    const untilMs = performance.now() + timeoutMs;
    while (this.#isBusy && performance.now() < untilMs) await Bun.sleep(POLL_MS);
  }

  [Symbol.dispose](): void {
    for (const leave of this.#modernCalls.values()) leave();
    this.#session?.[Symbol.dispose]();
  }

  get #isBusy(): boolean {
    return this.#modernCalls.size > 0 || this.#session?.isBusy === true;
  }

  #receiveValue(value: unknown, text: string): void {
    const message = toMessage(value, text);
    if (message !== undefined) return this.#receive(message);
    // JSON-RPC 2.0, 5: the answer to an invalid request has no id.
    const error = { code: ErrorCode.invalidRequest, message: "Not a JSON-RPC 2.0 message." };
    this.#send(errorResponse(null, error));
  }

  #receive(message: Message): void {
    const classified = classify(message, null);
    const isModern = "era" in classified && classified.era === "modern";
    if (isRequest(message)) {
      if (isModern) void this.#receiveModern(message);
      else this.#receiveLegacy(message);
    } else if (isNotification(message)) {
      const cancelled = message.method === Notice.cancelled ? idIn(message.params, "requestId") : undefined;
      if (cancelled !== undefined) this.#modernCalls.get(cancelled)?.();
      const { id, target, principal, modern } = this.#options;
      if (isModern) modern.notify(message, { target, principal, client: id });
      else this.#session?.receiveNotification(message);
    } else {
      this.#session?.receiveResponse(message);
    }
  }

  async #receiveModern(message: Request): Promise<void> {
    const { id, target, principal, modern } = this.#options;
    const request = { message, target, principal, client: id };
    const checked = await modern.check(request);
    if ("rejection" in checked) return this.#send(errorResponse(message.id, checked.rejection.error));
    const outlet = this.#outlet(message.id);
    const done = () => this.#modernCalls.delete(message.id);
    // Known before it runs: its answer may come at once.
    let leave: (() => void) | undefined;
    this.#modernCalls.set(message.id, () => leave?.());
    leave = modern.receive(request, checked, {
      send: outlet.send,
      finish: (outcome) => {
        done();
        outlet.finish(outcome);
      },
      drop: done,
    });
  }

  #receiveLegacy(message: Request): void {
    if (message.method === Method.initialize) this.#openSession(message);
    if (this.#session !== undefined) {
      this.#session.receive(message, this.#outlet(message.id));
    } else if (message.method === Method.ping) {
      this.#send({ jsonrpc: "2.0", id: message.id, result: {} });
    } else {
      const words = "Send initialize first, or the envelope of 2026-07-28.";
      this.#send(errorResponse(message.id, { code: ErrorCode.invalidRequest, message: words }));
    }
  }

  /** Messages that follow at once must find the session, so it is there before the backend has said a word. */
  #openSession(message: Request): void {
    const { id, target, log, principal } = this.#options;
    this.#session?.[Symbol.dispose]();
    const revision = agreeOnRevision(message.params?.protocolVersion, LATEST_LEGACY);
    this.#session = new LegacySession({
      id,
      facts: readFacts(message, revision, principal),
      target,
      log,
      push: (out) => {
        this.#send(out);
        return true;
      },
    });
    this.#session.listen();
  }

  #outlet(id: Id): Outlet {
    return {
      send: (message) => {
        this.#send(message);
        return true;
      },
      finish: (outcome) => this.#options.send(responseText(id, outcome)),
      drop: () => {
        // A client that has cancelled wants no answer.
      },
    };
  }

  #send(message: Message): void {
    this.#options.send(writeMessage(message));
  }
}
