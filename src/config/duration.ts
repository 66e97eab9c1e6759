// Durations as people write them, turned into milliseconds. Knows no key and no default.

const NUMBER = "\\d+(?:\\.\\d+)?";

/** What a duration written as text looks like: seconds, or hours, minutes, seconds and milliseconds in that order. */
export const DURATION_PATTERN = `^(?:${NUMBER}|(?=\\d)(?:${NUMBER}h)?(?:${NUMBER}m)?(?:${NUMBER}s)?(?:${NUMBER}ms)?)$`;

/** Timers hold 31 bits of milliseconds; a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

const UNIT_MS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const WRITTEN = new RegExp(DURATION_PATTERN);
const PART = new RegExp(`(${NUMBER})(ms|h|m|s)`, "g");

/** A number is seconds; text is `90`, `500ms`, `5m`, `1h30m` … Undefined where it is none, or over 24 days. */
export function parseDuration(written: number | string): number | undefined {
  const exactMs = typeof written === "number" ? written * 1000 : textToMs(written);
  if (exactMs === undefined || !(exactMs >= 0 && exactMs <= LONGEST_MS)) return undefined;
  // Zero often means "never": what is longer than zero must not become it.
  return exactMs === 0 ? 0 : Math.max(1, Math.round(exactMs));
}

function textToMs(text: string): number | undefined {
  if (!WRITTEN.test(text)) return undefined;
  if (/\d$/.test(text)) return Number(text) * 1000;
  let sumMs = 0;
  for (const [, amount, unit] of text.matchAll(PART)) {
    sumMs += Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  }
  return sumMs;
}
