// The one way to a terminal: results to stdout, notes to stderr, both safe to show. Protocol data of `stdio` and of the
// demo does not come by here.

import { escapeControls, redact, shownLine, shownText } from "../shown.ts";

/** What was asked for. */
export function printResult(text: string): void {
  process.stdout.write(`${shownText(text)}\n`);
}

/** What was asked for, for programs: the same values, with secrets redacted. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(
    value,
    (_key, inner: unknown) => (typeof inner === "string" ? redact(inner) : inner),
    2,
  );
  // An escape in JSON is the character itself.
  process.stdout.write(`${escapeControls(text, "many lines")}\n`);
}

/** What a person should know beside the result. */
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
