// The stdio face: one client, lines in and lines out. stdout carries messages and nothing else.

import type { Log } from "../log.ts";
import type { MemoryBudget } from "../memory-budget.ts";
import type { Target } from "../target/target.ts";
import { LineReader } from "../transport/line-reader.ts";
import { within } from "../transport/process-group.ts";
import { Channel } from "./channel.ts";
import { LineWriter, type Pipe } from "./line-writer.ts";
import type { ModernEdge } from "./modern.ts";

export interface StdioEdgeOptions {
  readonly target: Target;
  readonly modern: ModernEdge;
  readonly log: Log;
  readonly memory: MemoryBudget;
}

/** A longer line is refused, and the next one is read. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** A client that closes its end may still read the answers to what it has asked. */
const LAST_ANSWERS_MS = 10_000;
/** The same after the gateway was told to stop. */
const LAST_WORDS_MS = 1_000;

export class StdioEdge {
  readonly #options: StdioEdgeOptions;
  readonly #stopped = new AbortController();

  constructor(options: StdioEdgeOptions) {
    this.#options = options;
  }

  /** Serves until the client closes an end of the pipes, or `stop`. */
  async run(input: ReadableStream<Uint8Array>, output: Pipe): Promise<void> {
    const { log, memory } = this.#options;
    const writer = new LineWriter(output, memory, () => {
      log.info("the client has closed its end or does not read; the gateway ends");
      this.stop();
    });
    const send = (json: string) => writer.write(json);
    using channel = new Channel({ ...this.#options, id: "stdio", principal: "local", send });
    const reader = input.getReader();
    const stopped = new Promise<void>((resolve) => {
      this.#stopped.signal.addEventListener("abort", () => {
        void reader.cancel();
        resolve();
      });
    });
    const lines = new LineReader(MAX_LINE_BYTES, {
      onLine: (line) => receiveLine(channel, line),
      onOversized: () => channel.refuse(`The message is larger than ${MAX_LINE_BYTES / 1024 / 1024} MiB.`),
    });
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      lines.push(chunk.value);
      // While a client reads no answers, no further input is read from it.
      const ready = writer.whenReady();
      if (ready !== undefined) await Promise.race([ready, stopped]);
    }
    if (!this.#stopped.signal.aborted) lines.end();
    await channel.whenAnswered(this.#stopped.signal.aborted ? LAST_WORDS_MS : LAST_ANSWERS_MS);
    await within(this.#stopped.signal.aborted ? LAST_WORDS_MS : LAST_ANSWERS_MS, writer.whenRead());
  }

  stop(): void {
    this.#stopped.abort();
  }
}

function receiveLine(channel: Channel, line: string): void {
  if (line.trim() !== "") channel.receiveText(line);
}
