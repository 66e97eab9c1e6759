// One HTTP request to one target, whatever its era: reads the body, decides the era, hands it on.

import type { Log } from "../log.ts";
import { CLIENT_LIMITS, JsonLimitError, parseBounded } from "../protocol/bounded-json.ts";
import type { Outcome } from "../protocol/call.ts";
import { classify } from "../protocol/era.ts";
import { itemTexts } from "../protocol/json-text.ts";
import {
  ErrorCode,
  errorResponse,
  isNotification,
  isRequest,
  type Message,
  toMessage,
  writeMessage,
} from "../protocol/jsonrpc.ts";
import { Header, McpErrorCode, Method } from "../protocol/mcp.ts";
import type { Target } from "../target/target.ts";
import type { Bodies, Timed } from "./body.ts";
import type { Heartbeat } from "./event-sink.ts";
import { HttpReply } from "./http-reply.ts";
import { accepted, failure, json, type LegacyEdge } from "./legacy.ts";
import type { Checked, ModernEdge, ModernRequest } from "./modern.ts";

export interface McpEdgeOptions {
  readonly modern: ModernEdge;
  readonly legacy: LegacyEdge;
  readonly heartbeat: Heartbeat;
  readonly bodies: Bodies;
  /** Told of every body that came in, in bytes. */
  readonly read: (bytes: number) => void;
  readonly log: Log;
}

/** Statuses that a modern answer has by its error code (2026-07-28, streamable-http and basic/index, "Error Codes"). */
const MODERN_STATUS: ReadonlyMap<number, number> = new Map([
  [ErrorCode.methodNotFound, 404],
  [McpErrorCode.headerMismatch, 400],
  [McpErrorCode.missingCapability, 400],
  [McpErrorCode.unsupportedVersion, 400],
]);

export class McpEdge {
  readonly #options: McpEdgeOptions;

  constructor(options: McpEdgeOptions) {
    this.#options = options;
  }

  /**
   * Runs for every call, so it does not await the body or the answer itself. `server` ends a request whose body does not
   * arrive. A tool may be silent until request_timeout ends the call.
   */
  serve(request: Request, target: Target, principal: string, server: Timed): Response | Promise<Response> {
    const { headers } = request;
    const revision = headers.get(Header.protocolVersion);
    const legacy = { target, headers, revision, principal, canStream: acceptsStream(headers) };
    if (request.method !== "POST") {
      server.timeout(request, 0);
      return request.method === "GET"
        ? this.#options.legacy.get(legacy)
        : this.#options.legacy.delete(legacy);
    }
    if (!isJson(headers.get("content-type"))) {
      return failure(415, {
        code: -32000,
        message: "The body must be JSON: Content-Type: application/json.",
      });
    }
    return this.#options.bodies.read(request, server, (text) => {
      server.timeout(request, 0);
      return this.#serveText(text, legacy, request);
    });
  }

  #serveText(
    text: string,
    legacy: LegacyArguments,
    request: globalThis.Request,
  ): Response | Promise<Response> {
    this.#options.read(Buffer.byteLength(text));
    let value: unknown;
    try {
      value = parseBounded(text, CLIENT_LIMITS);
    } catch (thrown) {
      return unparsed(thrown);
    }
    if (Array.isArray(value)) return this.#serveBatch(value, text, legacy);
    const message = toMessage(value, text);
    if (message === undefined)
      return failure(400, {
        code: ErrorCode.invalidRequest,
        message: "The body is no JSON-RPC 2.0 message.",
      });
    const classified = classify(message, legacy.revision);
    if ("rejection" in classified) {
      const { status, error } = classified.rejection;
      return json(writeMessage(errorResponse(isRequest(message) ? message.id : null, error)), status);
    }
    if (classified.era === "legacy") return this.#options.legacy.post(legacy, message);
    return this.#serveModern(message, legacy, request);
  }

  #serveModern(
    message: Message,
    legacy: LegacyArguments,
    incoming: globalThis.Request,
  ): Response | Promise<Response> {
    const { target, headers, principal, canStream } = legacy;
    if (!isRequest(message)) {
      if (isNotification(message)) this.#options.modern.notify(message, { target, principal, headers });
      return accepted();
    }
    if (message.method === Method.listen && !canStream) {
      const words = `${Method.listen} is answered with a stream: list text/event-stream in Accept.`;
      return failure(406, { code: ErrorCode.invalidRequest, message: words }, { id: message.id });
    }
    const request = { message, target, principal, headers };
    const checked = this.#options.modern.check(request);
    return checked instanceof Promise
      ? checked.then((passed) => this.#answerModern(request, passed, canStream, incoming))
      : this.#answerModern(request, checked, canStream, incoming);
  }

  #answerModern(
    request: ModernRequest,
    checked: Checked,
    canStream: boolean,
    incoming: globalThis.Request,
  ): Response | Promise<Response> {
    const { id } = request.message;
    if ("rejection" in checked) {
      const { status, error } = checked.rejection;
      return json(writeMessage(errorResponse(id, error)), status);
    }
    let leave: (() => void) | undefined;
    const gone = () => leave?.();
    const { heartbeat, modern } = this.#options;
    const reply = new HttpReply({ id, heartbeat, canStream, statusOf: modernStatus, onGone: gone });
    leave = modern.receive(request, checked, reply);
    incoming.signal.addEventListener("abort", gone, { once: true });
    return reply.response;
  }

  async #serveBatch(values: readonly unknown[], text: string, legacy: LegacyArguments): Promise<Response> {
    const texts = itemTexts(text);
    const messages = values
      .map((value, at) => toMessage(value, texts[at] ?? ""))
      .filter((message) => message !== undefined);
    const isModern = messages.some((message) => {
      const classified = classify(message, null);
      return "era" in classified && classified.era === "modern";
    });
    if (messages.length === 0 || messages.length < values.length || isModern) {
      return failure(400, {
        code: ErrorCode.invalidRequest,
        message: "Not a batch of JSON-RPC messages that may be sent as one.",
      });
    }
    return this.#options.legacy.postBatch(legacy, messages);
  }
}

type LegacyArguments = Parameters<LegacyEdge["post"]>[0];

function modernStatus(outcome: Outcome): number {
  return "error" in outcome ? (MODERN_STATUS.get(outcome.error.code) ?? 200) : 200;
}

function unparsed(thrown: unknown): Response {
  if (thrown instanceof JsonLimitError) {
    return failure(413, { code: ErrorCode.invalidRequest, message: `The body ${thrown.message}.` });
  }
  return failure(400, { code: ErrorCode.parse, message: "The body is not valid JSON." });
}

/** A client that lists nothing gets JSON; a stream goes only to one that asked for it. */
function acceptsStream(headers: Headers): boolean {
  return headers.get("accept")?.includes("text/event-stream") ?? false;
}

function isJson(contentType: string | null): boolean {
  if (contentType === null || contentType === "application/json") return true;
  return /^application\/(?:[\w.+-]+\+)?json\b/i.test(contentType.trim());
}
