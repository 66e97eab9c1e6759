// The event streams that answer the POSTs of one legacy session, and what can be resumed of them.

import { errorResponse, type Id, writeMessage } from "../protocol/jsonrpc.ts";
import { EventLog, type EventPosition, requestOf } from "./event-log.ts";
import { EventSink, type Heartbeat } from "./event-sink.ts";

/** JSON-RPC code of an answer that nobody can give any more. */
const LOST = -32000;

export class SessionStreams implements Disposable {
  readonly log: EventLog;
  readonly #session: string;
  readonly #heartbeat: Heartbeat;
  readonly #isPrimed: boolean;
  /** Streams whose answer is still to come, and where they write now. */
  readonly #running = new Map<string, EventSink | undefined>();

  /** `isPrimed`: a stream begins with an event that has an id and no data. */
  constructor(session: string, heartbeat: Heartbeat, isPrimed: boolean) {
    this.log = new EventLog(heartbeat.memory, session);
    this.#session = session;
    this.#heartbeat = heartbeat;
    this.#isPrimed = isPrimed;
  }

  /** The stream that the answer to this request comes on. */
  open(request: Id): { readonly name: string; readonly sink: EventSink } {
    const name = this.log.openStream(request);
    const sink = this.#sinkOf(name);
    if (this.#isPrimed) sink.write(this.log.append(name, ""));
    return { name, sink };
  }

  write(stream: string, json: string): void {
    const text = this.log.append(stream, json);
    if (!this.#running.get(stream)?.write(text)) this.#running.set(stream, undefined);
  }

  close(stream: string): void {
    this.#running.get(stream)?.close();
    this.#running.delete(stream);
  }

  /** What was missed of a stream, and what is still to come of it. */
  resume(position: EventPosition): EventSink | undefined {
    if (!this.log.holds(position)) return this.#tellLoss(position.stream);
    const missed = this.log.after(position);
    if (this.#running.has(position.stream)) {
      this.#running.get(position.stream)?.close();
      const sink = this.#sinkOf(position.stream);
      sink.write(missed === "" ? ": nothing missed\n\n" : missed);
      return sink;
    }
    if (missed !== "") return this.#sinkWith(missed);
    return this.log.hasDropped(position) ? this.#tellLoss(position.stream) : undefined;
  }

  [Symbol.dispose](): void {
    for (const sink of this.#running.values()) sink?.close();
    this.log[Symbol.dispose]();
  }

  /** A client that leaves has not cancelled: the stream goes on in the log, and can be resumed. */
  #sinkOf(stream: string): EventSink {
    const onGone = () => {
      if (this.#running.get(stream) === sink) this.#running.set(stream, undefined);
    };
    const sink: EventSink = new EventSink(this.#heartbeat, onGone, this.#session);
    this.#running.set(stream, sink);
    return sink;
  }

  /** The answer is lost: with the process that ran the call, or because it was dropped to free memory. */
  #tellLoss(stream: string): EventSink | undefined {
    const id = requestOf(stream);
    if (id === undefined) return undefined;
    const message =
      "The answer to this call is lost: the gateway was restarted, or dropped it to free memory. The work may have been done.";
    const json = writeMessage(errorResponse(id, { code: LOST, message }));
    return this.#sinkWith(this.log.append(this.log.openStream(id), json));
  }

  #sinkWith(text: string): EventSink {
    const sink = new EventSink(this.#heartbeat, undefined, this.#session);
    sink.write(text);
    sink.close();
    return sink;
  }
}
