// Bytes to the gateway's port, and the replies to them. Knows HTTP/1.1 and nothing of what it carries.

import { connect, type Socket } from "node:net";
import { type Reply, readReply } from "./reply.ts";

export interface Sending {
  readonly pieces: readonly Uint8Array[];
  /** Between the pieces; 0: all in one go. */
  readonly pauseMs: number;
  /** Of each request that is in the bytes, whether its reply has no body (HEAD). */
  readonly isHead: readonly boolean[];
  /** Leaves when this has been sent, or when so many bytes have come; undefined waits for the replies. */
  readonly leavesAfter: "sending" | number | undefined;
  /** The request is not whole, so there may be no reply: not longer than this. */
  readonly patienceMs: number;
  /** False where what is sent may not end where a request ends. */
  readonly isReusable: boolean;
  /** True for a reply that has no end of its own: enough of it has come. */
  readonly isEnough: (reply: Reply) => boolean;
}

export interface Received {
  readonly replies: readonly Reply[];
  readonly raw: Buffer;
  /** `late`: neither reply nor end within the patience. */
  readonly ending: "replied" | "closed" | "left" | "late";
}

export class RawClient {
  readonly #port: number;
  readonly #host: string;
  #socket: Socket | undefined;

  constructor(port: number, host = "127.0.0.1") {
    this.#port = port;
    this.#host = host;
  }

  /** Rejects where what came back is no HTTP. */
  async exchange(sending: Sending): Promise<Received> {
    const kept = this.#socket;
    this.#socket = undefined;
    const socket = kept === undefined || kept.destroyed ? await open(this.#port, this.#host) : kept;
    const received = await new Exchange(socket, sending).run();
    // It may have been closed while it was idle; every client of HTTP tries once more then.
    if (socket === kept && received.ending === "closed" && received.raw.length === 0)
      return this.exchange(sending);
    const isReusable =
      sending.isReusable &&
      received.ending === "replied" &&
      received.replies.every(({ isWhole, headers }) => isWhole && headers.get("connection") !== "close");
    if (isReusable && !socket.destroyed) this.#socket = socket;
    else socket.destroy();
    return received;
  }

  close(): void {
    this.#socket?.destroy();
  }
}

function open(port: number, host: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket));
    socket.once("error", reject);
  });
}

class Exchange {
  readonly #socket: Socket;
  readonly #sending: Sending;
  readonly #done = Promise.withResolvers<Received["ending"]>();
  readonly #replies: Reply[] = [];
  #bytes = Buffer.alloc(0);
  #raw = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #isQueued = false;

  constructor(socket: Socket, sending: Sending) {
    this.#socket = socket;
    this.#sending = sending;
  }

  async run(): Promise<Received> {
    const socket = this.#socket;
    const onData = (data: Buffer) => this.#take(data);
    const onClose = () => this.#close();
    socket.removeAllListeners("error");
    socket.on("data", onData).on("close", onClose).on("end", onClose).on("error", onClose);
    const timer = setTimeout(() => this.#done.resolve("late"), this.#sending.patienceMs);
    try {
      void this.#send();
      const ending = await this.#done.promise;
      this.#look(ending === "closed");
      const unread = this.#bytes.length > 0 ? readReply(this.#bytes, false, false) : undefined;
      const replies = unread === undefined ? this.#replies : [...this.#replies, unread];
      return { replies, raw: this.#raw, ending };
    } finally {
      clearTimeout(timer);
      socket.off("data", onData).off("close", onClose).off("end", onClose);
    }
  }

  async #send(): Promise<void> {
    const { pieces, pauseMs, leavesAfter } = this.#sending;
    for (const piece of pieces) {
      if (this.#socket.destroyed || piece.length === 0) continue;
      this.#socket.write(piece);
      if (pauseMs > 0) await Bun.sleep(pauseMs);
    }
    if (leavesAfter !== "sending") return;
    // The bytes shall be on their way before the end is.
    await Bun.sleep(1);
    this.#done.resolve("left");
  }

  /** What comes in one turn is looked at once. */
  #take(data: Buffer): void {
    this.#chunks.push(data);
    if (this.#isQueued) return;
    this.#isQueued = true;
    setImmediate(() => {
      try {
        this.#look(false);
      } catch (thrown) {
        this.#done.reject(thrown);
      }
    });
  }

  #look(isClosed: boolean): void {
    this.#isQueued = false;
    const { isHead, leavesAfter, isEnough } = this.#sending;
    this.#bytes = Buffer.concat([this.#bytes, ...this.#chunks]);
    this.#raw = Buffer.concat([this.#raw, ...this.#chunks]);
    this.#chunks = [];
    if (typeof leavesAfter === "number" && this.#raw.length >= leavesAfter) this.#done.resolve("left");
    while (this.#bytes.length > 0) {
      const reply = readReply(this.#bytes, isHead[this.#replies.length] ?? false, isClosed);
      if (reply === undefined) return;
      if (!reply.isWhole) {
        if (isEnough(reply)) this.#done.resolve("left");
        return;
      }
      this.#replies.push(reply);
      this.#bytes = this.#bytes.subarray(reply.length);
      if (this.#replies.length >= isHead.length) this.#done.resolve("replied");
    }
  }

  #close(): void {
    this.#done.resolve("closed");
  }
}
