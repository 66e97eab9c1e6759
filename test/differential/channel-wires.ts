// The wires with one channel for everything: a program's pipes, and HTTP+SSE of 2024-11-05.

import { EventStreamParser } from "../../src/protocol/event-stream.ts";
import type { Json } from "../../src/protocol/jsonrpc.ts";
import { type Program, StdioChild } from "../conformance/stdio-child.ts";
import { type AskOptions, type Head, Hearing, type Wire } from "./wire.ts";

const ANSWER_MS = 15_000;

abstract class ChannelWire implements Wire {
  readonly #hearing = new Hearing();

  get unasked(): Json[] {
    return this.#hearing.unasked;
  }

  async ask(message: Json, hear: (message: Json) => void, { signal }: AskOptions = {}): Promise<Head> {
    const heard: Json[] = [];
    const keep = (one: Json) => {
      heard.push(one);
      hear(one);
    };
    const answered = this.#hearing.until(message.id, keep, signal);
    const late = Promise.withResolvers<never>();
    const words = () => `no answer to ${JSON.stringify(message)}, only ${JSON.stringify(heard)}`;
    const timer = setTimeout(() => late.reject(new Error(words())), ANSWER_MS);
    try {
      await this.write(message);
      await Promise.race([answered, late.promise]);
      return {};
    } finally {
      clearTimeout(timer);
    }
  }

  async tell(message: Json): Promise<Head> {
    await this.write(message);
    return {};
  }

  protected receive(message: Json): void {
    this.#hearing.receive(message);
  }

  protected abstract write(message: Json): Promise<void>;
  abstract [Symbol.asyncDispose](): Promise<void>;
}

export class StdioWire extends ChannelWire {
  readonly #child: StdioChild;

  constructor(program: Program) {
    super();
    this.#child = new StdioChild(program, (message) => this.receive(message));
  }

  protected override async write(message: Json): Promise<void> {
    this.#child.write(message);
  }

  override [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }
}

export class SseWire extends ChannelWire {
  readonly #closed = new AbortController();
  readonly #endpoint = Promise.withResolvers<string>();

  static async open(url: string): Promise<SseWire> {
    const wire = new SseWire();
    const { signal } = wire.#closed;
    const response = await fetch(url, { headers: { accept: "text/event-stream" }, signal });
    void wire.#read(response, url).catch((thrown: unknown) => {
      if (!signal.aborted) throw thrown;
    });
    await wire.#endpoint.promise;
    return wire;
  }

  async #read(response: Response, url: string): Promise<void> {
    const parser = new EventStreamParser();
    for await (const bytes of response.body ?? []) {
      for (const { event, data } of parser.push(bytes)) {
        if (event === "endpoint") this.#endpoint.resolve(new URL(data, url).href);
        else this.receive(JSON.parse(data));
      }
    }
  }

  protected override async write(message: Json): Promise<void> {
    const response = await fetch(await this.#endpoint.promise, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(message),
    });
    await response.text();
    if (response.status !== 202) throw new Error(`a message was refused with ${response.status}`);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
  }
}
