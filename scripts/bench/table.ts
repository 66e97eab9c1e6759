// Figures as text: columns that stand under each other, and the table of bars at the end of a run.

export function columns(headings: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, at) =>
    Math.max(heading.length, ...lines.map((line) => (line[at] ?? "").length)),
  );
  const show = (line: readonly string[]) =>
    line
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ")
      .trimEnd();
  return [headings, ...lines].map(show).join("\n");
}

/** Three digits, more for whole numbers; "-" for what was not measured. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(3);
}

/** One line of what a run must reach. */
export interface Bar {
  readonly figure: string;
  readonly measured: number;
  readonly unit: string;
  /** The most, or the least, that it may be. */
  readonly limit: { readonly most: number } | { readonly least: number };
}

function verdict(bar: Bar): string {
  if (Number.isNaN(bar.measured)) return "not measured";
  return isMet(bar) ? "met" : "MISSED";
}

export function isMet({ measured, limit }: Bar): boolean {
  return "most" in limit ? measured <= limit.most : measured >= limit.least;
}

export function barTable(bars: readonly Bar[]): string {
  const lines = bars.map((bar) => [
    bar.figure,
    `${digits(bar.measured)} ${bar.unit}`.trimEnd(),
    ("most" in bar.limit ? `<= ${bar.limit.most} ` : `>= ${bar.limit.least} `) + bar.unit,
    verdict(bar),
  ]);
  return columns(["figure", "measured", "bar", ""], lines);
}
