// The HTTP answer to one POST, as a bridge builds it: JSON where the answer comes first, an event stream otherwise.

export type Message = Readonly<Record<string, unknown>>;

export class BridgeReply {
  readonly #response = Promise.withResolvers<Response>();
  readonly #onAbandon: () => void;
  readonly #headers: Readonly<Record<string, string>>;
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isOver = false;

  constructor(onAbandon: () => void, headers: Readonly<Record<string, string>> = {}) {
    this.#onAbandon = onAbandon;
    this.#headers = headers;
  }

  get response(): Promise<Response> {
    return this.#response.promise;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** A message before the answer. */
  send(message: Message): void {
    if (this.#isOver) return;
    this.#stream ??= this.#openStream();
    this.#stream.enqueue(new TextEncoder().encode(`event: message\ndata: ${JSON.stringify(message)}\n\n`));
  }

  /** The answer itself. The status counts only where nothing went before. */
  finish(message: Message, status: number): void {
    if (this.#isOver) return;
    if (this.#stream === undefined) {
      this.#response.resolve(Response.json(message, { status, headers: this.#headers }));
    } else {
      this.send(message);
      this.#stream.close();
    }
    this.#isOver = true;
  }

  /** A stream that opens at once and has no answer: the GET of a session. */
  open(): void {
    this.#stream ??= this.#openStream();
  }

  #openStream(): ReadableStreamDefaultController<Uint8Array> {
    const ready: { controller?: ReadableStreamDefaultController<Uint8Array> } = {};
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        ready.controller = controller;
      },
      cancel: () => {
        this.#isOver = true;
        this.#onAbandon();
      },
    });
    const headers = { ...this.#headers, "Content-Type": "text/event-stream", "Cache-Control": "no-cache" };
    this.#response.resolve(new Response(body, { headers }));
    if (ready.controller === undefined) throw new Error("A stream starts at once.");
    return ready.controller;
  }
}
