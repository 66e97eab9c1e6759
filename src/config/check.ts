// Holds plain values against the schema: collects every problem and hands back what is sound. Knows no key by name.

import { KindGuard, type TObject, type TRecord, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { type ConfigProblem, describe, nearest, type Path, pathText } from "./problem.ts";
import { hintsOf } from "./shapes.ts";
import type { Source } from "./source.ts";

type Detail = Pick<ConfigProblem, "message" | "found" | "expected" | "suggestion">;

/** Everything that reading one source brought to light. */
export interface Findings {
  readonly source: Source;
  readonly problems: readonly ConfigProblem[];
  readonly notes: readonly string[];
  problem(path: Path, on: "key" | "value", detail: Detail): void;
  /** A problem that comes from outside the source: the command line. */
  override(problem: ConfigProblem): void;
  note(path: Path, text: string): void;
  /** The path with its file and line, to name in a sentence. */
  place(path: Path): string;
}

export function createFindings(source: Source): Findings {
  const problems: ConfigProblem[] = [...source.problems];
  const notes: string[] = [];
  const file = source.file === undefined ? {} : { file: source.file };
  const lineOf = (path: Path) =>
    source.file && [source.file, source.position(path, "key")?.line ?? []].flat().join(":");
  return {
    source,
    problems,
    notes,
    problem: (path, on, detail) => {
      problems.push({ ...file, ...source.position(path, on), path: pathText(path), ...detail });
    },
    override: (problem) => problems.push(problem),
    note: (path, text) => {
      const where = lineOf(path);
      notes.push(where === undefined ? text : `${where}: ${text}`);
    },
    place: (path) => {
      const where = lineOf(path);
      return where === undefined ? pathText(path) : `${pathText(path)} (${where})`;
    },
  };
}

/** The sound part of a value: keys as written, numbers turned to text where only text makes sense. */
export function check(schema: TSchema, value: unknown, path: Path, findings: Findings): unknown {
  if (KindGuard.IsObject(schema)) return checkObject(schema, value, path, findings);
  if (KindGuard.IsRecord(schema)) return checkRecord(schema, value, path, findings);
  if (KindGuard.IsArray(schema) && Array.isArray(value)) {
    const items = value.map((item, index) => check(schema.items, item, [...path, index], findings));
    return items.filter((item) => item !== undefined);
  }
  return checkLeaf(schema, value, path, findings);
}

/** The entries of a map, in the order in which they stand; undefined where the value is no map. */
export function entriesOf(value: unknown): [key: string, value: unknown][] | undefined {
  if (value instanceof Map) return [...value].map(([key, inner]) => [String(key), inner]);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.entries(value).filter(([, inner]) => inner !== undefined);
}

/** A map, or a list that is short for one of its keys. */
function asMap(schema: TObject, value: unknown): unknown {
  const { listIs } = hintsOf(schema);
  if (listIs !== undefined && Array.isArray(value)) return { [listIs]: value };
  return value ?? {};
}

function checkObject(schema: TObject, value: unknown, path: Path, findings: Findings): unknown {
  const entries = entriesOf(asMap(schema, value));
  if (entries === undefined) return refuse(schema, value, path, findings);
  const sound: Record<string, unknown> = Object.create(null);
  const present = new Set(entries.map(([key]) => key));
  const given = new Map<string, string>();
  for (const [key, inner] of entries) {
    const property = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
    const at = [...path, key];
    if (property === undefined) {
      refuseKey(schema, key, { path, present, findings });
      continue;
    }
    const { aliasOf = key, ignored, isFolder = false } = hintsOf(property);
    const twin = given.get(aliasOf);
    if (twin !== undefined) {
      const message = `"${key}" and "${twin}" ${inPlace(path)} mean the same; keep one of them`;
      findings.problem(at, "key", { message });
    }
    given.set(aliasOf, key);
    if (ignored !== undefined) findings.note(at, `${pathText(at)} has no effect: ${ignored}`);
    // A key with nothing behind it is a key left out; but YAML takes a lone `~` for nothing as well.
    else if (inner !== null) sound[key] = check(property, inner, at, findings);
    else if (isFolder && findings.source.text(at) === "~") sound[key] = "~";
    if (sound[key] === undefined) delete sound[key];
  }
  return sound;
}

interface Container {
  readonly path: Path;
  readonly present: ReadonlySet<string>;
  readonly findings: Findings;
}

function refuseKey(schema: TObject, key: string, { path, present, findings }: Container): void {
  const at = [...path, key];
  const patterns: unknown = schema.patternProperties ?? {};
  if (Object.keys(patterns ?? {}).some((pattern) => new RegExp(pattern).test(key))) return;
  const known = Object.entries(schema.properties).filter(([, property]) => property.deprecated !== true);
  const suggestion = nearest(
    key,
    known.map(([name]) => name),
  );
  const reason = hintsOf(schema).tolerates?.(key, present);
  if (reason !== undefined && (suggestion === undefined || !present.has("mcpServers"))) {
    findings.note(at, `${pathText(at)} has no effect: ${reason}`);
    return;
  }
  const own = known
    .filter(([, property]) => hintsOf(property).aliasOf === undefined && hintsOf(property).isForeign !== true)
    .map(([name]) => name);
  const expected = `one of ${own.join(", ")}`;
  const message = `unknown key "${key}" ${inPlace(path)}${suggestion === undefined ? `; expected ${expected}` : ""}`;
  findings.problem(at, "key", { message, expected, suggestion });
}

function checkRecord(schema: TRecord, value: unknown, path: Path, findings: Findings): unknown {
  const entries = entriesOf(value);
  if (entries === undefined) return refuse(schema, value, path, findings);
  const sound: Record<string, unknown> = Object.create(null);
  for (const [pattern, inner] of Object.entries(schema.patternProperties)) {
    const name = new RegExp(pattern);
    for (const [key, entry] of entries) {
      const at = [...path, key];
      const checked = check(inner, entry, at, findings);
      if (!name.test(key)) refuseName(schema, name, at, findings);
      else if (checked !== undefined) sound[key] = checked;
    }
  }
  return sound;
}

function refuseName(schema: TRecord, pattern: RegExp, path: Path, findings: Findings): void {
  const name = String(path.at(-1));
  const { expectedName: expected = "another name" } = hintsOf(schema);
  const found = JSON.stringify(name);
  const message = `the name ${found} ${inPlace(path.slice(0, -1))} must be ${expected}`;
  const repaired = name.replaceAll(/[^\w.-]+/g, "-").slice(0, 64);
  const suggestion = pattern.test(repaired) && /[A-Za-z0-9]/.test(repaired) ? repaired : undefined;
  findings.problem(path, "key", { message, found, expected, suggestion });
}

function checkLeaf(schema: TSchema, value: unknown, path: Path, findings: Findings): unknown {
  const { verify, isText = false } = hintsOf(schema);
  if (!Value.Check(schema, value) || verify?.(value) === false) return refuse(schema, value, path, findings);
  if (!isText || typeof value === "string") return value;
  return findings.source.text(path) ?? String(value);
}

function refuse(schema: TSchema, value: unknown, path: Path, findings: Findings): undefined {
  const { expected = "something else", isShown = false, choices } = hintsOf(schema);
  const found = describe(value, isShown);
  const suggestion = choices !== undefined && typeof value === "string" ? nearest(value, choices) : undefined;
  const subject = path.length === 0 ? "the configuration" : pathText(path);
  const message = `${subject} must be ${expected}, not ${found}`;
  findings.problem(path, "value", { message, found, expected, suggestion });
  return;
}

function inPlace(path: Path): string {
  return path.length === 0 ? "at the top level" : `in ${pathText(path)}`;
}
