// JSON-RPC 2.0 envelopes as MCP narrows them. Knows nothing of MCP methods, of transports or of who asks.

export type Json = Record<string, unknown>;

/** MCP request ids: a string or an integer, never null (spec: basic/index, "Requests"). */
export type Id = string | number;

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

/** A value that nests deeper than this would overflow the stack when it is written again; many parsers stop here, too. */
const MAX_DEPTH = 1_000;

/**
 * Sorts one parsed JSON value into the four kinds of message, or none.
 * Only the envelope and the depth are checked: params and results are data that pass as they are. A `textLength` under
 * the greatest depth says that the value cannot nest too deep.
 */
export function toMessage(value: unknown, textLength = Number.POSITIVE_INFINITY): Message | undefined {
  if (!isObject(value) || value.jsonrpc !== "2.0") return undefined;
  if (nestsTooDeep(value, textLength)) return unusable(value, `nests deeper than ${MAX_DEPTH} levels`);
  if (typeof value.method === "string") {
    if (value.params !== undefined && !isObject(value.params)) return undefined;
    if (value.id === undefined) return value as unknown as Notification;
    return isId(value.id) ? (value as unknown as Request) : undefined;
  }
  return "method" in value ? unusable(value, "names a method as well") : toResponse(value);
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

function nestsTooDeep(value: Json, textLength: number): boolean {
  return textLength > MAX_DEPTH && !isShallow(value, MAX_DEPTH);
}

/** Runs over every message: `for in` and `every`, as Object.values would cost ten times as much. */
function isShallow(value: unknown, levels: number): boolean {
  if (Array.isArray(value)) return levels > 0 && value.every((item) => isShallow(item, levels - 1));
  if (!isObject(value)) return true;
  if (levels === 0) return false;
  for (const key in value) if (!isShallow(value[key], levels - 1)) return false;
  return true;
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

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.name = "RpcError";
    this.code = code;
    this.data = data;
  }

  static from(error: ErrorObject): RpcError {
    return new RpcError(error.code, error.message, error.data);
  }

  toObject(): ErrorObject {
    return this.data === undefined
      ? { code: this.code, message: this.message }
      : { code: this.code, message: this.message, data: this.data };
  }
}
