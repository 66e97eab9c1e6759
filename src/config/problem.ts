// What is wrong in a configuration, as a person reads it: where, what was found, what was expected. Never a secret.

import { distance } from "fastest-levenshtein";
import { shownLine } from "../shown.ts";

export type Path = readonly (string | number)[];

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface ConfigProblem extends Partial<Position> {
  /** As the file was named to us; absent for a configuration built in code. */
  readonly file?: string;
  /** `backends.tavily.idle_timeout`; empty for the whole file. */
  readonly path: string;
  /** The whole sentence, without place and suggestion. */
  readonly message: string;
  readonly found?: string;
  readonly expected?: string;
  /** "did you mean" */
  readonly suggestion?: string | undefined;
}

/** The configuration is wrong; every problem is in here. Exit code 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(formatProblem).join("\n"));
    this.problems = problems;
  }

  /** One line for each problem, in the order of the file. */
  format(): string {
    return this.message;
  }
}

/** There is no configuration to judge: the file is missing or cannot be read. Exit code 1. */
export class ConfigFileError extends Error {
  override readonly name = "ConfigFileError";
}

export function formatProblem(problem: ConfigProblem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(":");
  const hint = problem.suggestion === undefined ? "" : `; did you mean "${problem.suggestion}"?`;
  // Keys and names in a file may contain any characters, but a problem must stay on one line.
  return shownLine(`${place === "" ? "" : `${place}: `}${problem.message}${hint}`);
}

export function pathText(path: Path): string {
  return path.join(".");
}

/** What a value is, in words. Only a value that cannot be a secret is shown itself. */
export function describe(value: unknown, isShown: boolean): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  if (value === "") return "empty text";
  if (typeof value === "string") return isShown && value.length <= 40 ? JSON.stringify(value) : "text";
  if (typeof value === "number" || typeof value === "boolean") {
    return isShown ? String(value) : `a ${typeof value === "number" ? "number" : "true or false"}`;
  }
  return `a ${typeof value}`;
}

/** The candidate that was probably meant: a typo away, spelt another way (`idleTimeout`), or begun (`desc`). */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[_-]/g, "");
  const limit = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    const isBegun = word.length > 2 && plain(candidate).startsWith(plain(word));
    const steps = isBegun ? 1 : distance(plain(word), plain(candidate));
    if (steps < bestDistance) [best, bestDistance] = [candidate, steps];
  }
  return best;
}
