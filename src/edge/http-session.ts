// A legacy session over Streamable HTTP: its GET stream, the streams of its POSTs, and what can be resumed of them.

import type { Log } from "../log.ts";
import type { Outcome } from "../protocol/call.ts";
import { KEEP_ALIVE } from "../protocol/event-stream.ts";
import { errorResponse, type Message, type Request } from "../protocol/jsonrpc.ts";
import { Notice } from "../protocol/mcp.ts";
import type { Target } from "../target/target.ts";
import { EventLog, type EventPosition, readEventId, requestOf, UNASKED_STREAM } from "./event-log.ts";
import { EventSink, type Heartbeat, STREAM_HEADERS } from "./event-sink.ts";
import { HttpReply, responseText } from "./http-reply.ts";
import { LegacySession, type SessionFacts } from "./legacy-session.ts";
import type { Outlet } from "./outlet.ts";

/** Since this revision a client expects a first event with an id and no data; older ones choke on it. */
const PRIMED_SINCE = "2025-11-25";
/** Before a client opens its GET stream, this many unasked messages are kept for it. */
const MAX_UNSENT = 100;
/** JSON-RPC code of an answer that nobody can give any more. */
const LOST = -32000;

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
  readonly #running = new Map<string, EventSink | undefined>();
  readonly #unsent: Message[] = [];
  /** Who reads the stream for what is unasked. */
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
    let stream: string | undefined;
    let isOver = false;
    const reply = new HttpReply({
      id: message.id,
      heartbeat,
      canStream,
      headers,
    });
    const outlet: Outlet = {
      send: (out) => {
        if (!canStream || isOver) return false;
        if (stream === undefined) {
          stream = this.#events.openStream(message.id);
          const sink = this.#openStream(stream);
          reply.respondWith(new Response(sink.stream, { headers: { ...STREAM_HEADERS, ...headers } }));
        }
        this.#write(stream, JSON.stringify(out));
        return true;
      },
      finish: (outcome) => {
        isOver = true;
        if (stream === undefined) reply.finish(outcome);
        else this.#finish(stream, message, outcome);
      },
      drop: (outcome) => {
        isOver = true;
        if (stream === undefined) reply.drop(outcome);
        else this.#close(stream);
      },
    };
    void this.session.receive(message, outlet);
    return reply.response;
  }

  /**
   * The stream for what is unasked (a second one takes the place of the first), or the rest of a stream that broke.
   * Undefined where there is no rest.
   */
  get(lastEventId: string | null): Response | undefined {
    const position = lastEventId === null ? undefined : readEventId(lastEventId);
    const isForRequest = position !== undefined && position.stream !== UNASKED_STREAM;
    const sink = isForRequest ? this.#resume(position) : this.#listen(position);
    if (sink === undefined) return undefined;
    return new Response(sink.stream, { headers: { ...STREAM_HEADERS, "mcp-session-id": this.id } });
  }

  [Symbol.dispose](): void {
    this.session[Symbol.dispose]();
    this.#unaskedSink?.close();
    for (const sink of this.#running.values()) sink?.close();
  }

  get #isPrimed(): boolean {
    return this.session.facts.revision >= PRIMED_SINCE;
  }

  #listen(position: EventPosition | undefined): EventSink {
    this.session.listen();
    this.#unaskedSink?.close();
    const sink = new EventSink(this.#options.heartbeat, () => {
      if (this.#unaskedSink === sink) this.#unaskedSink = undefined;
    });
    this.#unaskedSink = sink;
    const missed = position === undefined ? "" : this.#events.after(position);
    if (missed !== "") sink.write(missed);
    else if (this.#isPrimed) sink.write(this.#events.append(UNASKED_STREAM, ""));
    // Without a byte of body the head would wait as well, and with it the client.
    else sink.write(KEEP_ALIVE);
    for (const message of this.#unsent.splice(0)) this.#push(message);
    return sink;
  }

  #openStream(stream: string): EventSink {
    const sink = this.#sinkOf(stream);
    if (this.#isPrimed) sink.write(this.#events.append(stream, ""));
    return sink;
  }

  /** A client that leaves has not cancelled: the stream goes on in the log, and can be resumed. */
  #sinkOf(stream: string): EventSink {
    const sink = new EventSink(this.#options.heartbeat, () => {
      if (this.#running.get(stream) === sink) this.#running.set(stream, undefined);
    });
    this.#running.set(stream, sink);
    return sink;
  }

  /** What was missed of a stream, and what is still to come of it. */
  #resume(position: EventPosition): EventSink | undefined {
    if (!this.#events.holds(position)) return this.#tellLoss(position.stream);
    const missed = this.#events.after(position);
    if (this.#running.has(position.stream)) {
      this.#running.get(position.stream)?.close();
      const sink = this.#sinkOf(position.stream);
      sink.write(missed === "" ? ": nothing missed\n\n" : missed);
      return sink;
    }
    return missed === "" ? undefined : this.#sinkWith(missed);
  }

  /** The call ended with the process that ran it: better an error than a client that waits for good. */
  #tellLoss(stream: string): EventSink | undefined {
    const id = requestOf(stream);
    if (id === undefined) return undefined;
    const message =
      "The gateway's process that ran this call is gone, and the answer with it; part of the work may have been done.";
    const json = JSON.stringify(errorResponse(id, { code: LOST, message }));
    return this.#sinkWith(this.#events.append(this.#events.openStream(id), json));
  }

  #sinkWith(text: string): EventSink {
    const sink = new EventSink(this.#options.heartbeat);
    sink.write(text);
    sink.close();
    return sink;
  }

  #write(stream: string, json: string): void {
    const text = this.#events.append(stream, json);
    const sink = this.#running.get(stream);
    if (!sink?.write(text)) this.#running.set(stream, undefined);
  }

  #finish(stream: string, message: Request, outcome: Outcome): void {
    this.#write(stream, responseText(message.id, outcome));
    this.#close(stream);
  }

  #close(stream: string): void {
    this.#running.get(stream)?.close();
    this.#running.delete(stream);
  }

  #push(message: Message): boolean {
    if (this.#unaskedSink !== undefined) {
      return this.#unaskedSink.write(this.#events.append(UNASKED_STREAM, JSON.stringify(message)));
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
