// What is different about a server since it was last well: its version, its package, its tools. Pure.

import { comparable, type Tool } from "./catalog.ts";

/** How a server was when it last started well. */
export interface LastGood {
  readonly atMs: number;
  readonly serverVersion: string;
  /** Of the package behind npx, bunx or uvx, where it could be read. */
  readonly packageVersion?: string;
  /** A hash of its tools. */
  readonly definitions: string;
}

export interface Observed {
  readonly lastGood: LastGood;
  readonly tools: readonly Tool[];
}

const MAX_NAMES = 10;

export function definitionsHash(tools: readonly Tool[]): string {
  return new Bun.CryptoHasher("sha256").update(comparable(tools)).digest("hex");
}

/** A sentence that says what has changed, or undefined where nothing has. */
export function describeDrift(before: Observed, now: Observed): string | undefined {
  const parts = [
    ...versionDrift("package", before.lastGood.packageVersion, now.lastGood.packageVersion),
    ...versionDrift("server", before.lastGood.serverVersion, now.lastGood.serverVersion),
  ];
  if (before.lastGood.definitions !== now.lastGood.definitions) {
    parts.push(...toolDrift(before.tools, now.tools));
  }
  return parts.length === 0 ? undefined : `${since(before.lastGood)}: ${parts.join("; ")}`;
}

/** For a start that failed: only the package can be looked at. */
export function describePackageDrift(
  before: LastGood,
  packageName: string,
  version: string | undefined,
): string | undefined {
  const [change] = versionDrift(`package ${packageName}`, before.packageVersion, version);
  if (change === undefined) return undefined;
  return `${since(before)}: ${change}. To go back, pin it: ${packageName}@${before.packageVersion}`;
}

function since({ atMs }: LastGood): string {
  return `changed since the last good start on ${new Date(atMs).toISOString().slice(0, 10)}`;
}

function versionDrift(what: string, before: string | undefined, now: string | undefined): string[] {
  return before === undefined || now === undefined || before === now ? [] : [`${what} ${before} → ${now}`];
}

function toolDrift(before: readonly Tool[], now: readonly Tool[]): string[] {
  const then = new Map(before.map((tool) => [tool.name, comparable(tool)]));
  const today = new Map(now.map((tool) => [tool.name, comparable(tool)]));
  return [
    named(
      "tools added",
      [...today.keys()].filter((name) => !then.has(name)),
    ),
    named(
      "tools removed",
      [...then.keys()].filter((name) => !today.has(name)),
    ),
    named(
      "tools changed",
      [...today].filter(([name, text]) => then.has(name) && then.get(name) !== text).map(([name]) => name),
    ),
  ].flat();
}

function named(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const rest = names.length > MAX_NAMES ? `, and ${names.length - MAX_NAMES} more` : "";
  return [`${what}: ${names.slice(0, MAX_NAMES).join(", ")}${rest}`];
}
