// What a wire's failure means for the call that met it, in words for the person who has to mend it.

import { BACKEND_LIMITS, parseBounded } from "../../protocol/bounded-json.ts";
import { GatewayError } from "../../protocol/errors.ts";
import { RpcError, toMessage } from "../../protocol/jsonrpc.ts";
import { SendError, type WireEnd } from "../../transport/transport.ts";
import type { Pending } from "./pending.ts";

/** What happened to a wire, with the last words of the process, for the person who has to mend it. */
export function describeEnd(name: string, end: WireEnd): string {
  const tail =
    end.lastWords === undefined || end.lastWords.length === 0
      ? ""
      : `\nIts last words:\n${end.lastWords.map((line) => `  ${line}`).join("\n")}`;
  return `${name}: ${end.reason}${tail}`;
}

/** A refused HTTP request whose body is a JSON-RPC error to it is an answer; all else is a failure of the wire. */
export function refusal(name: string, id: number, thrown: unknown): Error {
  if (!(thrown instanceof SendError)) {
    return new GatewayError("backend-failed", `${name}: ${String(thrown)}`, { cause: thrown });
  }
  const error = thrown.sessionExpired ? undefined : errorInBody(thrown.body, id);
  if (error === undefined) {
    const why = describeEnd(name, thrown.end ?? { reason: thrown.message, permanent: false });
    return new GatewayError("backend-failed", why, { cause: thrown });
  }
  error.cause = thrown;
  return error;
}

function errorInBody(body: string | undefined, id: number): RpcError | undefined {
  if (body === undefined || !body.trimStart().startsWith("{")) return undefined;
  try {
    const message = toMessage(parseBounded(body, BACKEND_LIMITS), body);
    if (message === undefined || !("error" in message)) return undefined;
    return message.id === id || message.id === null || message.id === undefined
      ? RpcError.from(message.error)
      : undefined;
  } catch {
    return undefined; // No JSON: a proxy's page or a plain sentence.
  }
}

export function callTimeout(name: string, { method, timeoutMs }: Pending): GatewayError {
  return new GatewayError(
    "call-timeout",
    `${name}: no answer to ${method} within ${timeoutMs / 1000} s (request_timeout). The backend was told to stop; it may ` +
      "have done part of the work. Raise request_timeout for this backend if it needs longer.",
  );
}

/**
 * Rejects a call that may be made a second time: its question was refused because it could have been another call's. The
 * second time the call runs alone, so its client can be asked.
 */
export class AskedInVain extends GatewayError {
  constructor(backend: string) {
    super(
      "backend-failed",
      `${backend}: the server's question cannot be assigned to one of several calls; make the call again.`,
    );
  }
}
