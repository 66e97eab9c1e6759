// The last lines that a child wrote for people (to stderr, or to stdout before its first message), bounded, for the error
// that a person reads when the child is gone.

import { shownLine } from "../shown.ts";

const MAX_LINES = 50;
const MAX_CHARS = 8 * 1024;
const MAX_LINE_CHARS = 1_000;

export class LastWords {
  readonly #lines: string[] = [];
  #chars = 0;

  /** Returns the line as it is worth showing: no colours, no spinner frames, redacted, cut. Empty: nothing is left. */
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

  /** Oldest first. */
  lines(): string[] {
    return [...this.#lines];
  }
}

function readable(raw: string): string {
  const plain = Bun.stripANSI(raw).trimEnd();
  // A line drawn over itself shows what was drawn last.
  const shown = plain.slice(plain.lastIndexOf("\r") + 1);
  return shownLine(shown, MAX_LINE_CHARS);
}
