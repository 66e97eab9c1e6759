// One request in flight, with who asks. Everything about a caller travels here; nothing of it is kept on a shared connection.

import type { Abortable } from "./cancellation.ts";
import type { ErrorObject, Json, Notification } from "./jsonrpc.ts";
import { isModern } from "./mcp.ts";

/** `modern`: every request stands alone (2026-07-28 and later). `legacy`: an `initialize` handshake came first. */
export type Era = "modern" | "legacy";

export function eraOf(revision: string): Era {
  return isModern(revision) ? "modern" : "legacy";
}

/** Who sent a call, as the edge that took it knows. */
export interface Caller {
  readonly era: Era;
  readonly revision: string;
  readonly capabilities: Json;
  readonly clientInfo?: Json;
  /** Whose credentials these are: a hash of the token, or `local` where none is asked for. */
  readonly principal: string;
  /** Tells one client from another: two calls with the same key may see each other's questions and log lines. */
  readonly key: string;
  /** The log level that this caller asked for in so many words. */
  readonly logLevel?: string;
  /** Aborted when the client has gone for good: its session has ended. Absent where clients come and go unseen. */
  readonly ended?: AbortSignal;
}

/** What a server's presentation to a client depends on. */
export type Asker = Pick<Caller, "era" | "capabilities">;

/** A question that a backend puts to the client: elicitation, sampling or roots. */
export interface Question {
  readonly method: string;
  readonly params?: Json;
  /** Takes the params of the client's progress on it; absent where nobody wants to hear of that. */
  onProgress?(params: Json): void;
}

export interface Call {
  readonly method: string;
  readonly params?: Json | undefined;
  readonly caller: Caller;
  /**
   * False where the caller cannot be handed a modern backend's `input_required` as it is (the call is a part of another
   * one): its questions are then put through `ask`.
   */
  readonly passesRounds?: boolean | undefined;
  /** Aborted when the caller cancels or goes away. */
  readonly signal: Abortable;
  /** Sends a notification to the one who called, before the answer. */
  notify(notification: Notification): void;
  /** Puts a question to the one who called; resolves with the bare result, rejects with an RpcError. */
  ask(question: Question, signal: Abortable): Promise<Json>;
}

/** The same call in other words: who asks, and how it is reached, stays. Calls may be objects with a life; none is spread. */
export function reworded(call: Call, words: Partial<Pick<Call, "method" | "params" | "passesRounds">>): Call {
  const { method, params, passesRounds, caller, signal } = call;
  return {
    method,
    ...(params === undefined ? {} : { params }),
    ...(passesRounds === undefined ? {} : { passesRounds }),
    caller,
    signal,
    notify: (notification) => call.notify(notification),
    ask: (question, withdrawn) => call.ask(question, withdrawn),
    ...words,
  };
}

/** A result on its way back. */
export interface Answer {
  readonly result: Json;
}

/** What a client hears outside of its calls. */
export interface Subscriber {
  /** Same meaning as Caller.key. */
  readonly key: string;
  /** The era of a client on a backend's own route: it receives notifications from the connections of its era. */
  readonly era?: Era | undefined;
  /** True for notification methods such as `notifications/tools/list_changed` that this client asked for. */
  wants(method: string): boolean;
  deliver(notification: Notification): void;
  /** What it listened to is gone for good: nothing more will come. */
  ended?(): void;
}

/** A client's watch of one resource. It ends when the client unsubscribes, or with the client's session. */
export interface Watch {
  /**
   * Ends the watch. The server is told if no other client watches the resource. Later calls do nothing.
   * Rejects with RpcError if the server refuses, with GatewayError if it does not answer; the watch has ended in any case.
   */
  end(): Promise<void>;
}

/** The answer to a call that failed is data as well: edges write it, backends never see it. */
export type Outcome = Answer | { readonly error: ErrorObject };
