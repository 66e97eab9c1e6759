// The only output to a terminal: results to stdout, notes to stderr, both with controls escaped. Protocol data of `stdio` and
// of the demo does not pass through here.

import { escapeControls, redact, shownLine, shownText } from "../shown.ts";

/** Prints the result of the command. */
export function printResult(text: string): void {
  process.stdout.write(`${shownText(text)}\n`);
}

/** Prints the result as JSON for programs: the same values, with secrets redacted. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(
    value,
    (_key, inner: unknown) => (typeof inner === "string" ? redact(inner) : inner),
    2,
  );
  // In JSON, an escape has the same meaning as the character.
  process.stdout.write(`${escapeControls(text, "many lines")}\n`);
}

/** Prints a note for people, beside the result. */
export function printNote(text: string): void {
  process.stderr.write(`${shownText(text)}\n`);
}

/**
 * Rows in columns, two spaces between them, no lines: they can be cut and searched. The first row has the titles.
 * Columns of numbers are aligned to the right.
 */
export function table(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map((cell) => shownLine(cell)));
  const [titles = [], ...body] = shown;
  const columns = titles.map((title, at) => {
    const cells = body.map((row) => row[at] ?? "");
    const width = Math.max(...[title, ...cells].map((cell) => Bun.stringWidth(cell)));
    return { width, isNumeric: cells.length > 0 && cells.every((cell) => /^(?:\d|-?$)/.test(cell)) };
  });
  return shown
    .map((row) => {
      const cells = columns.map(({ width, isNumeric }, at) => {
        const cell = row[at] ?? "";
        const blanks = " ".repeat(Math.max(0, width - Bun.stringWidth(cell)));
        return isNumeric ? blanks + cell : cell + blanks;
      });
      return `  ${cells.join("  ")}`.trimEnd();
    })
    .join("\n");
}
