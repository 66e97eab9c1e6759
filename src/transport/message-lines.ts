// Turns the lines of a child's stdout into messages. What is no message is skipped and told to the log, in bounded
// words: servers print banners and debug output there, and none of that may end a wire.

import type { Log } from "../log.ts";
import { boundedMessage, responseIdText } from "../protocol/bounded-json.ts";
import { itemTexts } from "../protocol/json-text.ts";
import { type Id, isId, type Message, toMessage } from "../protocol/jsonrpc.ts";
import { shownLine } from "../shown.ts";
import type { OversizedLine } from "./line-reader.ts";
import type { Incoming } from "./transport.ts";

/** Skipped lines that are logged one by one; later ones are only counted. */
const TOLD_ONE_BY_ONE = 5;
const COUNT_TOLD_EVERY_MS = 60_000;
const SHOWN_CHARS = 200;

export class MessageLines {
  readonly #log: Log;
  readonly #onMessage: (incoming: Incoming) => void;
  /** Called with every line before the first message. A later line may be a piece of some client's answer. */
  readonly #onPreface: (text: string) => void;
  #hasSpoken = false;
  #skipped = 0;
  #untold = 0;
  #toldAtMs = 0;

  constructor(log: Log, onMessage: (incoming: Incoming) => void, onPreface: (text: string) => void) {
    this.#log = log;
    this.#onMessage = onMessage;
    this.#onPreface = onPreface;
  }

  read(raw: string): void {
    // Takes a `\r` and a byte order mark away as well.
    const text = boundedMessage(raw.trim());
    if (text === "") return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return this.#skip("stdout carried a line that is no JSON; skipped", text);
    }
    if (Array.isArray(value)) return this.#readBatch(value, text);
    const message = toMessage(value, text);
    if (message === undefined)
      return this.#skip("stdout carried JSON that is no JSON-RPC message; skipped", text);
    this.#take(message);
  }

  /** Tells what was skipped and not told yet. */
  close(): void {
    if (this.#untold === 0) return;
    this.#log.warning("stdout carried more lines that are no messages; skipped", { lines: this.#untold });
    this.#untold = 0;
    this.#toldAtMs = performance.now();
  }

  /** Several messages in one array: only revision 2025-03-26 has this. */
  #readBatch(values: readonly unknown[], text: string): void {
    const texts = itemTexts(text);
    for (const [at, value] of values.entries()) {
      const message = toMessage(value, texts[at] ?? "");
      if (message !== undefined) this.#take(message);
      else
        this.#skip("stdout carried a batch with something in it that is no JSON-RPC message; skipped", text);
    }
  }

  #take(message: Message): void {
    this.#hasSpoken = true;
    this.#onMessage({ message });
  }

  #skip(what: string, text: string): void {
    if (!this.#hasSpoken) this.#onPreface(text);
    this.#skipped += 1;
    if (this.#skipped <= TOLD_ONE_BY_ONE) {
      this.#log.warning(what, { line: shownLine(text, SHOWN_CHARS) });
      this.#toldAtMs = performance.now();
      return;
    }
    this.#untold += 1;
    if (performance.now() - this.#toldAtMs >= COUNT_TOLD_EVERY_MS) this.close();
  }
}

/** The id of a response of which only the two ends are known; undefined if they do not prove it. */
export function idOfResponse(line: OversizedLine): Id | undefined {
  const text = responseIdText(line);
  const id: unknown = text === undefined ? undefined : JSON.parse(text);
  return isId(id) ? id : undefined;
}
