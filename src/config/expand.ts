// Environment variables in one string: `${VAR}`, `$VAR`, `${VAR:-default}`, `$$`. Knows no key and no file.

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Expansion {
  readonly text: string;
  /** The variables whose values are in the text now. */
  readonly used: ReadonlyMap<string, string>;
  /** The variables whose defaults were used. */
  readonly defaulted: ReadonlyMap<string, string>;
  /** The variables that are not set and have no default; the text keeps them as they were written. */
  readonly unset: ReadonlySet<string>;
  /** True where a `${…}` names nothing that an environment could hold. */
  readonly isMalformed: boolean;
}

const MARK = /\$(?:\$|\{|([A-Za-z_]\w*))/g;
/** `${env:NAME}` is how Cursor and VS Code write `${NAME}`. */
const BRACED = /^(?:env:)?([A-Za-z_]\w*)(?::-([\s\S]*))?$/;

/** As in a shell, `:-` also stands in for a variable that is set but empty; without it, empty is a value. */
export function expand(template: string, env: Environment): Expansion {
  const used = new Map<string, string>();
  const defaulted = new Map<string, string>();
  const unset = new Set<string>();
  let isMalformed = false;

  const replace = ({ written, name, fallback }: Reference): string => {
    if (written === "$$") return "$";
    if (name === undefined) {
      isMalformed = true;
      return written;
    }
    const value = env[name];
    if (typeof value === "string" && (value !== "" || fallback === undefined)) {
      used.set(name, value);
      return value;
    }
    if (fallback !== undefined) {
      const text = fill(fallback);
      defaulted.set(name, text);
      return text;
    }
    unset.add(name);
    return written;
  };

  const fill = (text: string): string => {
    let done = "";
    let from = 0;
    for (const match of text.matchAll(MARK)) {
      if (match.index < from) continue;
      const reference = readReference(text, match);
      done += text.slice(from, match.index) + replace(reference);
      from = match.index + reference.written.length;
    }
    return done + text.slice(from);
  };

  return { text: fill(template), used, defaulted, unset, isMalformed };
}

interface Reference {
  readonly written: string;
  /** Undefined for `$$` and for what names no variable. */
  readonly name?: string | undefined;
  readonly fallback?: string | undefined;
}

function readReference(text: string, { 0: mark, 1: name, index }: RegExpExecArray): Reference {
  if (mark !== "${") return { written: mark, name };
  const start = index + mark.length;
  const end = closingBrace(text, start);
  const written = text.slice(index, end + 1);
  if (end === text.length) return { written };
  const [, braced, fallback] = BRACED.exec(text.slice(start, end)) ?? [];
  return { written, name: braced, fallback };
}

/** Where the brace that was opened before `from` closes; the end of the text where it never does. */
export function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === "{") depth += 1;
    if (text[at] === "}") depth -= 1;
    if (depth === 0) return at;
  }
  return text.length;
}
