// The failures that the gateway itself expects, each with its one place on the wire.
// What a backend answered is not here: that is data (RpcError) and passes untouched.

import { shownText } from "../shown.ts";
import { type ErrorObject, RpcError } from "./jsonrpc.ts";

/** kind → JSON-RPC code and HTTP status. The codes are what v1 of this program answered, where it had one. */
const WIRE = {
  "unknown-backend": { code: -32001, status: 404 },
  "backend-disabled": { code: -32000, status: 200 },
  "backend-failed": { code: -32000, status: 200 },
  "backend-busy": { code: -32000, status: 200 },
  "call-timeout": { code: -32000, status: 200 },
  "call-cancelled": { code: -32000, status: 200 },
  "question-unroutable": { code: -32603, status: 200 },
  "unknown-method": { code: -32601, status: 200 },
  "invalid-params": { code: -32602, status: 200 },
  "shutting-down": { code: -32000, status: 503 },
} as const satisfies Record<string, { code: number; status: number }>;

export type GatewayErrorKind = keyof typeof WIRE;

/**
 * An expected failure. The message is for the person or model that gets it: what, on which backend, why, what next.
 * Texts of backends in it are redacted and cannot control a terminal.
 */
export class GatewayError extends Error {
  readonly kind: GatewayErrorKind;

  constructor(kind: GatewayErrorKind, message: string, options?: { cause?: unknown }) {
    super(shownText(message), options);
    this.name = "GatewayError";
    this.kind = kind;
  }

  get code(): number {
    return WIRE[this.kind].code;
  }

  /** HTTP status of the reply where nothing has been streamed yet. */
  get status(): number {
    return WIRE[this.kind].status;
  }
}

/** Turns whatever was thrown into the error object of a reply. A bug is answered without detail; the caller logs it. */
export function toErrorObject(thrown: unknown): ErrorObject {
  if (thrown instanceof RpcError) return thrown.toObject();
  if (thrown instanceof GatewayError) return { code: thrown.code, message: thrown.message };
  return { code: -32603, message: "Internal error in the gateway; its log has the details." };
}

export function isExpected(thrown: unknown): boolean {
  return thrown instanceof RpcError || thrown instanceof GatewayError;
}
