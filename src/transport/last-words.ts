// The last lines that a child wrote for people (to stderr, or to stdout before its first message), bounded. They are part of
// the error when the child has ended.

import { shownLine } from "../shown.ts";

const MAX_LINES = 50;
const MAX_CHARS = 8 * 1024;
const MAX_LINE_CHARS = 1_000;

export class LastWords {
  readonly #lines: string[] = [];
  #chars = 0;

  /** Returns the line for people: without colours and spinner frames, redacted, cut. May be empty. */
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
