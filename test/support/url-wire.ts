// A Streamable HTTP or HTTP+SSE transport under test, with a record of everything that came off it.

import type { Id, Json, Message, Response } from "../../src/protocol/jsonrpc.ts";
import { HttpSseTransport } from "../../src/transport/http-sse.ts";
import { type HttpStartOptions, StreamableHttpTransport } from "../../src/transport/streamable-http.ts";
import type {
  Incoming,
  SendError,
  SendOptions,
  Transport,
  TransportEvents,
  WireEnd,
} from "../../src/transport/transport.ts";
import { type LogLine, recordLog } from "./log-recorder.ts";
import { waitFor } from "./wait-for.ts";

export interface UrlWireOptions
  extends Partial<Pick<HttpStartOptions, "signal" | "maxMessageLength" | "unansweredMs">> {
  readonly kind?: "http" | "sse";
  readonly headers?: Record<string, string>;
}

export class UrlWire implements AsyncDisposable {
  readonly transport: Transport;
  readonly incoming: Incoming[];
  readonly lost: Map<Id, SendError>;
  readonly ends: WireEnd[];
  readonly logged: LogLine[];
  #nextId = 1;

  private constructor(transport: Transport, record: ReturnType<typeof startRecord>) {
    this.transport = transport;
    this.incoming = record.incoming;
    this.lost = record.lost;
    this.ends = record.ends;
    this.logged = record.lines;
  }

  static async start(url: string, options: UrlWireOptions = {}): Promise<UrlWire> {
    const { kind = "http", headers = {}, ...rest } = options;
    const config = { kind: "url", url, transport: kind, headers } as const;
    const start = kind === "http" ? StreamableHttpTransport.start : HttpSseTransport.start;
    const record = startRecord();
    const { log, events } = record;
    return new UrlWire(await start(config, { name: "mock", log, events, ...rest }), record);
  }

  get messages(): Message[] {
    return this.incoming.map(({ message }) => message);
  }

  get methods(): string[] {
    return this.messages.map((message) => ("method" in message ? message.method : "response"));
  }

  /** Sends a request, and returns its id when the wire has taken it. */
  async ask(method: string, params: Json = {}, options?: SendOptions): Promise<number> {
    const id = this.#nextId++;
    await this.transport.send({ jsonrpc: "2.0", id, method, params }, options);
    return id;
  }

  /** Sends a request and waits for the response with its id. */
  async request(method: string, params: Json = {}, options?: SendOptions): Promise<Response> {
    const id = await this.ask(method, params, options);
    return this.answerTo(id);
  }

  answerTo(id: Id): Promise<Response> {
    return waitFor(() => this.responses(id)[0], { what: `the answer to request ${id}` });
  }

  responses(id: Id): Response[] {
    return this.messages.filter(
      (message): message is Response => !("method" in message) && message.id === id,
    );
  }

  async notify(method: string, params: Json = {}): Promise<void> {
    await this.transport.send({ jsonrpc: "2.0", method, params });
  }

  /** The legacy handshake, and the GET stream where the wire has one. */
  async shakeHands(revision = "2025-11-25"): Promise<Response> {
    const params = {
      protocolVersion: revision,
      capabilities: {},
      clientInfo: { name: "test", version: "0" },
    };
    const answer = await this.request("initialize", params);
    this.transport.negotiated(revision);
    await this.notify("notifications/initialized");
    return answer;
  }

  lossOf(id: Id): Promise<SendError> {
    return waitFor(() => this.lost.get(id), { what: `the loss of request ${id}` });
  }

  ended(): Promise<WireEnd> {
    return waitFor(() => this.ends[0], { what: "the end of the wire" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport[Symbol.asyncDispose]();
  }
}

function startRecord() {
  const { log, lines } = recordLog();
  const incoming: Incoming[] = [];
  const lost = new Map<Id, SendError>();
  const ends: WireEnd[] = [];
  const events: TransportEvents = {
    onMessage(one) {
      if (ends.length > 0) throw new Error("a message came after the end");
      incoming.push(one);
    },
    onLost: (id, error) => lost.set(id, error),
    onEnd: (end) => ends.push(end),
  };
  return { log, lines, incoming, lost, ends, events };
}
