// The last lines that a child wrote to stderr, bounded, for the error that a person reads when the child is gone.

import { redact } from "../log.ts";

const MAX_LINES = 50;
const MAX_CHARS = 8 * 1024;
const MAX_LINE_CHARS = 1_000;

export class StderrTail {
  readonly #lines: string[] = [];
  #chars = 0;

  /** Returns the line as it is worth showing (no colours, no spinner frames, cut); empty where nothing is left. */
  add(raw: string): string {
    const line = readable(raw);
    if (line === "") return line;
    this.#lines.push(line);
    this.#chars += line.length;
    while (this.#lines.length > MAX_LINES || this.#chars > MAX_CHARS) {
      this.#chars -= this.#lines.shift()?.length ?? 0;
    }
    return line;
  }

  /** Oldest first, secrets cut out. */
  lines(): string[] {
    return this.#lines.map(redact);
  }
}

function readable(raw: string): string {
  const plain = Bun.stripANSI(raw).trimEnd();
  // A line drawn over itself shows what was drawn last.
  const shown = plain.slice(plain.lastIndexOf("\r") + 1);
  return shown.length > MAX_LINE_CHARS ? `${shown.slice(0, MAX_LINE_CHARS)}…` : shown;
}
