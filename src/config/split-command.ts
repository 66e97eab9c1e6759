// Splits a command line into words by the quoting rules of a shell, without a shell. Of variables it knows only where
// `${…}` ends. shell-quote, shlex and string-argv were tried: none keeps Windows paths, reports an open quote and
// leaves `${X:-a b}` whole.

import { closingBrace } from "./expand.ts";

export type Split =
  | { readonly words: readonly string[] }
  /** A quote that never ends; `at` counts characters from 1. */
  | { readonly openQuote: string; readonly at: number };

const POSIX =
  /(?<space>\s+)|(?<joint>\\\r?\n)|'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\[\s\S])*)"|\\(?<bare>[\s\S])|(?<brace>\$\{)|(?<open>['"])|(?<plain>[\s\S])/y;
/** A backslash is a part of a path here, except before a double quote. */
const WINDOWS =
  /(?<space>\s+)|'(?<single>[^']*)'|"(?<double>(?:\\"|[^"])*)"|\\(?<bare>")|(?<brace>\$\{)|(?<open>['"])|(?<plain>[\s\S])/y;

/**
 * Quotes group, a backslash takes the next character as it is. A variable stays in one word whatever its value will
 * be, because expansion comes after this; quotes do not hide it: `$$` is the literal dollar everywhere.
 */
export function splitCommand(line: string, platform: NodeJS.Platform): Split {
  const isWindows = platform === "win32";
  const token = new RegExp(isWindows ? WINDOWS : POSIX);
  const words: string[] = [];
  let word: string | undefined;
  while (token.lastIndex < line.length) {
    const at = token.lastIndex;
    const part = token.exec(line)?.groups ?? {};
    if (part.open !== undefined) return { openQuote: part.open, at: at + 1 };
    if (part.brace !== undefined) token.lastIndex = closingBrace(line, token.lastIndex) + 1;
    if (part.space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (part.joint === undefined) {
      word = (word ?? "") + (unquoted(part, isWindows) ?? line.slice(at, token.lastIndex));
    }
  }
  if (word !== undefined) words.push(word);
  return { words };
}

type Part = NonNullable<RegExpExecArray["groups"]>;

function unquoted({ single, double, bare }: Part, isWindows: boolean): string | undefined {
  if (isWindows) return single ?? double?.replaceAll('\\"', '"') ?? bare;
  // An escaped dollar must survive the expansion that follows.
  const literal = (char: string) => (char === "$" ? "$$" : char);
  return (
    single ??
    double?.replaceAll(/\\(?:([\\"$`])|\r?\n)/g, (_, char: string | undefined) => literal(char ?? "")) ??
    (bare === undefined ? undefined : literal(bare))
  );
}
