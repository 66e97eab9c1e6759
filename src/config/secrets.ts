// Decides which values of a configuration are secrets, by their name, shape and length, and registers them. Redaction itself
// is in shown.ts. A value without a telling name that does not look random is not a secret.

import { unescape as percentDecoded } from "node:querystring";
import { registerNamedSecret, registerSecret } from "../shown.ts";

/** Words that alone make a name the name of a credential. */
const STRONG_WORD =
  /^(?:pass|pwd|pat|pin|otp|creds?|credentials?|jwt|bearer|authorization|cookie|mnemonic|.*(?:password|passwd|passphrase|passwort|secrets?|token|apikeys?))$/;
/** Words before "key" that make the name that of a credential. */
const KEY_OF =
  /^(?:api|access|account|auth|bot|client|crypt|deploy|encryption|host|license|master|private|secret|service|signing|ssh|subscription|webhook)$/;
/** Words that make "key" an ordinary key. */
const NO_KEY_OF =
  /^(?:cache|column|foreign|group|hash|index|lookup|map|object|order|partition|primary|public|range|row|shard|sort)$/;
/** Words that may mean a credential: the value must look like one, too. */
const WEAK_WORD =
  /^(?:keys?|auth|session|sess|sid|sig|signature|signing|private|dsn|code|hook|webhook|salt|seed|nonce)$/;
/** Last words of names that describe a credential but do not contain it: TOKEN_URL, PASSWORD_FILE. */
const ABOUT =
  /^(?:algorithm|alg|audience|budget|count|dir|enabled|disabled|endpoint|env|expires|expiry|file|folder|format|header|headers|host|interval|issuer|kind|length|limit|location|max|method|min|mode|name|path|policy|port|prefix|provider|quota|rate|region|required|scheme|scope|scopes|size|store|timeout|ttl|type|uri|url|usage|version|window)$/;

type Strength = "strong" | "weak" | undefined;

/** How strongly the name of a variable, header, option or query parameter suggests that its value is a credential. */
function strengthOf(name: string): Strength {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z\d]+/)
    .filter((word) => word !== "");
  if (ABOUT.test(words.at(-1) ?? "")) return undefined;
  const isKeyOf = (pattern: RegExp) =>
    words.some((word, at) => /^keys?$/.test(word) && pattern.test(words[at - 1] ?? ""));
  if (words.some((word) => STRONG_WORD.test(word)) || isKeyOf(KEY_OF)) return "strong";
  if (isKeyOf(NO_KEY_OF)) return undefined;
  return words.some((word) => WEAK_WORD.test(word)) ? "weak" : undefined;
}

/** Registers a value by its name in the configuration. */
export function hideNamed(name: string, value: string): void {
  hide(name, value, 0);
}

/** Registers secrets in a command line: values of options, and arguments that look like secrets. */
export function hideArguments(argv: readonly string[]): void {
  for (const [index, word] of argv.slice(1).entries()) {
    const before = argv[index] ?? "";
    const option = /^--?([\w.-]+)$/.exec(before)?.[1];
    hide(
      option !== undefined && !word.startsWith("-") ? option : "",
      word.replace(/^--?(?=[\w.-]+=)/, ""),
      0,
    );
  }
}

/** Passwords and keys that travel in the URL itself, in its path too. */
export function hideInUrl(url: URL): void {
  hideUrl(url, 0);
}

const MAX_DEPTH = 4;
const ABSOLUTE_URL = /^[a-z][\w+.-]{0,30}:\/\//i;
const SCHEME = /^(?:Bearer|Basic|Token|ApiKey)\s+(?=\S)/i;
/** `Password=x`, `"token": "x"`, `Authorization: x`, also several of them. */
const PAIR =
  /([\w.-]{1,100})["']?\s{0,3}[=:]\s{0,3}(?:"([^"]*)"|'([^']*)'|((?:(?:Bearer|Basic|Token|ApiKey)\s{1,3})?[^\s;&,"']+))/gi;

function hide(name: string, value: string, depth: number): void {
  const text = value.trim();
  if (text === "" || depth > MAX_DEPTH) return;
  const url = ABSOLUTE_URL.test(text) ? URL.parse(text) : null;
  if (url !== null) return hideUrl(url, depth + 1);
  if (/^[[{]/.test(text) && hideJson(name, text, depth + 1)) return;
  if (SCHEME.test(text)) return hide("token", text.replace(SCHEME, ""), depth + 1);
  for (const [, key = "", ...values] of text.matchAll(PAIR)) {
    if (/^sha\d{1,3}$/i.test(key)) continue;
    hide(key, values.find((found) => found !== undefined) ?? "", depth + 1);
  }
  if (isPath(text)) return;
  const strength = strengthOf(name);
  if (strength !== undefined) hideWhole(name, text, strength);
  for (const part of randomParts(text)) registerSecret(part);
}

function hideWhole(name: string, text: string, strength: "strong" | "weak"): void {
  for (const part of new Set([text, ...text.split(/[\r\n]+/).map((line) => line.trim())])) {
    if (part.startsWith("-----")) continue;
    if (isDistinctive(part, strength)) registerSecret(part);
    else if (strength === "strong" && !SETTING.test(part)) registerNamedSecret(name, part);
  }
}

function hideUrl(url: URL, depth: number): void {
  const password = percentDecoded(url.password);
  const username = percentDecoded(url.username);
  // A user name without a password is a key ("https://KEY@host").
  for (const part of [password, password === "" ? username : ""]) {
    if (part !== "" && isDistinctive(part, "strong")) registerSecret(part);
  }
  if (password !== "") registerSecret(Buffer.from(`${username}:${password}`).toString("base64"));
  for (const [name, value] of url.searchParams) hide(name, value, depth + 1);
  if (url.protocol === "file:") return;
  for (const segment of url.pathname.split("/")) {
    const text = percentDecoded(segment);
    if (UUID.test(text)) registerSecret(text);
    for (const part of [...randomParts(text), ...opaqueParts(text)]) registerSecret(part);
  }
  for (const part of randomParts(url.hash)) registerSecret(part);
}

/** True if the text is JSON. */
function hideJson(name: string, text: string, depth: number): boolean {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return false; // It only looks like JSON.
  }
  const walk = (key: string, value: unknown, level: number): void => {
    if (typeof value === "string") hide(key, value, level);
    else if (typeof value === "object" && value !== null && level <= MAX_DEPTH + 2) {
      for (const [inner, child] of Object.entries(value)) {
        walk(Array.isArray(value) ? key : inner, child, level + 1);
      }
    }
  };
  walk(name, root, depth);
  return true;
}

/** The path of a file is no secret, although the file may contain one. */
function isPath(text: string): boolean {
  return /^(?:\.{0,2}|~)[\\/]|^[A-Za-z]:[\\/]/.test(text) && /^[^\s]*$/.test(text) && !isRandomRun(text);
}

/** Whether the value can be redacted everywhere without hitting ordinary words. */
function isDistinctive(text: string, strength: "strong" | "weak"): boolean {
  if (/^\d+$/.test(text)) return text.length >= 8 && strength === "strong";
  if (/^[\p{L}\s_./:-]*$/u.test(text))
    return text.length >= 16 && (strength === "strong" || isRandomRun(text));
  return strength === "strong"
    ? text.length >= 6
    : text.length >= 8 && /\p{L}/u.test(text) && /\d/.test(text);
}

/** Values that are a choice or a placeholder, whatever their name. */
const SETTING =
  /^(?:.{0,2}|auto|default|disabled|enabled|false|none|null|optional|required|true|undefined|yes)$/i;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
/** Hashes identify versions and are no secrets. */
const DIGEST = /(?:\bsha\d{1,3}[:-]|[@#])[A-Za-z\d+/=]{32,}/g;
/** The random parts of a text: keys, tokens, generated passwords. */
function randomParts(text: string): string[] {
  const plain = text.replace(DIGEST, " ");
  const runs = plain.match(/[A-Za-z\d+/=_-]{20,}/g) ?? [];
  const segments = plain.match(/[A-Za-z\d]{12,}/g) ?? [];
  return [...runs.filter(isRandomRun), ...segments.filter(isRandom)];
}

/** In the path of a URL the words of a name are separated, so a long run with several numbers is a key or an id. */
function opaqueParts(segment: string): string[] {
  const runs = segment.match(/[A-Za-z\d]{16,}/g) ?? [];
  return runs.filter((run) => (run.match(/\d+/g) ?? []).length > 1 && /[A-Za-z]/.test(run));
}

/** Base64 and similar text: long and mixed throughout. */
function isRandomRun(run: string): boolean {
  const count = (pattern: RegExp) => run.match(pattern)?.length ?? 0;
  if (run.length < 20 || count(/[A-Z]/g) < 3 || count(/[a-z]/g) < 3 || count(/\d/g) < 2) return false;
  return isRandom(run.replace(/[+/=_.-]/g, ""));
}

/** The most common pairs of letters in English make up three quarters of it, and a sixth of random letters. */
const PAIRS = new Set(
  (
    "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic " +
    "ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so rs un " +
    "lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev " +
    "ld ry mp fe bl ab"
  ).split(" "),
);
const MAX_PAIR_SHARE = 0.5;
const MIN_PIECES = 6;
const HEX = /^(?=(?:.*?\d){3})(?=(?:.*?[a-f]){3})[\da-f]{16,}$/i;

/** Words, numbers and camelCase have pieces that can be read; random text changes its kind every few characters. */
function isRandom(segment: string): boolean {
  if (HEX.test(segment)) return true;
  const pieces = segment.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[A-Z]/g) ?? [];
  const numbers = pieces.filter((piece) => /\d/.test(piece)).length;
  if (pieces.length < MIN_PIECES || numbers === 0 || numbers === pieces.length) return false;
  if (/^\d{8}T\d{6}/.test(segment)) return false; // A timestamp.
  const letters = segment.toLowerCase().match(/[a-z]{2,}/g) ?? [];
  const pairs = letters.flatMap((run) =>
    Array.from({ length: run.length - 1 }, (_, at) => run.slice(at, at + 2)),
  );
  const common = pairs.filter((pair) => PAIRS.has(pair)).length;
  return common <= MAX_PAIR_SHARE * pairs.length;
}
