// What nobody expects to get: strings, numbers, ids and whole values that break assumptions, and JSON text and bytes that
// are broken themselves. Every choice is the Random's, so a seed gives the same again.

import { isObject } from "../../src/protocol/jsonrpc.ts";
import type { Random } from "./random.ts";

const STRINGS = [
  "",
  " ",
  "\0",
  "a\0b",
  "\ud800",
  "\udfff\ud800",
  "a\u2028b\u2029c",
  "\ufeff",
  "😀 žluťoučký 漢字",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "null",
  "0",
  "-1",
  "1e999",
  "../../etc/passwd",
  "%00%ff%2f",
  "=?base64?!!?=",
  "=?base64?w6k=?=",
  "data: x\n\nevent: y\n\n",
  "a\r\nX-Injected: 1\r\n\r\n",
  "${" + "HOME}",
  "\u202egnp.exe\u001b[2J",
  "gateway-1",
];
const NUMBERS = [0, -0, 1, -1, 1.5, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 1e21, 1e308, -1e308, 5e-324, 1_000_000];
const KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "then",
  "id",
  "jsonrpc",
  "_meta",
  "",
  "\0",
];
const NUMBER_TEXTS = [
  "1e400",
  "123456789012345678901234567890",
  "-0",
  "01",
  "+1",
  ".5",
  "0x10",
  "NaN",
  "1e-400",
];
const BYTES = [
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf0, 0x9f],
  [0x00],
  [0xef, 0xbb, 0xbf],
  [0xfe, 0xff],
];
const MAX_LEVELS = 3;

export function anyString(random: Random): string {
  if (random.chance(0.02))
    return random.pick(["x", "é", "\0", "\\", '"', "(", "[*]."]).repeat(random.below(20_000));
  return random.pick(STRINGS);
}

export function anyValue(random: Random, levels = MAX_LEVELS): unknown {
  const kind = random.below(levels > 0 ? 9 : 6);
  if (kind < 2) return anyString(random);
  if (kind === 2) return random.pick(NUMBERS);
  if (kind === 3) return random.chance(0.5);
  if (kind === 4) return null;
  if (kind === 5) return random.chance(0.5) ? [] : {};
  if (kind === 6) return Array.from({ length: random.below(4) }, () => anyValue(random, levels - 1));
  const keys = Array.from({ length: random.below(4) }, () => random.pick([...KEYS, ...STRINGS]));
  return Object.fromEntries(keys.map((key) => [key, anyValue(random, levels - 1)]));
}

/** Good ones among them. */
export function anyId(random: Random): unknown {
  if (random.chance(0.5)) return random.chance(0.5) ? random.below(10) : `id-${random.below(10)}`;
  return random.chance(0.5) ? random.pick(NUMBERS) : anyValue(random, 1);
}

/** A copy with something in it replaced, removed or added. */
export function distort(random: Random, value: unknown): unknown {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.8)) {
    const at = random.below(value.length);
    return value.map((item, index) => (index === at ? distort(random, item) : item));
  }
  if (!isObject(value) || random.chance(0.1)) return anyValue(random);
  const entries = Object.entries(value);
  if (entries.length === 0 || random.chance(0.15)) {
    return Object.fromEntries([...entries, [random.pick(KEYS), anyValue(random)]]);
  }
  const at = random.below(entries.length);
  if (random.chance(0.15)) return Object.fromEntries(entries.filter((_entry, index) => index !== at));
  return Object.fromEntries(
    entries.map(([key, inner], index) => [key, index === at ? distort(random, inner) : inner]),
  );
}

/** JSON that nests so deep that many a parser gives up, open at its end now and then. */
export function deepText(random: Random): string {
  const levels = random.pick([900, 999, 1_001, 3_000, 20_000, 100_000]);
  const closed = random.chance(0.8) ? levels : levels - 1;
  return random.chance(0.5)
    ? "[".repeat(levels) + "]".repeat(closed)
    : `${'{"a":'.repeat(levels)}1${"}".repeat(closed)}`;
}

/** Breaks a JSON text, or bends it into one that is unusual. */
export function corruptText(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const [head, tail] = [text.slice(0, at), text.slice(at)];
  const afterBrace = (added: string) => text.replace("{", `{${added}`);
  const ways: (() => string)[] = [
    () => head,
    () => tail,
    () => head + tail.slice(1 + random.below(4)),
    () =>
      head +
      random.pick(["\0", "\n", "\r\n", "\u2028", "\\", '"', ",", "}", "]", "\ud800", "//", "é"]) +
      tail,
    () => afterBrace(`"id":${random.pick(["null", "999999", '"other"', "[1]", "1.5"])},`),
    () => text.replace(/}\s*$/, `,"id":${random.pick(["999999", '"other"'])}}`),
    () => afterBrace(`"method":${random.pick(['"ping"', "null", '"tools/list"', "7"])},`),
    () => afterBrace('"__proto__":{"polluted":true,"id":7,"jsonrpc":"2.0"},'),
    () => afterBrace('"constructor":{"prototype":{"polluted":true}},'),
    () => text.replace(/\d+/, random.pick(NUMBER_TEXTS)),
    () => text.replace(/"[^"]*"$/, "'single'"),
    () => `${" \t\r\n".repeat(random.below(300))}${text}\n\n`,
    () => text.replaceAll(",", ",\n\r\n  "),
    () => `${text}${text}`,
    () => `\ufeff${text}`,
    () => text.replace(/"(\w)/, (_all, letter: string) => `"\\u00${letter.charCodeAt(0).toString(16)}`),
    () => text.replace(/"(\w)/, random.pick(['"\\ud83d', '"\\u0000', '"\\x41', '"\\u12', '"\t'])),
    () => text.replace(/\{\}|\[\]|"[^"]{3,}"(?=[,}])/, deepText(random)),
    () => "[".repeat(1 + random.below(3)) + text + "]".repeat(1 + random.below(3)),
    () => `[${Array.from({ length: random.below(20) }, () => text).join(",")}]`,
    () =>
      random.pick([
        "",
        " ",
        "null",
        "0",
        '""',
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "[null]",
        "true",
        "undefined",
        "\0",
      ]),
    () => text.replace('"2.0"', random.pick(['"1.0"', "2.0", "null", '"2.00"', '["2.0"]'])),
  ];
  return random.pick(ways)();
}

export function corruptBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  const insert = (added: readonly number[]) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from(added), bytes.subarray(at)]);
  switch (random.below(4)) {
    case 0:
      return insert(random.pick(BYTES));
    case 1:
      return Buffer.from(Buffer.from(bytes).toString("utf8"), "utf16le");
    case 2:
      return bytes.map((byte, index) => (index === at ? byte ^ (1 << random.below(8)) : byte));
    default:
      return insert(Array.from({ length: random.below(40) }, () => random.below(256)));
  }
}

/** In pieces of any size, multi-byte characters cut in two. */
export function split(random: Random, bytes: Uint8Array, mostPieces: number): Uint8Array[] {
  const cuts = Array.from({ length: random.below(mostPieces) }, () => random.below(bytes.length + 1));
  const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
}
