// JSON-RPC 2.0 envelopes as MCP narrows them. Knows nothing of MCP methods, of transports or of who asks.

import { MAX_DEPTH } from "./bounded-json.ts";
import { exactly, keepText, memberOf, textOf, writeJson } from "./exact.ts";
import { lastMember, type Member, membersWithin, memberText, onOneLine } from "./json-text.ts";

export type Json = Record<string, unknown>;

/**
 * MCP request ids: a string or an integer, never null (spec: basic/index, "Requests"). A number that JSON.stringify would
 * write differently (12345678901234567890, 1.0) is kept as its text after `EXACT`, so that two such ids stay different.
 */
export type Id = string | number;

const EXACT = "\0";

export interface Request {
  readonly jsonrpc: "2.0";
  readonly id: Id;
  readonly method: string;
  readonly params?: Json;
}

export interface Notification {
  readonly jsonrpc: "2.0";
  readonly method: string;
  readonly params?: Json;
}

export interface ErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
  /** Peers add more keys; they pass as they are. */
  readonly [more: string]: unknown;
}

export interface ResultResponse {
  readonly jsonrpc: "2.0";
  readonly id: Id;
  readonly result: Json;
}

/** The id is absent or null where the request could not be read at all. */
export interface ErrorResponse {
  readonly jsonrpc: "2.0";
  readonly id?: Id | null;
  readonly error: ErrorObject;
}

export type Response = ResultResponse | ErrorResponse;
export type Message = Request | Notification | Response;

export const ErrorCode = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
} as const;

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isId(value: unknown): value is Id {
  return typeof value === "string" || (typeof value === "number" && Number.isInteger(value));
}

/**
 * Sorts one parsed JSON value into the four kinds of message, or none. `text` is what the value was parsed from: params,
 * results and errors keep their part of it (`exact.ts`). Only the envelope and the depth are checked.
 */
export function toMessage(value: unknown, text: string): Message | undefined {
  if (!isObject(value) || value.jsonrpc !== "2.0") return undefined;
  const members = membersWithin(text, MAX_DEPTH);
  if (members === undefined) return unusable(value, `nests deeper than ${MAX_DEPTH} levels`);
  const envelope = withExactId(withEmptyParts(value), text, members);
  keepPart(envelope.params, "params", text, members);
  keepPart(envelope.result, "result", text, members);
  keepPart(envelope.error, "error", text, members);
  return ofOneKind(envelope);
}

function ofOneKind(value: Json): Message | undefined {
  if (typeof value.method === "string") {
    if (value.params !== undefined && !isObject(value.params)) return undefined;
    if (value.id === undefined) return value as unknown as Notification;
    return isId(value.id) ? (value as unknown as Request) : undefined;
  }
  return "method" in value ? unusable(value, "names a method as well") : toResponse(value);
}

/**
 * Many serializers write null for an absent member, and PHP writes [] for an empty object. A null id has a meaning only in
 * errors.
 */
function withEmptyParts(value: Json): Json {
  const isNoticeWithId =
    value.id === null && typeof value.method === "string" && value.method.startsWith("notifications/");
  const hasNoParams = value.params === null || isEmptyList(value.params);
  const hasNoError = value.error === null && value.result !== undefined;
  const hasNoResult = value.result === null && isObject(value.error);
  const hasEmptyResult = isEmptyList(value.result);
  if (!isNoticeWithId && !hasNoParams && !hasNoError && !hasNoResult && !hasEmptyResult) return value;
  const rest = { ...value };
  if (isNoticeWithId) delete rest.id;
  if (hasNoParams) delete rest.params;
  if (hasNoError) delete rest.error;
  if (hasNoResult) delete rest.result;
  if (hasEmptyResult) rest.result = keepText({}, "{}");
  return rest;
}

export function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function withExactId(value: Json, text: string, members: readonly Member[]): Json {
  if (!isId(value.id)) return value;
  const id = exactId(value.id, partOf("id", text, members));
  return id === value.id ? value : { ...value, id };
}

function keepPart(part: unknown, key: string, text: string, members: readonly Member[]): void {
  if (typeof part !== "object" || part === null) return;
  const own = partOf(key, text, members);
  if (own !== undefined) keepText(part, onOneLine(own));
}

function partOf(key: string, text: string, members: readonly Member[]): string | undefined {
  const member = lastMember(members, key);
  return member === undefined ? undefined : text.slice(member.start, member.end);
}

function exactId(id: Id, text: string | undefined): Id {
  if (isTextId(id)) return id;
  return text === undefined || text === String(id) ? id : `${EXACT}${text}`;
}

/**
 * The integer that an id stands for, written as 7, 7.0 or "7": servers return our numbers in all these forms. Undefined if
 * it is none.
 */
export function numberOf(id: Id | null | undefined): number | undefined {
  if (typeof id === "number") return id;
  if (typeof id !== "string") return undefined;
  const number = Number(id.startsWith(EXACT) ? id.slice(EXACT.length) : id);
  const isMeant = id.startsWith(EXACT) ? Number.isSafeInteger(number) : String(number) === id;
  return isMeant && Number.isInteger(number) ? number : undefined;
}

/** True for an id that was sent as a string, such as "7". */
export function isTextId(id: Id | null | undefined): id is string {
  return typeof id === "string" && !id.startsWith(EXACT);
}

/** A member that is an id, or names one: a progress token, the request that is cancelled. */
export function idIn(value: Json | undefined, key: string): Id | undefined {
  const id = value?.[key];
  if (value === undefined || !isId(id)) return undefined;
  const text = textOf(value);
  return text === undefined ? id : exactId(id, memberText(text, key));
}

/** An id as a value that `writeJson` writes as it was read. */
export function idValue(id: Id): unknown {
  return typeof id === "string" && id.startsWith(EXACT) ? exactly(id.slice(EXACT.length)) : id;
}

function writeId(id: Id | null | undefined): string {
  if (typeof id === "number") return String(id);
  if (typeof id !== "string") return "null";
  return id.startsWith(EXACT) ? id.slice(EXACT.length) : JSON.stringify(id);
}

/** The text of a message, in one line. Values that know their text are written as that text. */
export function writeMessage(message: Message): string {
  if ("method" in message) {
    const { method, params } = message;
    const id = "id" in message ? `,"id":${writeId(message.id)}` : "";
    const written = params === undefined ? "" : `,"params":${writeJson(params)}`;
    return `{"jsonrpc":"2.0"${id},"method":${JSON.stringify(method)}${written}}`;
  }
  const outcome =
    "error" in message ? `"error":${writeJson(message.error)}` : `"result":${writeJson(message.result)}`;
  return `{"jsonrpc":"2.0","id":${writeId(message.id)},${outcome}}`;
}

function toResponse(value: Json): Response | undefined {
  if (isObject(value.result) && isId(value.id) && value.error === undefined) {
    return value as unknown as ResultResponse;
  }
  if (isErrorObject(value.error) && value.result === undefined) {
    return value.id === undefined || value.id === null || isId(value.id)
      ? (value as unknown as ErrorResponse)
      : undefined;
  }
  return unusable(value, "has neither a result that is an object nor an error with code and message");
}

/** An answer that nobody can read is an error for the one who waits for it; anything else is no message. */
function unusable(value: Json, why: string): ErrorResponse | undefined {
  const isAnswer = typeof value.method !== "string" && ("result" in value || "error" in value);
  if (!isAnswer || !isId(value.id)) return undefined;
  const message = `The answer ${why}.`;
  return { jsonrpc: "2.0", id: value.id, error: { code: ErrorCode.internal, message } };
}

function isErrorObject(value: unknown): value is ErrorObject {
  return isObject(value) && Number.isInteger(value.code) && typeof value.message === "string";
}

export function isRequest(message: Message): message is Request {
  return "method" in message && "id" in message;
}

export function isNotification(message: Message): message is Notification {
  return "method" in message && !("id" in message);
}

export function isResponse(message: Message): message is Response {
  return !("method" in message);
}

export function request<Own extends Id>(
  id: Own,
  method: string,
  params?: Json,
): Request & { readonly id: Own } {
  return params === undefined ? { jsonrpc: "2.0", id, method } : { jsonrpc: "2.0", id, method, params };
}

export function notification(method: string, params?: Json): Notification {
  return params === undefined ? { jsonrpc: "2.0", method } : { jsonrpc: "2.0", method, params };
}

export function resultResponse(id: Id, result: Json): ResultResponse {
  return { jsonrpc: "2.0", id, result };
}

export function errorResponse(id: Id | null | undefined, error: ErrorObject): ErrorResponse {
  return id === undefined || id === null
    ? { jsonrpc: "2.0", id: null, error }
    : { jsonrpc: "2.0", id, error };
}

/** A JSON-RPC error on its way through the program: what a peer answered, or what we answer a peer. */
export class RpcError extends Error {
  readonly code: number;
  readonly data: unknown;
  /** The id as the peer wrote it. */
  readonly #received: ErrorObject | undefined;

  constructor(code: number, message: string, data?: unknown, received?: ErrorObject) {
    super(message);
    this.name = "RpcError";
    this.code = code;
    this.data = data;
    this.#received = received;
  }

  static from(error: ErrorObject): RpcError {
    return new RpcError(error.code, error.message, memberOf(error, "data"), error);
  }

  toObject(): ErrorObject {
    if (this.#received !== undefined) return this.#received;
    return this.data === undefined
      ? { code: this.code, message: this.message }
      : { code: this.code, message: this.message, data: this.data };
  }
}
