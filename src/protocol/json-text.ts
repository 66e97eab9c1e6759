// Finds and changes members in the text of a JSON value, without parsing it. All other text stays as it was written.
// Pure. Every scan is linear in the length of the text and uses no recursion. The text must be valid JSON, except where a
// function says otherwise: for other text the result is meaningless, but the scan ends.

/** One member of an object: where the quote of its key stands, and where its value begins and ends. */
export interface Member {
  readonly key: string;
  readonly at: number;
  readonly start: number;
  readonly end: number;
}

/** The text ends inside of the value. */
const BROKEN = -1;
/** The value nests deeper than it may. */
const TOO_DEEP = -2;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const ASCII = 0x7f;

/** How a character outside of strings changes the depth. */
const STEPS = new Int8Array(ASCII + 1);
STEPS[OPEN_BRACE] = 1;
STEPS[OPEN_BRACKET] = 1;
STEPS[CLOSE_BRACE] = -1;
STEPS[CLOSE_BRACKET] = -1;

/** Shorter strings are read character by character: that takes less time than a call of `indexOf`. */
const SHORT_STRING = 16;

/** True if arrays and objects nest deeper than `levels`. */
export function nestsDeeper(text: string, levels: number): boolean {
  // Each level needs two characters.
  return text.length > 2 * levels && endOfValue(text, skipSpace(text, 0), levels) === TOO_DEEP;
}

/** The members of the object that begins at `from`, in their order; a key that occurs twice is there twice. */
export function membersOf(text: string, from = 0): Member[] {
  return membersWithin(text, Number.POSITIVE_INFINITY, from) ?? [];
}

/** As `membersOf`; undefined if arrays and objects nest deeper than `levels`, this object included. */
export function membersWithin(text: string, levels: number, from = 0): Member[] | undefined {
  const members: Member[] = [];
  let at = skipSpace(text, skipSpace(text, from) + 1);
  while (text.charCodeAt(at) === QUOTE) {
    const keyEnd = endOfString(text, at);
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = keyEnd === BROKEN ? BROKEN : endOfValue(text, start, levels - 1);
    if (end === TOO_DEEP) return undefined;
    if (end === BROKEN) break;
    members.push({ key: readKey(text, at, keyEnd), at, start, end });
    const comma = skipSpace(text, end);
    if (text.charCodeAt(comma) !== COMMA) break;
    at = skipSpace(text, comma + 1);
  }
  return members;
}

/** The text of one member's value. If the key occurs twice, the last one counts, as for JSON.parse. */
export function memberText(text: string, key: string): string | undefined {
  const member = lastMember(membersOf(text), key);
  return member === undefined ? undefined : text.slice(member.start, member.end);
}

/** The last member of this key, which is the one that counts. */
export function lastMember(members: readonly Member[], key: string): Member | undefined {
  for (let at = members.length - 1; at >= 0; at--) if (members[at]?.key === key) return members[at];
  return undefined;
}

/** The texts of the items of the array that `text` is. */
export function itemTexts(text: string): string[] {
  const items: string[] = [];
  let at = skipSpace(text, skipSpace(text, 0) + 1);
  while (at < text.length && text.charCodeAt(at) !== CLOSE_BRACKET) {
    const end = endOfValue(text, at, Number.POSITIVE_INFINITY);
    if (end === BROKEN) break;
    items.push(text.slice(at, end));
    const comma = skipSpace(text, end);
    if (text.charCodeAt(comma) !== COMMA) break;
    at = skipSpace(text, comma + 1);
  }
  return items;
}

/** A member's key, and the text of its new value; undefined removes the member. */
export type Change = readonly [key: string, value: string | undefined];

/**
 * The same object with other members. A changed member occurs once afterwards, also if it occurred twice. New members are
 * added at the end.
 */
export function withMembers(text: string, changes: readonly Change[]): string {
  const members = membersOf(text);
  const end = members.at(-1)?.end ?? skipSpace(text, 0) + 1;
  let written = "";
  /** The text before this position has been copied or removed. */
  let from = 0;
  let keptEnd: number | undefined;
  for (let index = 0; index < members.length; index++) {
    const member = members[index];
    if (member === undefined) break;
    const change = changeOf(changes, member.key);
    if (change === undefined) {
      keptEnd = member.end;
    } else if (change[1] !== undefined && !occursAfter(members, index)) {
      written += `${text.slice(from, member.start)}${change[1]}`;
      from = member.end;
      keptEnd = from;
    } else {
      // One comma is removed with the member: the one before it, or the one after it if the member was the first.
      written += text.slice(from, keptEnd ?? member.at);
      from = keptEnd === undefined ? (members[index + 1]?.at ?? member.end) : member.end;
    }
  }
  return `${written}${text.slice(from, end)}${additions(members, changes, keptEnd === undefined)}${text.slice(end)}`;
}

function additions(members: readonly Member[], changes: readonly Change[], isEmpty: boolean): string {
  let added = "";
  for (const [key, value] of changes) {
    if (value === undefined || hasMember(members, key)) continue;
    const comma = isEmpty && added === "" ? "" : ",";
    added += `${comma}${JSON.stringify(key)}:${value}`;
  }
  return added;
}

/**
 * `withMembers` for one member of a member, in one pass. Undefined if the outer or the inner member is missing or occurs
 * twice.
 */
export function withInnerMember(text: string, [outer, inner]: readonly [string, string], value: string) {
  const holder = onlyMember(membersOf(text), outer);
  const member = holder === undefined ? undefined : onlyMember(membersOf(text, holder.start), inner);
  if (member === undefined) return;
  return `${text.slice(0, member.start)}${value}${text.slice(member.end)}`;
}

function onlyMember(members: readonly Member[], key: string): Member | undefined {
  let found: Member | undefined;
  for (const member of members) {
    if (member.key !== key) continue;
    if (found !== undefined) return undefined;
    found = member;
  }
  return found;
}

function changeOf(changes: readonly Change[], key: string): Change | undefined {
  for (const change of changes) if (change[0] === key) return change;
  return undefined;
}

function hasMember(members: readonly Member[], key: string): boolean {
  for (const member of members) if (member.key === key) return true;
  return false;
}

function occursAfter(members: readonly Member[], index: number): boolean {
  const key = members[index]?.key;
  for (let later = index + 1; later < members.length; later++) if (members[later]?.key === key) return true;
  return false;
}

/** The same JSON without line breaks: outside of strings they are white space, and inside of them they are escaped. */
export function onOneLine(text: string): string {
  const isOneLine = !text.includes("\n") && !text.includes("\r");
  return isOneLine ? text : text.replace(/[\r\n]+/g, " ");
}

/** The end of the value that begins at `start`. */
function endOfValue(text: string, start: number, levels: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return endOfString(text, start);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return endOfScalar(text, start);
  return endOfNested(text, start, levels);
}

function endOfNested(text: string, start: number, levels: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at) - 1;
      if (at < 0) return BROKEN;
    } else {
      depth += STEPS[code & ASCII] ?? 0;
      if (depth === 0) return at + 1;
      if (depth > levels) return TOO_DEEP;
    }
  }
  return BROKEN;
}

/** `at` is the position of the opening quote. */
export function endOfString(text: string, at: number): number {
  const shortUntil = Math.min(at + SHORT_STRING, text.length);
  let from = at + 1;
  while (from < shortUntil) {
    const code = text.charCodeAt(from);
    if (code === QUOTE) return from + 1;
    from += code === BACKSLASH ? 2 : 1;
  }
  while (true) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return BROKEN;
    let firstBackslash = quote;
    while (firstBackslash > from && text.charCodeAt(firstBackslash - 1) === BACKSLASH) firstBackslash -= 1;
    if ((quote - firstBackslash) % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}

/** The end of a number, true, false or null. */
function endOfScalar(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || isSpace(code)) return at;
  }
  return text.length;
}

function readKey(text: string, at: number, end: number): string {
  const written = text.slice(at + 1, end - 1);
  if (!written.includes("\\")) return written;
  const key: unknown = JSON.parse(text.slice(at, end));
  return String(key);
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

function isSpace(code: number): boolean {
  return code === SPACE || code === LINE_FEED || code === RETURN || code === TAB;
}
