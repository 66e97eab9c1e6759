// A legacy session over Streamable HTTP: its POSTs, and its GET stream for what belongs to none of them.

import type { Log } from "../log.ts";
import type { Holding, MemoryBudget } from "../memory-budget.ts";
import type { Outcome } from "../protocol/call.ts";
import { KEEP_ALIVE } from "../protocol/event-stream.ts";
import { type Id, type Message, type Request, writeMessage } from "../protocol/jsonrpc.ts";
import { Notice } from "../protocol/mcp.ts";
import type { Target } from "../target/target.ts";
import { type EventPosition, readEventId, UNASKED_STREAM } from "./event-log.ts";
import { EventSink, type Heartbeat, STREAM_HEADERS } from "./event-sink.ts";
import { plainBody, responseText } from "./http-reply.ts";
import { LegacySession, type SessionFacts } from "./legacy-session.ts";
import { PostOutlet } from "./post-outlet.ts";
import { SessionStreams } from "./session-streams.ts";

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
  readonly streams: SessionStreams;
  readonly #options: HttpSessionOptions;
  readonly #unsent: UnsentMessages;
  /** Who reads the stream for what is unasked. */
  #unaskedSink: EventSink | undefined;
  #headers: Headers | undefined;
  lastUsedMs = Date.now();

  constructor(options: HttpSessionOptions) {
    this.#options = options;
    this.session = new LegacySession({ ...options, push: (message) => this.#push(message) });
    this.#unsent = new UnsentMessages(options.heartbeat.memory, options.id);
    this.streams = new SessionStreams(options.id, options.heartbeat, this.#isPrimed);
  }

  get id(): string {
    return this.session.id;
  }

  get headers(): Headers {
    this.#headers ??= new Headers({ "content-type": "application/json", "mcp-session-id": this.id });
    return this.#headers;
  }

  get heartbeat(): Heartbeat {
    return this.#options.heartbeat;
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

  /** A response to a POST whose outcome is known. */
  answer(request: Id, outcome: Outcome): Response {
    const body = plainBody(responseText(request, outcome), this.heartbeat, this.id);
    return new Response(body, { headers: this.headers });
  }

  /** Answers one request of a POST; resolves with its response as soon as that has a head. */
  post(message: Request, canStream: boolean): Promise<Response> {
    const outlet = new PostOutlet(this, message, canStream);
    this.session.receive(message, outlet);
    return outlet.response;
  }

  /**
   * The stream for what is unasked (a second one takes the place of the first), or the rest of a stream that broke.
   * Undefined where there is no rest.
   */
  get(lastEventId: string | null): Response | undefined {
    const position = lastEventId === null ? undefined : readEventId(lastEventId);
    const isForRequest = position !== undefined && position.stream !== UNASKED_STREAM;
    const sink = isForRequest ? this.streams.resume(position) : this.#listen(position);
    if (sink === undefined) return undefined;
    return new Response(sink.stream, { headers: { ...STREAM_HEADERS, "mcp-session-id": this.id } });
  }

  [Symbol.dispose](): void {
    this.session[Symbol.dispose]();
    this.#unaskedSink?.close();
    this.streams[Symbol.dispose]();
    this.#unsent.takeAll();
  }

  get #isPrimed(): boolean {
    return this.session.facts.revision >= PRIMED_SINCE;
  }

  #listen(position: EventPosition | undefined): EventSink {
    this.session.listen();
    this.#unaskedSink?.close();
    const onGone = () => {
      if (this.#unaskedSink === sink) this.#unaskedSink = undefined;
    };
    const sink: EventSink = new EventSink(this.heartbeat, onGone, this.id);
    this.#unaskedSink = sink;
    const { log } = this.streams;
    const missed = position === undefined ? "" : log.after(position);
    if (missed !== "") sink.write(missed);
    else if (this.#isPrimed) sink.write(log.append(UNASKED_STREAM, ""));
    // Without a byte of body the head would wait as well, and with it the client.
    else sink.write(KEEP_ALIVE);
    for (const text of this.#unsent.takeAll()) sink.write(log.append(UNASKED_STREAM, text));
    return sink;
  }

  #push(message: Message): boolean {
    const text = writeMessage(message);
    if (this.#unaskedSink !== undefined) {
      return this.#unaskedSink.write(this.streams.log.append(UNASKED_STREAM, text));
    }
    if ("id" in message) return false;
    this.#unsent.add(text, isSaidOnce(message));
    return true;
  }
}

/** Messages that are sent as soon as the client listens; the oldest are dropped first. */
class UnsentMessages {
  readonly #texts = new Map<string | number, string>();
  readonly #held: Holding;
  #added = 0;

  constructor(memory: MemoryBudget, owner: string) {
    this.#held = memory.hold("replay", { owner, giveUp: () => this.takeAll() });
  }

  /** `isOnce`: do not keep the same text twice. */
  add(text: string, isOnce: boolean): void {
    const key = isOnce ? text : this.#added;
    if (this.#texts.has(key)) return;
    this.#added += 1;
    this.#texts.set(key, text);
    let bytes = this.#held.bytes + Buffer.byteLength(text);
    const [oldest] = this.#texts;
    if (this.#texts.size > MAX_UNSENT && oldest !== undefined) {
      this.#texts.delete(oldest[0]);
      bytes -= Buffer.byteLength(oldest[1]);
    }
    if (!this.#held.set(bytes)) this.takeAll();
  }

  takeAll(): string[] {
    const texts = [...this.#texts.values()];
    this.#texts.clear();
    this.#held[Symbol.dispose]();
    return texts;
  }
}

/** "The list has changed" twice says no more than once. */
function isSaidOnce(message: Message): boolean {
  return "method" in message && message.method !== Notice.message;
}
