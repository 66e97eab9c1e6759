// The stdio face: one client, one channel, both eras. stdout carries messages and nothing else.

import type { Log } from "../log.ts";
import { classify } from "../protocol/era.ts";
import {
  ErrorCode,
  errorResponse,
  type Id,
  isId,
  isNotification,
  isRequest,
  type Message,
  type Request,
  toMessage,
} from "../protocol/jsonrpc.ts";
import { LATEST_LEGACY, Method, Notice } from "../protocol/mcp.ts";
import type { Target } from "../target/target.ts";
import { responseText } from "./http-reply.ts";
import { agreeOnRevision, LegacySession, readFacts } from "./legacy-session.ts";
import type { ModernEdge } from "./modern.ts";
import type { Outlet } from "./outlet.ts";

export interface StdioEdgeOptions {
  readonly target: Target;
  readonly modern: ModernEdge;
  readonly log: Log;
}

const PRINCIPAL = "local";
const MAX_LINE_LENGTH = 64 * 1024 * 1024;

export class StdioEdge {
  readonly #options: StdioEdgeOptions;
  readonly #stopped = new AbortController();
  /** What to call when the client cancels a modern request. */
  readonly #modernCalls = new Map<Id, () => void>();
  #session: LegacySession | undefined;
  #write: ((line: string) => void) | undefined;

  constructor(options: StdioEdgeOptions) {
    this.#options = options;
  }

  /** Serves until the client closes its end, or `stop`. */
  async run(input: ReadableStream<Uint8Array>, write: (line: string) => void): Promise<void> {
    this.#write = write;
    const reader = input.getReader();
    const decoder = new TextDecoder();
    const stop = () => void reader.cancel();
    this.#stopped.signal.addEventListener("abort", stop, { once: true });
    let rest = "";
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      const lines = (rest + decoder.decode(chunk.value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#receiveLine(line);
      if (rest.length > MAX_LINE_LENGTH) throw new Error("the client sent a line without an end");
    }
    if (rest.trim() !== "") this.#receiveLine(rest);
    for (const leave of this.#modernCalls.values()) leave();
    this.#session?.[Symbol.dispose]();
  }

  stop(): void {
    this.#stopped.abort();
  }

  #receiveLine(line: string): void {
    if (line.trim() === "") return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      this.#send(errorResponse(null, { code: ErrorCode.parse, message: "The line is not valid JSON." }));
      return;
    }
    for (const item of Array.isArray(value) ? value : [value]) {
      const message = toMessage(item);
      if (message !== undefined) this.#receive(message);
      else
        this.#send(
          errorResponse(null, { code: ErrorCode.invalidRequest, message: "Not a JSON-RPC 2.0 message." }),
        );
    }
  }

  #receive(message: Message): void {
    const classified = classify(message, null);
    if ("era" in classified && classified.era === "modern" && isRequest(message))
      return void this.#receiveModern(message);
    if (isRequest(message)) return this.#receiveLegacy(message);
    const cancelled =
      isNotification(message) && message.method === Notice.cancelled ? message.params?.requestId : undefined;
    if (isId(cancelled)) this.#modernCalls.get(cancelled)?.();
    if (isNotification(message)) this.#session?.receiveNotification(message);
    else this.#session?.receiveResponse(message);
  }

  async #receiveModern(message: Request): Promise<void> {
    const request = { message, target: this.#options.target, principal: PRINCIPAL };
    const rejection = await this.#options.modern.check(request);
    if (rejection !== undefined) {
      this.#send(errorResponse(message.id, rejection.error));
      return;
    }
    const outlet = this.#outlet(message.id);
    const leave = this.#options.modern.receive(request, {
      ...outlet,
      finish: (outcome) => {
        this.#modernCalls.delete(message.id);
        outlet.finish(outcome);
      },
    });
    this.#modernCalls.set(message.id, leave);
  }

  #receiveLegacy(message: Request): void {
    if (message.method === Method.initialize) return void this.#initialize(message);
    if (this.#session === undefined && message.method !== Method.ping) {
      const error = {
        code: ErrorCode.invalidRequest,
        message: "Send initialize first, or the envelope of 2026-07-28.",
      };
      this.#send(errorResponse(message.id, error));
    } else if (this.#session === undefined) {
      this.#send({ jsonrpc: "2.0", id: message.id, result: {} });
    } else {
      void this.#session.receive(message, this.#outlet(message.id));
    }
  }

  async #initialize(message: Request): Promise<void> {
    const { target, log } = this.#options;
    this.#session?.[Symbol.dispose]();
    // Messages that follow at once must find the session, so it is there before the backend has said a word.
    const revision = agreeOnRevision(message.params?.protocolVersion, LATEST_LEGACY);
    const session = new LegacySession({
      id: "stdio",
      facts: readFacts(message, revision, PRINCIPAL),
      target,
      log,
      push: (out) => this.#send(out),
    });
    this.#session = session;
    await session.receive(message, this.#outlet(message.id));
  }

  #outlet(id: Id): Outlet {
    return {
      send: (message) => this.#send(message),
      finish: (outcome) => this.#write?.(`${responseText(id, outcome)}\n`),
      drop: () => {
        // A legacy client that has cancelled wants no answer.
      },
    };
  }

  #send(message: Message): true {
    this.#write?.(`${JSON.stringify(message)}\n`);
    return true;
  }
}
