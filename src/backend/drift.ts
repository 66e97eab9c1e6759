// What is different about a server since it last started well: its version, its package, its tools. Pure.

import { writeJson } from "../protocol/exact.ts";
import type { Tool } from "./catalog.ts";

/** How a server was when it last started well. */
export interface LastGood {
  readonly atMs: number;
  readonly serverVersion: string;
  /** Of the package behind npx, bunx or uvx, where it could be read. */
  readonly packageVersion?: string;
  /** By name, a hash of each tool's definition. */
  readonly tools: Readonly<Record<string, string>>;
}

const MAX_NAMES = 10;
const HASH_LENGTH = 16;

export function hashTools(tools: readonly Tool[]): Record<string, string> {
  const hash = (tool: Tool) => new Bun.CryptoHasher("sha256").update(writeJson(tool)).digest("hex");
  return Object.fromEntries(tools.map((tool) => [tool.name, hash(tool).slice(0, HASH_LENGTH)]));
}

/** A sentence that says what has changed, or undefined where nothing has. */
export function describeDrift(before: LastGood, now: LastGood): string | undefined {
  const parts = [
    ...versionDrift("package", before.packageVersion, now.packageVersion),
    ...versionDrift("server", before.serverVersion, now.serverVersion),
    ...toolDrift(new Map(Object.entries(before.tools)), new Map(Object.entries(now.tools))),
  ];
  return parts.length === 0 ? undefined : `${since(before)}: ${parts.join("; ")}`;
}

/** For a start that failed: only the package can be looked at. */
export function describePackageDrift(
  before: LastGood,
  packageName: string,
  version: string,
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

type Hashes = ReadonlyMap<string, string>;

function toolDrift(before: Hashes, now: Hashes): string[] {
  const added = [...now.keys()].filter((name) => !before.has(name));
  const removed = [...before.keys()].filter((name) => !now.has(name));
  const changed = [...now]
    .filter(([name, hash]) => before.has(name) && before.get(name) !== hash)
    .map(([name]) => name);
  return [
    ...listed("tools added", added),
    ...listed("tools removed", removed),
    ...listed("tools changed", changed),
  ];
}

function listed(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const rest = names.length > MAX_NAMES ? `, and ${names.length - MAX_NAMES} more` : "";
  return [`${what}: ${names.slice(0, MAX_NAMES).join(", ")}${rest}`];
}
