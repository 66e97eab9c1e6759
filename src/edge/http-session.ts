// A legacy session over Streamable HTTP: its GET stream, the streams of its POSTs, and what can be resumed of them.

import type { Log } from "../log.ts";
import type { Outcome } from "../protocol/call.ts";
import type { Message, Request } from "../protocol/jsonrpc.ts";
import { Notice } from "../protocol/mcp.ts";
import type { Target } from "../target/target.ts";
import { EventLog, readEventId } from "./event-log.ts";
import { EventSink, type Heartbeat, STREAM_HEADERS } from "./event-sink.ts";
import { HttpReply, responseText } from "./http-reply.ts";
import { LegacySession, type SessionFacts } from "./legacy-session.ts";
import type { Outlet } from "./outlet.ts";

/** Since this revision a client expects a first event with an id and no data; older ones choke on it. */
const PRIMED_SINCE = "2025-11-25";
/** Before a client opens its GET stream, this many unasked messages are kept for it. */
const MAX_UNSENT = 100;

export interface HttpSessionOptions {
  readonly id: string;
  readonly facts: SessionFacts;
  readonly target: Target;
  readonly log: Log;
  readonly heartbeat: Heartbeat;
}

export class HttpSession implements Disposable {
  readonly session: LegacySession;
  readonly #options: HttpSessionOptions;
  readonly #events = new EventLog();
  /** Streams whose answer is still to come, and where they write now. */
  readonly #running = new Map<number, EventSink | undefined>();
  readonly #unsent: Message[] = [];
  /** The stream for what is unasked, once a client has opened it, and who reads it now. */
  #unaskedStream: number | undefined;
  #unaskedSink: EventSink | undefined;
  lastUsedMs = Date.now();

  constructor(options: HttpSessionOptions) {
    this.#options = options;
    this.session = new LegacySession({ ...options, push: (message) => this.#push(message) });
  }

  get id(): string {
    return this.session.id;
  }

  get targetName(): string {
    return this.#options.target.name;
  }

  isFor(targetName: string, principal: string): boolean {
    return this.targetName === targetName && this.session.facts.principal === principal;
  }

  get isBusy(): boolean {
    return this.session.isBusy || this.#unaskedSink !== undefined;
  }

  /** Answers one request of a POST; resolves with its response as soon as that has a head. */
  post(message: Request, canStream: boolean): Promise<Response> {
    const headers = { "mcp-session-id": this.id };
    const { heartbeat } = this.#options;
    let stream: number | undefined;
    const reply = new HttpReply({
      id: message.id,
      heartbeat,
      canStream,
      headers,
    });
    const outlet: Outlet = {
      send: (out) => {
        if (!canStream) return false;
        if (stream === undefined) {
          stream = this.#events.openStream();
          const sink = this.#openStream(stream);
          reply.respondWith(new Response(sink.stream, { headers: { ...STREAM_HEADERS, ...headers } }));
        }
        this.#write(stream, JSON.stringify(out));
        return true;
      },
      finish: (outcome) =>
        stream === undefined ? reply.finish(outcome) : this.#finish(stream, message, outcome),
      drop: (outcome) => (stream === undefined ? reply.drop(outcome) : this.#close(stream)),
    };
    void this.session.receive(message, outlet);
    return reply.response;
  }

  /** The stream for what is unasked, or the rest of a stream that broke. A second one takes the place of the first. */
  get(lastEventId: string | null): Response {
    const position = lastEventId === null ? undefined : readEventId(lastEventId);
    const headers = { ...STREAM_HEADERS, "mcp-session-id": this.id };
    if (position !== undefined && position.stream !== this.#unaskedStream) {
      return new Response(this.#resume(position).stream, { headers });
    }
    this.session.listen();
    this.#unaskedSink?.close();
    this.#unaskedStream ??= this.#events.openStream();
    const sink = new EventSink(this.#options.heartbeat, () => {
      if (this.#unaskedSink === sink) this.#unaskedSink = undefined;
    });
    this.#unaskedSink = sink;
    if (position !== undefined) sink.write(this.#events.after(position));
    else if (this.#isPrimed) sink.write(this.#events.append(this.#unaskedStream, ""));
    for (const message of this.#unsent.splice(0)) this.#push(message);
    return new Response(sink.stream, { headers });
  }

  [Symbol.dispose](): void {
    this.session[Symbol.dispose]();
    this.#unaskedSink?.close();
    for (const sink of this.#running.values()) sink?.close();
  }

  get #isPrimed(): boolean {
    return this.session.facts.revision >= PRIMED_SINCE;
  }

  #openStream(stream: number): EventSink {
    const sink = this.#sinkOf(stream);
    if (this.#isPrimed) sink.write(this.#events.append(stream, ""));
    return sink;
  }

  /** A client that leaves has not cancelled: the stream goes on in the log, and can be resumed. */
  #sinkOf(stream: number): EventSink {
    const sink = new EventSink(this.#options.heartbeat, () => {
      if (this.#running.get(stream) === sink) this.#running.set(stream, undefined);
    });
    this.#running.set(stream, sink);
    return sink;
  }

  #resume(position: { stream: number; sequence: number }): EventSink {
    const missed = this.#events.after(position);
    const isRunning = this.#running.has(position.stream);
    this.#running.get(position.stream)?.close();
    const sink = isRunning ? this.#sinkOf(position.stream) : new EventSink(this.#options.heartbeat);
    sink.write(missed === "" ? ": nothing missed\n\n" : missed);
    if (!isRunning) sink.close();
    return sink;
  }

  #write(stream: number, json: string): void {
    this.#running.get(stream)?.write(this.#events.append(stream, json));
    if (!this.#running.get(stream)?.isOpen) this.#running.set(stream, undefined);
  }

  #finish(stream: number, message: Request, outcome: Outcome): void {
    this.#write(stream, responseText(message.id, outcome));
    this.#close(stream);
  }

  #close(stream: number): void {
    this.#running.get(stream)?.close();
    this.#running.delete(stream);
  }

  #push(message: Message): boolean {
    if (this.#unaskedSink !== undefined && this.#unaskedStream !== undefined) {
      return this.#unaskedSink.write(this.#events.append(this.#unaskedStream, JSON.stringify(message)));
    }
    if ("id" in message) return false;
    if (this.#unsent.some((kept) => isSame(kept, message))) return true;
    this.#unsent.push(message);
    if (this.#unsent.length > MAX_UNSENT) this.#unsent.shift();
    return true;
  }
}

/** "The list has changed" twice says no more than once. */
function isSame(a: Message, b: Message): boolean {
  if (!("method" in a) || !("method" in b) || a.method !== b.method) return false;
  return a.method !== Notice.message && JSON.stringify(a.params) === JSON.stringify(b.params);
}
