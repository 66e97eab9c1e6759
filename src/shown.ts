// Makes text safe for people and models: logs, errors, /health, /status, the terminal. Redacts secrets, and escapes characters
// that control a terminal or forge a line. Protocol data never passes through here. Pure: no I/O, no clock.

const MASK = "***";
const MIN_SECRET_LENGTH = 6;
/** The shortest beginning of a secret that is redacted at the end of a cut text. */
const MIN_CUT_LENGTH = 8;

/** Every spelling of every secret, longest first: otherwise a secret inside a longer one would leave the rest visible. */
let secrets: readonly string[] = [];
/** Secrets that are ordinary words: redacted only after their name in the configuration. */
let namedSecrets: readonly RegExp[] = [];
const knownNamed = new Set<string>();

/**
 * From now on every shown text has `***` in place of this value, also if the value is escaped for JSON or a URL. The same
 * applies to each of its lines and to the token after `Bearer `. Values shorter than 6 characters are ignored: redacting
 * "1" or "true" would make every line unreadable.
 */
export function registerSecret(value: string): void {
  const parts = [value, ...value.split(/[\r\n]+/), value.replace(/^(?:Bearer|Basic|Token)\s+/i, "")];
  const spellings = parts
    .map((part) => part.trim())
    .filter((part) => part.length >= MIN_SECRET_LENGTH)
    .flatMap((part) => [part, JSON.stringify(part).slice(1, -1), encodeURIComponent(part.toWellFormed())]);
  const all = new Set([...secrets, ...spellings]);
  if (all.size > secrets.length) secrets = [...all].sort((a, b) => b.length - a.length);
}

/** A secret that is an ordinary word such as "customer": redacted in `name=customer`, but not in other text. */
export function registerNamedSecret(name: string, value: string): void {
  const source = `(${RegExp.escape(name)}["']?\\s{0,3}[=:]?\\s{0,3}["']?)${RegExp.escape(value)}(?![\\w-])`;
  if (knownNamed.has(source)) return;
  knownNamed.add(source);
  namedSecrets = [...namedSecrets, new RegExp(source, "gi")];
}

// The repetitions are bounded, because backends may print lines of ten million letters.
const URL_USER = /\b([a-z][\w+.-]{0,30}:\/\/)[^\s/?#"'<>]+@/gi;
const URL_SECRET = /([?&][\w.-]{0,60}(?:key|token|secret|password|auth|sig|signature)=)[^\s&#"'<>]+/gi;
/** Six characters count as a token if one of them is no lower-case letter: "Basic checks" is prose. */
const AUTHORIZATION =
  /\b([Bb]earer|BEARER|[Bb]asic|BASIC)\s+(?:(?=[\w.~+/=-]*[\dA-Z_+/=~])[\w.~+/=-]{6,}|[\w.~+/=-]{16,})/g;

/** Redacts registered secrets, URL passwords, keys in a query and bearer tokens. */
export function redact(text: string): string {
  let clean = text;
  for (const secret of secrets) {
    if (clean.includes(secret)) clean = clean.replaceAll(secret, MASK);
  }
  for (const named of namedSecrets) clean = clean.replace(named, `$1${MASK}`);
  return withoutCutSecret(clean)
    .replace(URL_USER, `$1${MASK}@`)
    .replace(URL_SECRET, `$1${MASK}`)
    .replace(AUTHORIZATION, `$1 ${MASK}`);
}

/** If the text was cut before (a limit on a line or a body), the beginning of a secret may be at its end. */
function withoutCutSecret(text: string): string {
  for (const secret of secrets) {
    const start = text.lastIndexOf(secret.slice(0, MIN_CUT_LENGTH));
    if (start === -1 || text.length - start < MIN_CUT_LENGTH || text.length - start >= secret.length)
      continue;
    if (secret.startsWith(text.slice(start))) return text.slice(0, start) + MASK;
  }
  return text;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
/** Control characters (C0, DEL, C1), line separators, bidirectional overrides, half characters, invisible letters. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\u{E0000}-\u{E007F}]/gu;
const UNSAFE_IN_LINES = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\u{E0000}-\u{E007F}]/gu;

/** Escapes every character that could control a terminal or begin a line. JSON keeps its meaning. */
export function escapeControls(text: string, lines: "one line" | "many lines" = "one line"): string {
  return text.replace(lines === "one line" ? UNSAFE : UNSAFE_IN_LINES, escaped);
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return SHORT_ESCAPES[character] ?? units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

/** Text from outside for a sentence or a table cell: one line, redacted before it is cut. */
export function shownLine(text: string, maxLength = Number.POSITIVE_INFINITY): string {
  // Redaction reads more than is shown, but not a whole line of a hundred megabytes.
  const start = maxLength === Number.POSITIVE_INFINITY ? text : text.slice(0, 4 * maxLength + 4096);
  const line = escapeControls(redact(start).trim());
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line;
}

/** A whole text of our own that may contain text from outside: line breaks and tabs stay, other controls are escaped. */
export function shownText(text: string): string {
  return escapeControls(redact(text), "many lines");
}

/** Text of several lines below one of our own lines: indented, so that no line looks like one of ours. */
export function below(text: string, indent = "    "): string {
  return text.replaceAll("\n", `\n${indent}`);
}
