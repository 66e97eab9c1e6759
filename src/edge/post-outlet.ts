// Where one POST of a legacy session is answered: plain JSON, unless something has to be said before the answer.

import type { Outcome } from "../protocol/call.ts";
import { type Message, type Request, writeMessage } from "../protocol/jsonrpc.ts";
import { type Heartbeat, STREAM_HEADERS } from "./event-sink.ts";
import { plainBody, responseText } from "./http-reply.ts";
import type { Outlet } from "./outlet.ts";
import type { SessionStreams } from "./session-streams.ts";

/** What is the same for all POSTs of one session. */
export interface PostSession {
  readonly id: string;
  /** Of a plain answer. */
  readonly headers: Headers;
  readonly streams: SessionStreams;
  readonly heartbeat: Heartbeat;
}

export class PostOutlet implements Outlet {
  /** Resolves as soon as the response has a head. */
  readonly response: Promise<Response>;
  readonly #session: PostSession;
  readonly #request: Request;
  readonly #canStream: boolean;
  readonly #respond: (response: Response) => void;
  #stream: string | undefined;
  #isOver = false;

  constructor(session: PostSession, request: Request, canStream: boolean) {
    const { promise, resolve } = Promise.withResolvers<Response>();
    this.response = promise;
    this.#session = session;
    this.#request = request;
    this.#canStream = canStream;
    this.#respond = resolve;
  }

  send(message: Message): boolean {
    if (!this.#canStream || this.#isOver) return false;
    const { id, streams } = this.#session;
    if (this.#stream === undefined) {
      const { name, sink } = streams.open(this.#request.id);
      this.#stream = name;
      this.#respond(new Response(sink.stream, { headers: { ...STREAM_HEADERS, "mcp-session-id": id } }));
    }
    streams.write(this.#stream, writeMessage(message));
    return true;
  }

  finish(outcome: Outcome): void {
    this.#isOver = true;
    const { id, headers, streams, heartbeat } = this.#session;
    const json = responseText(this.#request.id, outcome);
    if (this.#stream === undefined) {
      this.#respond(new Response(plainBody(json, heartbeat, id), { headers }));
    } else {
      streams.write(this.#stream, json);
      streams.close(this.#stream);
    }
  }

  /** HTTP has to answer something where no stream is open; an open one just ends. */
  drop(outcome: Outcome): void {
    if (this.#stream === undefined) return this.finish(outcome);
    this.#isOver = true;
    this.#session.streams.close(this.#stream);
  }
}
