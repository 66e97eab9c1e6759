// Log lines to stderr, as text for a person or as JSON for a collector. Secrets are cut out here and nowhere else.

import picocolors from "picocolors";

export type LogLevel = "DEBUG" | "INFO" | "WARNING" | "ERROR";
export type LogFormat = "text" | "json";
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose every line carries these fields too. */
  with(fields: LogFields): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly color?: boolean;
  /** Where finished lines go; stderr unless told. */
  readonly write?: (line: string) => void;
}

const RANK: Record<LogLevel, number> = { DEBUG: 0, INFO: 1, WARNING: 2, ERROR: 3 };
const MIN_SECRET_LENGTH = 6;
const secrets = new Set<string>();

/**
 * Makes every later line show `***` in the place of this value. Values too short to be secrets are left alone:
 * masking "1" or "true" would make every line unreadable.
 */
export function registerSecret(value: string): void {
  if (value.length >= MIN_SECRET_LENGTH) secrets.add(value);
}

/** Cuts registered secrets, URL passwords and bearer tokens out of a text that a person or a model may see. */
export function redact(text: string): string {
  let clean = text
    .replace(/(\w+:\/\/)[^\s/@]+@/g, "$1***@")
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, "$1 ***");
  for (const secret of secrets) {
    if (clean.includes(secret)) clean = clean.replaceAll(secret, "***");
  }
  return clean;
}

export function createLog(options: LogOptions): Log {
  const write = options.write ?? ((line: string) => process.stderr.write(line));
  const paint = picocolors.createColors(options.color ?? false);
  const threshold = RANK[options.level];
  const format = options.format === "json" ? formatJson : (...args: FormatArgs) => formatText(paint, ...args);

  const make = (bound: LogFields): Log => {
    const emit = (level: LogLevel, message: string, fields?: LogFields) => {
      if (RANK[level] < threshold) return;
      write(redact(`${format(level, message, fields === undefined ? bound : { ...bound, ...fields })}\n`));
    };
    return {
      debug: (message, fields) => emit("DEBUG", message, fields),
      info: (message, fields) => emit("INFO", message, fields),
      warning: (message, fields) => emit("WARNING", message, fields),
      error: (message, fields) => emit("ERROR", message, fields),
      with: (fields) => make({ ...bound, ...fields }),
    };
  };
  return make({});
}

type FormatArgs = [level: LogLevel, message: string, fields: LogFields];

function formatJson(level: LogLevel, message: string, fields: LogFields): string {
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...plain(fields) });
}

function formatText(paint: ReturnType<typeof picocolors.createColors>, ...[level, message, fields]: FormatArgs): string {
  const tint = { DEBUG: paint.dim, INFO: paint.cyan, WARNING: paint.yellow, ERROR: paint.red }[level];
  const rest = Object.entries(plain(fields))
    .map(([key, value]) => `${paint.dim(`${key}=`)}${typeof value === "string" ? quote(value) : JSON.stringify(value)}`)
    .join(" ");
  const time = new Date().toISOString().slice(11, 23);
  return `${paint.dim(time)} ${tint(level.padEnd(7))} ${message}${rest === "" ? "" : ` ${rest}`}`;
}

function quote(value: string): string {
  return /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
}

function plain(fields: LogFields): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    out[key] = value instanceof Error ? (value.stack ?? value.message) : value;
  }
  return out;
}

/** For tests and for embedding programs that bring their own log. */
export const silentLog: Log = createLog({ level: "ERROR", format: "json", write: () => {} });
