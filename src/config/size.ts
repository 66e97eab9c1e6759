// Amounts of memory as people write them, turned into bytes. Knows no key and no default.

const NUMBER = "\\d+(?:\\.\\d+)?";

/** A size written as text: bytes, or an amount with a unit. */
export const SIZE_PATTERN = `^${NUMBER} ?(?:[kKmMgG]i?)?[bB]?$`;

const WRITTEN = new RegExp(`^(${NUMBER}) ?([kmg]i?)?b?$`, "i");
const FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
};

/** A number means bytes; text is `256MB`, `1.5 GB`, `512MiB` … Undefined for anything else. */
export function parseSize(written: number | string): number | undefined {
  const [, amount, unit = ""] = WRITTEN.exec(String(written)) ?? [];
  const bytes = Math.round(Number(amount) * (FACTORS[unit.toLowerCase()] ?? Number.NaN));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
