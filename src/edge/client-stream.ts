// Text on its way to one HTTP client, which takes it as fast as it reads. What waits is counted, and can be dropped.

import type { Holding, MemoryBudget } from "../memory-budget.ts";

/** So much is handed to the server at a time: it makes a copy of what it is given. In UTF-16 code units. */
const PIECE_LENGTH = 256 * 1024;

export interface ClientStreamOptions {
  readonly memory: MemoryBudget;
  /** The client that reads the stream, if the wire identifies it. */
  readonly owner?: string | undefined;
  /** Called once if the client leaves, or is cut off, before `close`. */
  readonly onGone?: (() => void) | undefined;
}

export class ClientStream {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #held: Holding;
  readonly #onGone: (() => void) | undefined;
  #controller: ReadableStreamDirectController | undefined;
  #queue: string[] = [];
  #waitingBytes = 0;
  #state: "open" | "closed" | "gone" = "open";
  /** Ends the wait for more to send. */
  #wake: (() => void) | undefined;

  constructor({ memory, owner, onGone }: ClientStreamOptions) {
    this.#held = memory.hold("unread", { owner, giveUp: () => this.cutOff() });
    this.#onGone = onGone;
    // Only a direct stream tells when the client has read, and can drop what it has not.
    this.stream = new ReadableStream<Uint8Array>({
      type: "direct",
      pull: (controller) => this.#send(controller),
      cancel: () => this.#leave(),
    });
  }

  /** What is held of what was written, as the client has not read it. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** False where nobody reads any more. */
  write(text: string): boolean {
    if (this.#state !== "open") return false;
    this.#queue.push(text);
    this.#wait(this.#waitingBytes + Buffer.byteLength(text));
    this.#wake?.();
    return this.#isOpen;
  }

  /** The stream ends when the client has read what was written. */
  close(): void {
    if (this.#state === "open") this.#state = "closed";
    this.#wake?.();
  }

  cutOff(): void {
    this.#leave();
    this.#controller?.close(new Error("the client does not read"));
  }

  get #isOpen(): boolean {
    return this.#state === "open";
  }

  /** Lives as long as the stream. Where that is cut off while it sends, the wait for the client has no end. */
  async #send(controller: ReadableStreamDirectController): Promise<void> {
    this.#controller = controller;
    while (this.#queue.length > 0 || this.#state === "open") {
      if (this.#queue.length === 0) await this.#more();
      else await this.#sendQueue(controller);
    }
    if (this.#state === "gone") throw new Error("the client does not read");
  }

  async #sendQueue(controller: ReadableStreamDirectController): Promise<void> {
    const text = this.#queue.join("");
    this.#queue = [];
    for (let start = 0, end = 0; start < text.length && this.#state !== "gone"; start = end) {
      end = endOfPiece(text, start);
      void controller.write(text.slice(start, end));
      await controller.flush(true);
      // It has read, but what it has read is held as long as the rest.
      this.#held.progressed();
    }
    this.#wait(this.#waitingBytes - Buffer.byteLength(text));
    this.#held.progressed();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #wait(bytes: number): void {
    if (this.#state === "gone") return;
    this.#waitingBytes = bytes;
    if (!this.#held.set(bytes)) this.cutOff();
  }

  #leave(): void {
    if (this.#state === "gone") return;
    const wasOpen = this.#state === "open";
    this.#waitingBytes = 0;
    this.#state = "gone";
    this.#held[Symbol.dispose]();
    this.#queue = [];
    this.#wake?.();
    if (wasOpen) this.#onGone?.();
  }
}

/** Never between the two halves of one character. */
function endOfPiece(text: string, start: number): number {
  const end = start + PIECE_LENGTH;
  const isHigh = end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return isHigh ? end - 1 : Math.min(end, text.length);
}
