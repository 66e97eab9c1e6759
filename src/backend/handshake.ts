// From a backend's settings to a connection that speaks: which wire, which era, which revision, what the server offers.
// The legacy handshake lives here and nowhere else. Order of attempts: 2026-07-28, basic/versioning and the transports' pages.

import type { BackendConfig, StdioConfig, UrlConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import type { MemoryBudget } from "../memory-budget.ts";
import { type Era, eraOf } from "../protocol/call.ts";
import { untilAborted } from "../protocol/cancellation.ts";
import { GatewayError } from "../protocol/errors.ts";
import { isObject, type Json } from "../protocol/jsonrpc.ts";
import {
  type Implementation,
  isModern,
  LATEST_LEGACY,
  LATEST_MODERN,
  META,
  Method,
  Notice,
} from "../protocol/mcp.ts";
import { mirrorHeaders } from "../protocol/param-headers.ts";
import { ALL_CLIENT_CAPABILITIES } from "../protocol/questions.ts";
import { HttpSseTransport } from "../transport/http-sse.ts";
import { StdioTransport } from "../transport/stdio.ts";
import { StreamableHttpTransport } from "../transport/streamable-http.ts";
import type { Transport, TransportEvents } from "../transport/transport.ts";
import { Connection } from "./connection/connection.ts";
import type { ConnectionEvents } from "./connection/connection-events.ts";
import type { Habits } from "./connection/habits.ts";
import {
  isAnswer,
  isEraEvidence,
  isModernNotFound,
  saysOtherWire,
  supportedLegacy,
  supportedModern,
} from "./era-evidence.ts";
import { fromDiscover, fromInitialize, type Handshake, undescribed } from "./introductions.ts";

/** How long a silent backend may leave a probe unanswered before the older handshake is tried beside it. */
const PROBE_TIMEOUT_MS = 2_000;

export interface Connected extends Handshake {
  readonly connection: Connection;
}

export interface HandshakeOptions {
  readonly identity: Implementation;
  /** The ids of the gateways that a request to the backend has passed (`via.ts`). */
  readonly via?: (() => string) | undefined;
  readonly log: Log;
  /** Counts the memory that is held for the backend. */
  readonly budget?: MemoryBudget | undefined;
  readonly events: ConnectionEvents;
  readonly habits: Habits;
  /** The era that this backend had last time; undefined asks it. */
  readonly remembered: Era | undefined;
  /** The era of the client that the connection is for; undefined: the newest. */
  readonly wanted: Era | undefined;
  /** The extensions of the clients of this connection, declared to an older server. */
  readonly extensions: Json;
  /** Ends the attempt: the start deadline, or the gateway that closes. */
  readonly signal: AbortSignal;
}

/**
 * Opens a connection and agrees on a revision. Whatever was opened on the way is closed again on failure.
 * Rejects with StartError, RpcError or GatewayError.
 */
export function connect(config: BackendConfig, options: HandshakeOptions): Promise<Connected> {
  const { wire } = config;
  return wire.kind === "stdio"
    ? new Attempt(config, options).overStdio(wire)
    : new Attempt(config, options).overUrl(wire);
}

class Attempt {
  readonly #config: BackendConfig;
  readonly #options: HandshakeOptions;
  readonly #pinned: string | undefined;
  /** Undefined: the backend has to be asked. */
  readonly #era: Era | undefined;

  constructor(config: BackendConfig, options: HandshakeOptions) {
    this.#config = config;
    this.#options = options;
    this.#pinned = config.protocol === "auto" ? undefined : config.protocol;
    this.#era = this.#pinned === undefined ? options.remembered : eraOf(this.#pinned);
  }

  get #isLegacyWanted(): boolean {
    return this.#era === undefined && this.#options.wanted === "legacy";
  }

  /** Leaves the older handshake its time, however short the start may take. */
  get #probeTimeoutMs(): number {
    return Math.min(PROBE_TIMEOUT_MS, this.#config.startTimeoutMs / 4);
  }

  async overStdio(wire: StdioConfig): Promise<Connected> {
    const memory = this.#options.budget;
    const open = () =>
      this.#open((events) => StdioTransport.start(wire, { ...this.#wireOptions(), memory, events }));
    const connection = await open();
    if (this.#era === "legacy") return this.#finish(connection, () => this.#initialize(connection));
    if (this.#isLegacyWanted) return this.#finish(connection, () => this.#initializeFirst(connection));
    try {
      return await this.#finish(connection, () => this.#probeOverStdio(connection));
    } catch (thrown) {
      // Some servers exit on any request before `initialize` (the Rust SDK does): a new process, the old way.
      if (this.#era === "modern" || connection.end === undefined || this.#options.signal.aborted)
        throw thrown;
      if (!(thrown instanceof GatewayError) || thrown.kind !== "backend-failed") throw thrown;
      const second = await open();
      return this.#finish(second, () => this.#initialize(second));
    }
  }

  async overUrl(wire: UrlConfig): Promise<Connected> {
    const failures: unknown[] = [];
    for (const kind of wiresToTry(wire)) {
      try {
        return await (kind === "http" ? this.#overHttp(wire) : this.#overSse(wire));
      } catch (thrown) {
        failures.push(thrown);
        if (!saysOtherWire(thrown) || this.#options.signal.aborted) break;
      }
    }
    throw failures[0];
  }

  async #overHttp(wire: UrlConfig): Promise<Connected> {
    const connection = await this.#open((events) =>
      StreamableHttpTransport.start(wire, { ...this.#wireOptions(), events }),
    );
    return this.#finish(connection, async () => {
      if (this.#era === "legacy") return this.#initialize(connection);
      if (this.#isLegacyWanted) return this.#initializeFirst(connection);
      const modern = await this.#discover(connection, AbortSignal.timeout(this.#probeTimeoutMs * 2));
      return modern ?? this.#initialize(connection);
    });
  }

  async #overSse(wire: UrlConfig): Promise<Connected> {
    const connection = await this.#open((events) =>
      HttpSseTransport.start(wire, { ...this.#wireOptions(), events }),
    );
    return this.#finish(connection, () => this.#initialize(connection));
  }

  #wireOptions() {
    const { name, requestTimeoutMs, startTimeoutMs } = this.#config;
    const { log, signal, via } = this.#options;
    return {
      name,
      log,
      signal,
      via,
      maxRetryAfterMs: Math.min(requestTimeoutMs || startTimeoutMs, startTimeoutMs),
    };
  }

  #open(start: (events: TransportEvents) => Promise<Transport>): Promise<Connection> {
    const { log, events, habits } = this.#options;
    const { name, questionTimeoutMs } = this.#config;
    return Connection.open({ name, log, events, habits, questionTimeoutMs }, start);
  }

  /** Runs the handshake proper; a connection that it fails on is closed before the failure is told. */
  async #finish(connection: Connection, shake: () => Promise<Handshake>): Promise<Connected> {
    try {
      const handshake = await shake();
      connection.transport.negotiated(handshake.revision);
      if (handshake.era === "modern") {
        connection.cancelsByClosing = connection.transport.kind === "http";
      } else {
        await this.#tellInitialized(connection);
        connection.transport.openStream?.();
      }
      return { ...handshake, connection };
    } catch (thrown) {
      await connection[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /**
   * Awaited, because over HTTP the first request could overtake it on another socket. Not for long: some servers send the
   * response only after they have asked for roots on a stream that is not open yet, and some never send it.
   */
  async #tellInitialized(connection: Connection): Promise<void> {
    const { signal } = this.#options;
    const patience = AbortSignal.any([signal, AbortSignal.timeout(this.#probeTimeoutMs)]);
    await untilAborted(connection.notify(Notice.initialized), patience);
    signal.throwIfAborted();
  }

  /** One process, both questions: `initialize` follows when the probe stays unanswered; whichever answers decides. */
  async #probeOverStdio(connection: Connection): Promise<Handshake> {
    // An unanswered probe ends with the handshake, so that nothing stays pending.
    const over = new AbortController();
    const probe = this.#discover(connection, over.signal);
    if (this.#era === "modern") {
      const handshake = await probe;
      if (handshake !== undefined) return handshake;
      return this.#initialize(connection); // The server was exchanged for an older one.
    }
    const patience = Promise.withResolvers<"silent">();
    const timer = setTimeout(() => patience.resolve("silent"), this.#probeTimeoutMs);
    try {
      const first = await Promise.race([probe, patience.promise]);
      if (first !== "silent") return first ?? (await this.#initialize(connection));
      return await firstHandshake(probe, this.#initialize(connection));
    } finally {
      clearTimeout(timer);
      over.abort();
    }
  }

  /** The handshake for a legacy client: the newer era is used only if the server refuses the older one. */
  async #initializeFirst(connection: Connection): Promise<Handshake> {
    try {
      return await this.#initialize(connection);
    } catch (thrown) {
      if (this.#options.signal.aborted || !isEraEvidence(thrown)) throw thrown;
      const deadline = AbortSignal.timeout(this.#probeTimeoutMs * 2);
      const modern = await this.#discover(connection, deadline).catch(() => undefined);
      if (modern?.era !== "modern") throw thrown;
      return modern;
    }
  }

  /**
   * Asks `server/discover`. Undefined where the answer shows a legacy server.
   * A refusal for want of credentials, a server error or a dead wire is no evidence of an era and rejects.
   */
  async #discover(
    connection: Connection,
    deadline: AbortSignal,
    revision: string = LATEST_MODERN,
    isRetry = false,
  ): Promise<Handshake | undefined> {
    const isPinned = this.#pinned !== undefined && isModern(this.#pinned);
    const version = this.#pinned ?? revision;
    const params = { _meta: envelope(version, this.#options.identity) };
    connection.transport.negotiated(version);
    try {
      const { result } = await connection.request(Method.discover, params, {
        timeoutMs: 0,
        signal: AbortSignal.any([this.#options.signal, deadline]),
        headers: mirrorHeaders(Method.discover, params),
      });
      return isObject(result.capabilities) ? fromDiscover(this.#config.name, version, result) : undefined;
    } catch (thrown) {
      if (this.#options.signal.aborted) throw thrown;
      const supported = supportedModern(thrown);
      if (supported !== undefined && !isRetry) return this.#discover(connection, deadline, supported, true);
      if (isPinned && isAnswer(thrown)) return undescribed(this.#config.name, version);
      if (isEraEvidence(thrown) || deadline.aborted) return this.#legacyAfter(connection, thrown, version);
      throw thrown;
    }
  }

  /** HTTP 404 with -32601 is what a modern server says to a method it lacks; only `initialize` can tell for sure. */
  async #legacyAfter(
    connection: Connection,
    thrown: unknown,
    version: string,
  ): Promise<Handshake | undefined> {
    connection.transport.negotiated("");
    if (!isModernNotFound(thrown)) return undefined;
    try {
      return await this.#initialize(connection);
    } catch {
      return undescribed(this.#config.name, version);
    }
  }

  get #capabilities(): Json {
    const { extensions } = this.#options;
    return Object.keys(extensions).length === 0
      ? ALL_CLIENT_CAPABILITIES
      : { ...ALL_CLIENT_CAPABILITIES, extensions };
  }

  async #initialize(connection: Connection, revision?: string): Promise<Handshake> {
    const wanted =
      revision ?? (this.#pinned !== undefined && !isModern(this.#pinned) ? this.#pinned : LATEST_LEGACY);
    const params = {
      protocolVersion: wanted,
      capabilities: this.#capabilities,
      clientInfo: this.#options.identity,
    };
    try {
      const { result } = await connection.request(Method.initialize, params, {
        timeoutMs: 0,
        signal: this.#options.signal,
      });
      return fromInitialize(this.#config.name, result);
    } catch (thrown) {
      const supported = revision === undefined ? supportedLegacy(thrown) : undefined;
      if (supported === undefined || supported === wanted) throw thrown;
      return this.#initialize(connection, supported);
    }
  }
}

/** The envelope of a request that the gateway makes for itself. */
export function envelope(revision: string, identity: Implementation): Json {
  return {
    [META.protocolVersion]: revision,
    [META.clientInfo]: identity,
    [META.clientCapabilities]: {},
  };
}

async function firstHandshake(
  probe: Promise<Handshake | undefined>,
  initialize: Promise<Handshake>,
): Promise<Handshake> {
  const modern = probe.then((handshake) => handshake ?? Promise.reject(new Error("legacy")));
  try {
    return await Promise.any([modern, initialize]);
  } catch {
    return initialize; // Both failed: the older handshake's reason is the one that matters.
  }
}

/** A path that ends in `/sse` names the older wire; it is a hint, so the other is tried after it. */
function wiresToTry({ url, transport }: UrlConfig): readonly ("http" | "sse")[] {
  if (transport !== "auto") return [transport];
  return /\/sse\/?$/.test(new URL(url).pathname) ? ["sse", "http"] : ["http", "sse"];
}
