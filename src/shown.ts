// Text that people and models read: logs, errors, /health, /status, the terminal. Secrets are redacted, and what could
// control a terminal or forge a line is escaped. Protocol data never passes through here. Pure: no I/O, no clock.

const MASK = "***";
const MIN_SECRET_LENGTH = 6;
/** The shortest beginning of a secret that is redacted where a text was cut inside of it. */
const MIN_CUT_LENGTH = 8;

/** Every spelling of every secret, longest first: a secret inside a longer one must not leave the rest standing. */
let secrets: readonly string[] = [];
/** Secrets that are ordinary words: redacted only behind the name that they have in the configuration. */
let namedSecrets: readonly RegExp[] = [];
const knownNamed = new Set<string>();

/**
 * From now on `***` stands in the place of this value in every shown text, also where the value is escaped in JSON or a
 * URL, of each line of it, and of the token behind `Bearer `. Shorter values than 6 characters are left alone: to redact
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

/** A secret that is an ordinary word, "customer" say: it stays in ordinary text and is redacted in `name=customer`. */
export function registerNamedSecret(name: string, value: string): void {
  const source = `(${RegExp.escape(name)}["']?\\s{0,3}[=:]?\\s{0,3}["']?)${RegExp.escape(value)}(?![\\w-])`;
  if (knownNamed.has(source)) return;
  knownNamed.add(source);
  namedSecrets = [...namedSecrets, new RegExp(source, "gi")];
}

// Bounded repetitions: these run over whatever a backend prints, a line of ten million letters included.
const URL_USER = /\b([a-z][\w+.-]{0,30}:\/\/)[^\s/?#"'<>]+@/gi;
const URL_SECRET = /([?&][\w.-]{0,60}(?:key|token|secret|password|auth|sig|signature)=)[^\s&#"'<>]+/gi;
/** Six characters are a token where one of them is no lower-case letter: "Basic checks" is prose. */
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

/** Whoever cut the text before us (a limit on a line, on a body) may have left the beginning of a secret at its end. */
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

/** Every character that could control a terminal or begin a line is shown as its escape. Keeps JSON what it means. */
export function escapeControls(text: string, lines: "one line" | "many lines" = "one line"): string {
  return text.replace(lines === "one line" ? UNSAFE : UNSAFE_IN_LINES, escaped);
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return SHORT_ESCAPES[character] ?? units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

/** Text from outside, to stand in a sentence or a cell: one line, redacted before it is cut. */
export function shownLine(text: string, maxLength = Number.POSITIVE_INFINITY): string {
  // Redaction looks at more than is shown, but not at all of a line of a hundred megabytes.
  const start = maxLength === Number.POSITIVE_INFINITY ? text : text.slice(0, 4 * maxLength + 4096);
  const line = escapeControls(redact(start).trim());
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line;
}

/** A whole text of our own that may hold text from outside: its lines stay, nothing else controls a terminal. */
export function shownText(text: string): string {
  return escapeControls(redact(text), "many lines");
}

/** Text of several lines that goes on below a line of ours: indented, none of them can pass for one of ours. */
export function below(text: string, indent = "    "): string {
  return text.replaceAll("\n", `\n${indent}`);
}
