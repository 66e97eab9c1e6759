// Log lines to stderr, as text for a person or as JSON for a collector.

import picocolors from "picocolors";
import { escapeControls, redact } from "./shown.ts";

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
  /** A function is asked for every line: the level may change while the program runs. */
  readonly level: LogLevel | (() => LogLevel);
  readonly format: LogFormat;
  /** Whether text is coloured; the caller has looked at the terminal and at NO_COLOR. */
  readonly color?: boolean;
  /** Where finished lines go; stderr unless told. */
  readonly write?: (line: string) => void;
}

const RANK: Record<LogLevel, number> = { DEBUG: 0, INFO: 1, WARNING: 2, ERROR: 3 };
const MASK = "***";
const MAX_VALUE_LENGTH = 8192;
const MAX_DEPTH = 4;

const SECRET_FIELD =
  /^(?:proxy-)?authorization$|^(?:set-)?cookie$|password|secret|api[-_]?key|(?:^|[-_])token$/i;

export function createLog(options: LogOptions): Log {
  const write = options.write ?? writeToStderr;
  const { level: given } = options;
  const threshold = typeof given === "function" ? () => RANK[given()] : () => RANK[given];
  const format = options.format === "json" ? formatJson : textFormat(options.color ?? false);

  const make = (bound: LogFields): Log => {
    const emit = (level: LogLevel, message: string, fields?: LogFields) => {
      if (RANK[level] < threshold()) return;
      write(`${format(level, cleanText(message), cleanFields({ ...bound, ...fields }))}\n`);
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

type Format = (level: LogLevel, message: string, fields: LogFields) => string;

/** The line's own keys come first and cannot be overwritten by a field of the same name. */
const formatJson: Format = (level, message, fields) => {
  const line: Record<string, unknown> = { time: new Date().toISOString(), level, message };
  for (const [key, value] of Object.entries(fields)) line[key in line ? `${key}_` : key] = value;
  return escapeControls(JSON.stringify(line));
};

function textFormat(isColored: boolean): Format {
  const paint = picocolors.createColors(isColored);
  const tints = { DEBUG: paint.dim, INFO: paint.cyan, WARNING: paint.yellow, ERROR: paint.red };
  return (level, message, fields) => {
    const time = new Date().toISOString().slice(11, 23);
    const parts = [paint.dim(time), tints[level](level.padEnd(7)), escapeControls(message)];
    for (const [key, value] of Object.entries(fields)) {
      parts.push(`${paint.dim(`${escapeControls(key)}=`)}${showValue(value)}`);
    }
    return redact(parts.join(" "));
  };
}

function showValue(value: unknown): string {
  if (typeof value === "string" && /^[\w./:@*-]+$/.test(value)) return value;
  return escapeControls(JSON.stringify(value));
}

function cleanFields(fields: LogFields, depth = 0): Record<string, unknown> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([key, value]) => [
      redact(key),
      typeof value === "string" && SECRET_FIELD.test(key) ? MASK : cleanValue(value, depth + 1),
    ]),
  );
}

/** A copy that is safe to show and that JSON can write, whatever was passed. */
function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  if (typeof value !== "object") return cleanText(String(value));
  if (value instanceof Error) return cleanText(describeError(value));
  if (depth > MAX_DEPTH) return "…";
  if (Array.isArray(value)) return value.map((item) => cleanValue(item, depth + 1));
  if (value instanceof Date || value instanceof URL) return cleanText(String(value.toJSON()));
  return cleanFields({ ...value }, depth);
}

function cleanText(text: string): string {
  // Redaction reads more than is written, but not a whole text of a hundred megabytes.
  const clean = redact(text.slice(0, 4 * MAX_VALUE_LENGTH));
  if (clean.length <= MAX_VALUE_LENGTH && text.length <= 4 * MAX_VALUE_LENGTH) return clean;
  return `${clean.slice(0, MAX_VALUE_LENGTH)}… (${text.length - MAX_VALUE_LENGTH} more characters)`;
}

function describeError(error: Error, depth = 0): string {
  // What the runtime itself throws (a DOMException, say) may have an empty stack.
  const own = error.stack ? error.stack : `${error.name}: ${error.message}`;
  if (error.cause === undefined || depth >= MAX_DEPTH) return own;
  const cause = error.cause instanceof Error ? describeError(error.cause, depth + 1) : String(error.cause);
  return `${own}\ncaused by: ${cause}`;
}

let isStderrGuarded = false;

/** Bun ends a process, with exit code 0, that writes to a stderr nobody reads and nobody listens on for errors. */
function writeToStderr(line: string): void {
  if (!isStderrGuarded) {
    isStderrGuarded = true;
    process.stderr.on("error", () => {
      // Nobody reads the log any more, and there is no other place to say so.
    });
  }
  process.stderr.write(line);
}

const ignore = (): void => {
  // Nothing is written.
};

/** For tests and for embedding programs that bring their own log. */
export const silentLog: Log = {
  debug: ignore,
  info: ignore,
  warning: ignore,
  error: ignore,
  with: () => silentLog,
};
