// Whether an answer of the gateway is well formed, and an answer to what was asked. Reads with rules of its own: it must not
// be right just because the gateway is wrong in the same way.

import { EventStreamParser } from "../../src/protocol/event-stream.ts";
import { isObject, type Json } from "../../src/protocol/jsonrpc.ts";
import type { HttpCase, SentRequest } from "./http-requests.ts";
import type { Received } from "./raw-client.ts";
import type { Reply } from "./reply.ts";

/** The ids that an answer may have, and whether one must come. */
export interface Expected {
  readonly kind: "request" | "batch" | "unanswered" | "unreadable";
  readonly ids: readonly unknown[];
}

const INTERNAL = "Internal error in the gateway";
const MCP_ROUTE = /^\/(?:mcp(?:[/?]|$)|[^/]+\/mcp(?:\?|$))/;

export function expect(body: Uint8Array): Expected {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return { kind: "unreadable", ids: [] };
  }
  if (Array.isArray(value)) return { kind: "batch", ids: value.filter(isRequestLike).map(({ id }) => id) };
  if (isRequestLike(value)) return { kind: "request", ids: [value.id] };
  const isUnanswered = isObject(value) && value.jsonrpc === "2.0" && value.id === undefined;
  const isAnswer = isObject(value) && value.jsonrpc === "2.0" && ("result" in value || "error" in value);
  return { kind: isUnanswered || isAnswer ? "unanswered" : "unreadable", ids: [] };
}

function isRequestLike(value: unknown): value is Json {
  if (!isObject(value) || value.jsonrpc !== "2.0" || typeof value.method !== "string") return false;
  if (value.params !== undefined && !isObject(value.params)) return false;
  return typeof value.id === "string" || Number.isInteger(value.id);
}

/** What is wrong with it: nothing, where the list is empty. */
export function judgeHttp(fuzzed: HttpCase, { replies, ending }: Received): string[] {
  const problems = replies.flatMap((reply, index) => judgeReply(reply, fuzzed.requests[index]));
  const isWhole = fuzzed.requests.length > 0 && fuzzed.requests.every(({ isClean }) => isClean);
  if (ending === "late" && fuzzed.patienceMs > 1_000) problems.push("no answer and no end");
  if (ending === "closed" && isWhole && replies.length === 0 && fuzzed.isReusable)
    problems.push("closed without an answer");
  return problems;
}

function judgeReply(reply: Reply, request: SentRequest | undefined): string[] {
  const { method = "", path = "", isClean = false, body = new Uint8Array() } = request ?? {};
  const text = reply.body.toString("utf8");
  // 505 says that the version of HTTP is none.
  if (reply.status >= 500 && reply.status !== 505) return [`status ${reply.status}: ${text.slice(0, 300)}`];
  if (text.includes(INTERNAL)) return [text.slice(0, 300)];
  const type = reply.headers.get("content-type") ?? "";
  const expected = isClean && method === "POST" && MCP_ROUTE.test(path) ? expect(body) : undefined;
  try {
    if (type.startsWith("text/event-stream")) return judgeMessages(readEvents(reply), expected, reply);
    if (!type.startsWith("application/json")) return judgeOther(reply, text, expected);
    if (!reply.isWhole || method === "HEAD") return [];
    const value: unknown = JSON.parse(text);
    if (!MCP_ROUTE.test(path) && reply.status === 200) return [];
    return judgeMessages(Array.isArray(value) ? value : [value], expected, reply);
  } catch (thrown) {
    return [`${String(thrown)} in ${text.slice(0, 300)}`];
  }
}

/** No message at all: "accepted", or a refusal by the server below us. */
function judgeOther({ status, isWhole }: Reply, text: string, expected: Expected | undefined): string[] {
  if (status === 202 && (text !== "" || expected?.kind === "request")) return [`202 ${text}`];
  if (status === 200 && expected !== undefined && isWhole) return [`200 without a message: ${text}`];
  return [];
}

export function readEvents({ body, isWhole }: Pick<Reply, "body" | "isWhole">): unknown[] {
  const events = new EventStreamParser().push(body);
  const text = body.toString("utf8");
  if (isWhole && text !== "" && !text.endsWith("\n\n")) throw new Error("the last event has no end");
  // A priming event has an id and no message; `endpoint` has a path.
  return events
    .filter(({ data, event }) => data !== "" && event !== "endpoint")
    .map(({ data }): unknown => JSON.parse(data));
}

function judgeMessages(
  values: readonly unknown[],
  expected: Expected | undefined,
  { status }: Reply,
): string[] {
  const problems = values.flatMap((value) => judgeMessage(value) ?? []);
  if (expected === undefined || problems.length > 0) return problems;
  const answers = values.filter(isAnswer);
  for (const { id } of answers) {
    if (id !== null && !expected.ids.some((known) => Object.is(known, id) || known === id)) {
      problems.push(`answered under the id ${JSON.stringify(id)}, which nobody asked with`);
    }
  }
  if (expected.kind === "request" && answers.length > 1)
    problems.push(`${answers.length} answers to one request`);
  const isRefused = status >= 400;
  if (expected.kind === "request" && !isRefused && answers.some(({ id }) => id === null)) {
    problems.push("answered without the id");
  }
  if (expected.kind === "unreadable" && !isRefused) problems.push(`status ${status} for what is no message`);
  return problems;
}

function isAnswer(value: unknown): value is Json {
  return isObject(value) && !("method" in value);
}

/** One JSON-RPC message, by the letter. */
export function judgeMessage(value: unknown): string | undefined {
  const shown = () => JSON.stringify(value)?.slice(0, 300);
  if (!isObject(value) || value.jsonrpc !== "2.0") return `no JSON-RPC: ${shown()}`;
  const { id, method, params, result, error } = value;
  const hasId = typeof id === "string" || Number.isInteger(id);
  if (method !== undefined) {
    const isGood = typeof method === "string" && (params === undefined || isObject(params));
    return isGood && (id === undefined || hasId) ? undefined : `no request: ${shown()}`;
  }
  if ("result" in value)
    return isObject(result) && hasId && !("error" in value) ? undefined : `no result: ${shown()}`;
  const isError = isObject(error) && Number.isInteger(error.code) && typeof error.message === "string";
  return isError && (hasId || id === null) ? undefined : `no error: ${shown()}`;
}
