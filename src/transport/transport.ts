// The waist between a backend and its wire. A transport moves messages; it knows no ids of calls, no handshake, no era.

import type { Id, Message } from "../protocol/jsonrpc.ts";

/** One message as it came off the wire. */
export interface Incoming {
  readonly message: Message;
  /**
   * The id of our request on whose response this message came (Streamable HTTP).
   * Absent where the wire has one channel for all (stdio, HTTP+SSE, the GET stream).
   */
  readonly origin?: Id;
}

/** Why a wire ended. `permanent` says that trying again cannot help until something changes (no such program). */
export interface WireEnd {
  readonly reason: string;
  readonly permanent: boolean;
  /** The HTTP status behind the end, where there was one. */
  readonly status?: number;
  /** The last lines that the process wrote for people, oldest first; stdio only. */
  readonly lastWords?: readonly string[];
}

export interface TransportEvents {
  /** Never called after `onEnd`. */
  onMessage(incoming: Incoming): void;
  /**
   * Our request `id` was taken but will get no answer, although the wire itself lives: its response broke off, was
   * no JSON-RPC, or was too large (stdio knows only the last of these).
   */
  onLost(id: Id, error: SendError): void;
  /** Called once, whatever ends the wire, our own `close` included. */
  onEnd(end: WireEnd): void;
}

/** What a send may need beside the message. */
export interface SendOptions {
  /** Extra HTTP headers of this one message (`Mcp-Method`, `Mcp-Param-*` …); a wire without headers ignores them. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A wire that carries JSON-RPC messages to one backend, both ways. */
export interface Transport extends AsyncDisposable {
  readonly kind: TransportKind;
  /**
   * Hands one message to the wire. Resolves when the wire has taken it: on stdio when it is queued for the pipe, on
   * HTTP when the response's head has come (its messages arrive by `onMessage`).
   * Rejects with a SendError that says whether the backend can have seen the message.
   */
  send(message: Message, options?: SendOptions): Promise<void>;
  /** Stops waiting for the answer to our request `id`: HTTP closes that response; a wire of one channel does nothing. */
  abandon(id: Id): void;
  /** The handshake's outcome, for the wires that carry it in headers. */
  negotiated(revision: string): void;
  /**
   * Opens the channel for what the backend says unasked, once a legacy handshake is done (Streamable HTTP's GET
   * stream). A wire that has such a channel anyway has no such method.
   */
  openStream?(): void;
  /** True if messages may come that name no call: always on a wire with one channel, over HTTP on the GET stream. */
  readonly hasSharedChannel: boolean;
  /** The process id of a stdio child. */
  readonly pid?: number;
  /** Ends the wire and whatever it holds (process group, session, streams). Bounded in time, idempotent. */
  [Symbol.asyncDispose](): Promise<void>;
}

export type TransportKind = "stdio" | "http" | "sse";

/** A wire could not be opened. */
export class StartError extends Error {
  readonly end: WireEnd;
  /** Whether what it came from, outside of the settings, is another by now. */
  readonly hasChanged: () => Promise<boolean>;

  constructor(end: WireEnd, options: { cause?: unknown; hasChanged?: () => Promise<boolean> } = {}) {
    super(end.reason, options);
    this.name = "StartError";
    this.end = end;
    this.hasChanged = options.hasChanged ?? (() => Promise.resolve(false));
  }
}

/** A message could not be delivered. */
export class SendError extends Error {
  /** False only where the backend cannot have seen a byte that it would act on. */
  readonly maybeDelivered: boolean;
  /** HTTP status of the refusal, where there was one. */
  readonly status: number | undefined;
  /** The body of the refusal, cut to 4 KiB: era detection reads it. */
  readonly body: string | undefined;
  /** True where the backend said that our session is gone: a new handshake heals it. */
  readonly sessionExpired: boolean;
  /** How long the server asked to be left alone. */
  readonly retryAfterMs: number | undefined;
  /** The end of the wire, if the message failed because of it. */
  readonly end: WireEnd | undefined;

  constructor(
    message: string,
    detail: {
      maybeDelivered: boolean;
      status?: number;
      body?: string;
      sessionExpired?: boolean;
      retryAfterMs?: number | undefined;
      end?: WireEnd;
      cause?: unknown;
    },
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "SendError";
    this.maybeDelivered = detail.maybeDelivered;
    this.status = detail.status;
    this.body = detail.body;
    this.sessionExpired = detail.sessionExpired ?? false;
    this.retryAfterMs = detail.retryAfterMs;
    this.end = detail.end;
  }
}
