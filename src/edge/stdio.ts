// The stdio face: one client, lines in and lines out. stdout carries messages and nothing else.

import type { Log } from "../log.ts";
import type { Target } from "../target/target.ts";
import { Channel } from "./channel.ts";
import type { ModernEdge } from "./modern.ts";

export interface StdioEdgeOptions {
  readonly target: Target;
  readonly modern: ModernEdge;
  readonly log: Log;
}

const MAX_LINE_LENGTH = 64 * 1024 * 1024;
/** A client that closes its end may still read the answers to what it has asked. */
const LAST_ANSWERS_MS = 10_000;

export class StdioEdge {
  readonly #options: StdioEdgeOptions;
  readonly #stopped = new AbortController();

  constructor(options: StdioEdgeOptions) {
    this.#options = options;
  }

  /** Serves until the client closes its end, or `stop`. */
  async run(input: ReadableStream<Uint8Array>, write: (text: string) => void): Promise<void> {
    const send = (json: string) => write(`${json}\n`);
    using channel = new Channel({ ...this.#options, id: "stdio", principal: "local", send });
    const reader = input.getReader();
    this.#stopped.signal.addEventListener("abort", () => void reader.cancel(), { once: true });
    const decoder = new TextDecoder();
    // Pieces of the line that has not ended yet: joining them on every chunk would be quadratic.
    let held: string[] = [];
    let heldLength = 0;
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      const [first = "", ...others] = decoder.decode(chunk.value, { stream: true }).split("\n");
      held.push(first);
      heldLength += first.length;
      if (heldLength > MAX_LINE_LENGTH) throw new Error("the client sent a line without an end");
      for (const next of others) {
        receiveLine(channel, held.join(""));
        held = [next];
        heldLength = next.length;
      }
    }
    receiveLine(channel, held.join(""));
    if (!this.#stopped.signal.aborted) await channel.whenAnswered(LAST_ANSWERS_MS);
  }

  stop(): void {
    this.#stopped.abort();
  }
}

function receiveLine(channel: Channel, line: string): void {
  if (line.trim() !== "") channel.receiveText(line);
}
