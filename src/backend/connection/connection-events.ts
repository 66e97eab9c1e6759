// What a connection tells its owner, and how it reaches a client.

import type { Question } from "../../protocol/call.ts";
import type { Json, Notification } from "../../protocol/jsonrpc.ts";
import type { WireEnd } from "../../transport/transport.ts";

/** Puts a backend's question to the client that it belongs to. */
export type Ask = (question: Question, signal: AbortSignal) => Promise<Json>;

export interface ConnectionEvents {
  /** What belongs to no single call: list changes, resource updates, log lines of nobody. */
  onNotification(notification: Notification): void;
  onEnd(end: WireEnd): void;
  /** Where the connection is one client's alone: puts a question to it that belongs to no call. */
  readonly askOutsideOfCalls?: Ask;
}
