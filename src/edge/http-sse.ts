// The deprecated HTTP+SSE wire of 2024-11-05, for clients that know nothing else: one stream down, POSTs up.

import { randomName } from "../digest.ts";
import type { Log } from "../log.ts";
import { formatEvent } from "../protocol/event-stream.ts";
import type { Target } from "../target/target.ts";
import type { Bodies, Timed } from "./body.ts";
import { Channel } from "./channel.ts";
import { EventSink, type Heartbeat, STREAM_HEADERS } from "./event-sink.ts";
import { accepted, failure } from "./legacy.ts";
import type { ModernEdge } from "./modern.ts";

export interface SseEdgeOptions {
  readonly modern: ModernEdge;
  readonly heartbeat: Heartbeat;
  readonly bodies: Bodies;
  readonly log: Log;
}

/** A client that opens a stream. */
export interface Opening {
  readonly target: Target;
  readonly principal: string;
  readonly address: string;
  /** The path before the gateway's routes, as the client sees it. */
  readonly prefix: string;
}

interface OpenChannel {
  readonly channel: Channel;
  readonly principal: string;
  readonly address: string;
  readonly sink: EventSink;
  /** True once the client has sent something on it. */
  isUsed: boolean;
}

export const MAX_CHANNELS = 1_000;
/** The limit for one address: before its first message, a client can only be identified by its address. */
export const MAX_PER_ADDRESS = 250;

export class SseEdge implements Disposable {
  readonly #options: SseEdgeOptions;
  readonly #channels = new Map<string, OpenChannel>();

  constructor(options: SseEdgeOptions) {
    this.#options = options;
  }

  /** Opens the stream; its first event says where to POST. */
  open({ target, principal, address, prefix }: Opening): Response {
    if (!this.#makeRoom(address)) {
      return failure(429, { code: -32000, message: "Too many HTTP+SSE streams are open; close one first." });
    }
    const id = randomName(18);
    const sink = new EventSink(this.#options.heartbeat, () => this.#end(id), id);
    const { modern, log } = this.#options;
    const send = (json: string) => void sink.write(formatEvent({ event: "message", data: json }));
    const channel = new Channel({ id, target, principal, modern, log, send });
    this.#channels.set(id, { principal, address, sink, channel, isUsed: false });
    sink.write(formatEvent({ event: "endpoint", data: `${prefix}/message?sessionId=${id}` }));
    return new Response(sink.stream, { headers: STREAM_HEADERS });
  }

  /** True if another channel may be opened. If necessary, closes the oldest channel that was never used. */
  #makeRoom(address: string): boolean {
    const own = [...this.#channels].filter(([, open]) => open.address === address);
    const isOverShare = own.length >= MAX_PER_ADDRESS;
    if (!isOverShare && this.#channels.size < MAX_CHANNELS) return true;
    const unused = (isOverShare ? own : [...this.#channels]).find(([, { isUsed }]) => !isUsed);
    if (unused === undefined) return false;
    const [id, { sink }] = unused;
    sink.close();
    this.#end(id);
    return true;
  }

  /** Takes one message; the answer goes down the stream (2024-11-05, basic/transports, "HTTP with SSE"). */
  post(request: Request, principal: string, server: Timed): Response | Promise<Response> {
    // No URL where the Host has a port that is none.
    const id = URL.parse(request.url)?.searchParams.get("sessionId") ?? "";
    const open = this.#channels.get(id);
    if (open?.principal !== principal) {
      return failure(404, { code: -32001, message: "Session not found; open a new stream with GET /sse." });
    }
    return this.#options.bodies.read(request, server, (text) => {
      open.isUsed = true;
      open.channel.receiveText(text);
      return accepted();
    });
  }

  [Symbol.dispose](): void {
    for (const id of [...this.#channels.keys()]) this.#end(id);
  }

  #end(id: string): void {
    this.#channels.get(id)?.channel[Symbol.dispose]();
    this.#channels.delete(id);
  }
}
