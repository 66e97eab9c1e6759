// The HTTP answer to one POST: plain JSON, unless something has to be said before the answer.

import type { Outcome } from "../protocol/call.ts";
import { formatEvent } from "../protocol/event-stream.ts";
import { errorResponse, type Id, type Message, resultResponse, writeMessage } from "../protocol/jsonrpc.ts";
import { ClientStream } from "./client-stream.ts";
import { EventSink, type Heartbeat, STREAM_HEADERS } from "./event-sink.ts";
import type { Outlet } from "./outlet.ts";

export interface HttpReplyOptions {
  readonly id: Id;
  readonly heartbeat: Heartbeat;
  /** False where the client did not list `text/event-stream`: then there is no way to speak before the answer. */
  readonly canStream: boolean;
  /** HTTP status of an answer that is not streamed; 200 unless told. */
  readonly statusOf?: (outcome: Outcome) => number;
  /** The client closed the stream before it was answered. */
  readonly onGone?: () => void;
}

const JSON_HEADERS: Readonly<Record<string, string>> = { "content-type": "application/json" };

export class HttpReply implements Outlet {
  readonly response: Promise<Response>;
  readonly #options: HttpReplyOptions;
  readonly #respond: (response: Response) => void;
  #sink: EventSink | undefined;
  #isFinished = false;

  constructor(options: HttpReplyOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<Response>();
    this.response = promise;
    this.#respond = resolve;
  }

  send(message: Message): boolean {
    if (this.#isFinished || !this.#options.canStream) return false;
    return this.#openSink().write(formatEvent({ event: "message", data: writeMessage(message) }));
  }

  finish(outcome: Outcome): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    const json = responseText(this.#options.id, outcome);
    if (this.#sink !== undefined) {
      this.#sink.write(formatEvent({ event: "message", data: json }));
      this.#sink.close();
      return;
    }
    const status = this.#options.statusOf?.(outcome) ?? 200;
    const body = plainBody(json, this.#options.heartbeat);
    this.#respond(new Response(body, { status, headers: JSON_HEADERS }));
  }

  /** HTTP has to answer something where no stream is open; an open one just ends. */
  drop(outcome: Outcome): void {
    if (this.#sink === undefined) return this.finish(outcome);
    this.#isFinished = true;
    this.#sink.close();
  }

  #openSink(): EventSink {
    if (this.#sink !== undefined) return this.#sink;
    const sink = new EventSink(this.#options.heartbeat, this.#options.onGone);
    this.#sink = sink;
    this.#respond(new Response(sink.stream, { headers: STREAM_HEADERS }));
    return sink;
  }
}

/** From this length on an answer may have to wait for its client in our memory; of a shorter one the system takes all. */
const LARGE = 64 * 1024;

/** The body of an answer that is not streamed. */
export function plainBody(
  json: string,
  { wrote, memory }: Heartbeat,
  owner?: string,
): string | ReadableStream {
  wrote(Buffer.byteLength(json));
  if (json.length < LARGE) return json;
  const out = new ClientStream({ memory, owner });
  out.write(json);
  out.close();
  return out.stream;
}

/** The JSON of a response. */
export function responseText(id: Id, outcome: Outcome): string {
  return writeMessage(
    "error" in outcome ? errorResponse(id, outcome.error) : resultResponse(id, outcome.result),
  );
}
