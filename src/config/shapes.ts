// The shapes that values of the configuration have, each with the words that a person gets when one is wrong.
// Knows no key.

import { type TSchema, Type } from "@sinclair/typebox";
import { ipFamily, withoutBrackets } from "./addresses.ts";
import { DURATION_PATTERN, parseDuration } from "./duration.ts";
import { parseSize, SIZE_PATTERN } from "./size.ts";

/** What our own reading needs beside JSON Schema; stands under `hints` and is left out of the printed schema. */
export interface Hints {
  /** Completes "… must be". */
  readonly expected?: string;
  /** The value is never a secret and may be repeated in a problem. */
  readonly isShown?: boolean;
  /** A key of clients: understood, but not suggested to people. */
  readonly isForeign?: boolean;
  /** The key that this one is another spelling of. */
  readonly aliasOf?: string;
  /** The key is accepted and does nothing: why. */
  readonly ignored?: string;
  /** What a pattern cannot say. */
  readonly verify?: (value: unknown) => boolean;
  /** What a name in this map must be. */
  readonly expectedName?: string;
  /** Numbers, true and false stand for the text that was written. */
  readonly isText?: boolean;
  /** A lone `~` is the home folder and not YAML's null. */
  readonly isFolder?: boolean;
  /** Values worth a "did you mean". */
  readonly choices?: readonly string[];
  /** The reason why another program's key in this map has no effect, for a note; undefined for unknown keys. */
  readonly tolerates?: (key: string, present: ReadonlySet<string>) => string | undefined;
  /** The key of this map for which a list in place of the map is short. */
  readonly listIs?: string;
}

export interface Words {
  readonly description: string;
  readonly default?: unknown;
  readonly hints?: Hints;
}

export function hintsOf(schema: TSchema & { readonly hints?: Hints }): Hints {
  return schema.hints ?? {};
}

export function text({ hints, ...words }: Words) {
  return Type.String({ minLength: 1, ...words, hints: { expected: "text", ...hints } });
}

export function flag({ hints, ...words }: Words) {
  return Type.Boolean({ ...words, hints: { expected: "true or false", isShown: true, ...hints } });
}

export function choice<const Value extends string>(values: readonly Value[], { hints, ...words }: Words) {
  const literals = values.map((value) => Type.Literal(value));
  const expected = `one of ${values.join(", ")}`;
  return Type.Unsafe<Value>(
    Type.Union(literals, { ...words, hints: { expected, isShown: true, choices: values, ...hints } }),
  );
}

export function duration(shortest: "zero" | "more than zero", { hints, ...words }: Words) {
  const range = shortest === "zero" ? "at most 24 days" : "more than 0, at most 24 days";
  const expected = `a duration (90 is seconds; "500ms", "5m", "1h30m"; ${range})`;
  const verify = (value: unknown) => {
    const ms = typeof value === "number" || typeof value === "string" ? parseDuration(value) : undefined;
    return ms !== undefined && (ms > 0 || shortest === "zero");
  };
  return Type.Union([Type.Number({ minimum: 0 }), Type.String({ pattern: DURATION_PATTERN })], {
    ...words,
    hints: { expected, isShown: true, verify, ...hints },
  });
}

/** An amount of memory from `least` to `most`, both in the written form. */
export function size(least: string, most: string, { hints, ...words }: Words) {
  const expected = `a size such as "256MB" or "1GiB", from ${least} to ${most}`;
  const [leastBytes = 0, mostBytes = 0] = [parseSize(least), parseSize(most)];
  const verify = (value: unknown) => {
    const bytes = typeof value === "number" || typeof value === "string" ? parseSize(value) : undefined;
    return bytes !== undefined && bytes >= leastBytes && bytes <= mostBytes;
  };
  return Type.Union([Type.Number({ minimum: 0 }), Type.String({ pattern: SIZE_PATTERN })], {
    ...words,
    hints: { expected, isShown: true, verify, ...hints },
  });
}

/** YAML reads `8080` and `true` as more than text; where only text makes sense they are taken as written. */
export function scalar() {
  return Type.Union([Type.String(), Type.Number(), Type.Boolean()], {
    hints: { expected: "text", isText: true },
  });
}

export function texts(namePattern: string, words: Words) {
  return Type.Record(Type.String({ pattern: namePattern }), scalar(), {
    additionalProperties: false,
    ...words,
  });
}

/** A list of texts. A wrong text is shown in its problem. */
export function listOf(
  isGood: (item: string) => boolean,
  { description, expected }: { readonly description: string; readonly expected: string },
) {
  const verify = (value: unknown) => typeof value === "string" && isGood(value);
  const item = Type.String({ hints: { expected, isShown: true, verify } });
  return Type.Array(item, { description, hints: { expected: `a list; each item ${expected}` } });
}

export function isHost(host: string): boolean {
  return /^[A-Za-z0-9_](?:[\w.-]*[\w.])?$/.test(host) || ipFamily(withoutBrackets(host)) !== 0;
}

/** A pattern for a word in upper, lower or mixed case. */
export function anyCase(word: string): string {
  return [...word].map((letter) => `[${letter}${letter.toLowerCase()}]`).join("");
}

/** An origin as browsers write it: `scheme://host[:port]`, or `null`. `scheme://*` allows a whole scheme, but not http or https. */
export function isOrigin(text: string): boolean {
  const [, scheme = "", rest = ""] = /^([a-z][a-z\d+.-]*):\/\/([^/?#@\s]+)$/i.exec(text) ?? [];
  if (scheme === "") return text === "null";
  if (!/^https?$/i.test(scheme)) return true;
  return !rest.includes("*") && URL.canParse(text) && new URL(text).origin === text.toLowerCase();
}

/** A URL whose path can be put before our routes. */
export function isPublicUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return false;
  const isPlain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  return isPlain && /^(?:\/[\w.~-]+)*\/?$/.test(url.pathname);
}
