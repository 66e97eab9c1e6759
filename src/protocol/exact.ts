// Parsed JSON that knows the text it was parsed from. The text has details that the value loses: digits beyond a double,
// `1.0`, the order of keys, keys that occur twice, escapes. The value is read as usual, and written as its text.
// Such a value must never be changed in place: `changed` makes another one.

import { type Change, itemTexts, membersOf, memberText, withInnerMember, withMembers } from "./json-text.ts";
import type { Json } from "./jsonrpc.ts";

/** A constructor that returns its argument, so that `Exact` adds its private field to an existing object. */
const Given = function given(value: object): object {
  return value;
} as unknown as new (
  value: object,
) => object;

/** The text is a private field: a copy by spread has none, and neither comparisons nor JSON.stringify see it. */
class Exact extends Given {
  readonly #text: string;

  constructor(value: object, text: string) {
    super(value);
    this.#text = text;
  }

  static has(value: object): value is Exact {
    return #text in value;
  }

  static textOf(value: object): string | undefined {
    return #text in value ? value.#text : undefined;
  }
}

/** From now on `value` is written as `text`, which it was parsed from. Returns the same object. */
export function keepText<T extends object>(value: T, text: string): T {
  // The first text is the one that the value was parsed from.
  if (!Exact.has(value)) new Exact(value, text);
  return value;
}

/** The text that a value was parsed from; undefined if it is not known. */
export function textOf(value: object): string | undefined {
  return Exact.textOf(value);
}

/** A value that is written as this JSON text. */
export function exactly(text: string): object {
  return keepText({}, text);
}

/** JSON.stringify, with every part that knows its text written as that text. */
export function writeJson(value: unknown): string {
  return write(value) ?? "null";
}

/** Undefined for a value that is no JSON, such as a function: objects omit such members. */
function write(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const text = Exact.textOf(value);
  if (text !== undefined) return text;
  if (Array.isArray(value)) return `[${value.map(writeJson).join(",")}]`;
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    const written = write(member);
    if (written !== undefined) members.push(`${JSON.stringify(key)}:${written}`);
  }
  return `{${members.join(",")}}`;
}

/** A member of an object. If the object knows its text, a member that is an object or an array knows its text, too. */
export function memberOf(value: object, key: string): unknown {
  const members = value as Readonly<Json>;
  const member = Object.hasOwn(members, key) ? members[key] : undefined;
  if (typeof member !== "object" || member === null || Exact.has(member)) return member;
  const whole = Exact.textOf(value);
  const text = whole === undefined ? undefined : memberText(whole, key);
  return text === undefined ? member : keepText(member, text);
}

/** A member of an object as it was written, for use in another value. Numbers lose no digit either. */
export function writtenMember(value: Readonly<Json>, key: string): unknown {
  const whole = Exact.textOf(value);
  const text = whole === undefined ? undefined : memberText(whole, key);
  return text === undefined ? memberOf(value, key) : exactly(text);
}

/** As `memberOf`; undefined if the member is no object. */
export function objectOf(value: object, key: string): Json | undefined {
  const member = memberOf(value, key);
  return isRecord(member) ? member : undefined;
}

/** The items of an array, each with its text if the array knows its own. */
export function itemsOf<T>(list: readonly T[]): readonly T[] {
  const text = Exact.textOf(list);
  const [first] = list;
  const isKnown = typeof first === "object" && first !== null && Exact.has(first);
  if (text === undefined || isKnown) return list;
  const texts = itemTexts(text);
  for (const [at, item] of list.entries()) {
    const own = texts[at];
    if (own !== undefined && typeof item === "object" && item !== null) keepText(item, own);
  }
  return list;
}

/** The members of an object, each with its text if the object knows its own. */
export function entriesOf(value: Json): [key: string, member: unknown][] {
  const text = Exact.textOf(value);
  for (const { key, start, end } of text === undefined ? [] : membersOf(text).reverse()) {
    const member = value[key];
    // If a key occurs twice, JSON.parse took the last member. So its text must be kept first.
    if (typeof member === "object" && member !== null) keepText(member, text?.slice(start, end) ?? "");
  }
  return Object.entries(value);
}

/** A copy of the object with other members; undefined removes a member. Nothing else changes in the text. */
export function changed(value: Readonly<Json>, changes: Readonly<Json>): Json {
  const keys = Object.keys(changes);
  const other = merged(value, changes, keys);
  const text = Exact.textOf(value);
  if (text === undefined) return other;
  const texts: Change[] = [];
  for (const key of keys) {
    const member = changes[key];
    texts.push([key, member === undefined ? undefined : writeJson(member)]);
  }
  return keepText(other, withMembers(text, texts));
}

/** Makes a copy instead of deleting members: the engine is slow with objects that have lost a member. */
function merged(value: Readonly<Json>, changes: Readonly<Json>, keys: readonly string[]): Json {
  if (!keys.some((key) => changes[key] === undefined)) return { ...value, ...changes };
  const other: Json = {};
  for (const key of Object.keys(value)) if (!keys.includes(key)) put(other, key, value[key]);
  for (const key of keys) if (changes[key] !== undefined) put(other, key, changes[key]);
  return other;
}

function put(value: Json, key: string, member: unknown): void {
  if (key !== "__proto__") value[key] = member;
  else
    Object.defineProperty(value, key, {
      value: member,
      enumerable: true,
      writable: true,
      configurable: true,
    });
}

/** `changed` for one member of a member that is an object. */
export function changedInside(
  value: Readonly<Json>,
  [outer, inner]: readonly [outer: string, inner: string],
  member: unknown,
): Json {
  const text = Exact.textOf(value);
  const { [outer]: holder } = value;
  if (text !== undefined && isRecord(holder)) {
    const written = withInnerMember(text, [outer, inner], writeJson(member));
    if (written !== undefined)
      return keepText({ ...value, [outer]: { ...holder, [inner]: member } }, written);
  }
  return changed(value, { [outer]: changed(objectOf(value, outer) ?? {}, { [inner]: member }) });
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
