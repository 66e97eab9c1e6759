// The text of a configuration, or an object that a program passed, as plain values that remember where they were
// written. Knows YAML and JSON, and no key.

import { resolve } from "node:path";
import {
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
} from "yaml";
import { readSmallFile, UnfitFileError } from "../small-file.ts";
import { ConfigFileError, type ConfigProblem, type Path, type Position, pathText } from "./problem.ts";

/** The parser takes seconds for more. */
export const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

export interface Source {
  /** As problems name it; absent for an object. */
  readonly file?: string;
  /**
   * Maps are `Map`s where they come from text and objects where a program passed them. Null for an empty file,
   * undefined where `problems` say why there is nothing to look at.
   */
  readonly root: unknown;
  /** The parts that could be read despite the problems. */
  readonly remains: unknown;
  /** Wrong before any key has a meaning: syntax, duplicate keys. */
  readonly problems: readonly ConfigProblem[];
  position(path: Path, on: "key" | "value"): Position | undefined;
  /** A scalar as it was written: `00123` and not the number 123. */
  text(path: Path): string | undefined;
}

export function objectSource(root: unknown): Source {
  return { root, remains: root, problems: [], position: () => undefined, text: () => undefined };
}

export function fileSource(path: string, cwd: string): Source {
  return textSource(readText(path, resolve(cwd, path)), path);
}

function readText(path: string, absolutePath: string): string {
  try {
    const bytes = readSmallFile(absolutePath, MAX_CONFIG_BYTES);
    // Windows PowerShell writes UTF-16 with `>`.
    return new TextDecoder(bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8").decode(bytes);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new ConfigFileError(`Config file not found: ${path}`, { cause });
    }
    const why = cause instanceof UnfitFileError ? cause.message : String(code ?? cause);
    throw new ConfigFileError(`Config file cannot be read: ${path} (${why})`, { cause });
  }
}

export function textSource(text: string, file: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(withoutJsonComments(text.replace(/^\uFEFF/, "")), {
    lineCounter: lines,
    logLevel: "error",
    merge: true,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
  });
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const { root, problems } = judge(document, positionAt);
  return {
    file,
    root,
    get remains() {
      return root ?? remainsOf(document);
    },
    problems: problems.map((problem) => ({ file, ...problem })),
    position: (path, on) => {
      const { key, value } = find(document, path) ?? {};
      const node = on === "value" && !isNothing(value) ? value : (key ?? value);
      return node?.range ? positionAt(node.range[0]) : undefined;
    },
    text: (path) => {
      const node = find(document, path)?.value;
      const scalar = isAlias(node) ? node.resolve(document) : node;
      return isScalar(scalar) && typeof scalar.source === "string" ? scalar.source : undefined;
    },
  };
}

/** Comments become blanks, so that every position stays. What only looks like one, as in `http://`, is left. */
function withoutJsonComments(text: string): string {
  if (!/^\s*(?:\{|\/[/*])/.test(text)) return text;
  return text.replaceAll(
    /("(?:[^"\\\n]|\\.)*"|'[^'\n]*')|(?<![^\s,{}[\]"])(?:\/\/.*|\/\*[\s\S]*?\*\/)/g,
    (match, quoted: string | undefined) => quoted ?? match.replaceAll(/[^\r\n]/g, " "),
  );
}

/** Words of our own where the parser's are hard to act on or repeat what stands in the file: it may be a secret. */
const SYNTAX: Partial<Record<ErrorCode, string>> = {
  BAD_COLLECTION_TYPE: "a tag that does not fit its value",
  BAD_DIRECTIVE: 'a directive that is not known; a line that begins with "%" needs quotes',
  BAD_DQ_ESCAPE: "a backslash in double quotes starts no known escape; write \\\\, or use single quotes",
  BLOCK_AS_IMPLICIT_KEY:
    'a key inside a value, or a line indented by mistake; a value that contains ": " needs quotes',
  MULTILINE_IMPLICIT_KEY: 'a line that is no "key: value", or one indented by mistake',
  MULTIPLE_DOCS: 'a second document; only one may stand in the file, and "---" begins another',
  NON_STRING_KEY: "a key that is not plain text",
  RESOURCE_EXHAUSTION: "lists or maps nested too deeply",
  TAG_RESOLVE_FAILED: 'a tag that is not known; a value that begins with "!" needs quotes',
  TAB_AS_INDENT: "a tab is used as indentation; use spaces",
  UNEXPECTED_TOKEN: "something that YAML does not allow here",
};

type PositionAt = (offset: number) => Position;

function judge(
  document: Document.Parsed,
  positionAt: PositionAt,
): { root?: unknown; problems: ConfigProblem[] } {
  const syntax = syntaxProblems(document, positionAt);
  if (syntax.length > 0) return { problems: syntax };
  const problems: ConfigProblem[] = [];
  try {
    problems.push(...nodeProblems(document, positionAt));
    return { root: document.toJS({ mapAsMap: true }), problems };
  } catch (thrown) {
    if (problems.length > 0) return { problems };
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return { problems: [{ path: "", message: `the file cannot be read as YAML: ${why}` }] };
  }
}

function remainsOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ mapAsMap: true });
  } catch {
    return undefined; // No part could be read.
  }
}

/** One problem a line: one slip often makes the parser stumble several times. */
function syntaxProblems(document: Document.Parsed, positionAt: PositionAt): ConfigProblem[] {
  const byLine = new Map<number, ConfigProblem>();
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const position = positionAt(pos[0]);
    if (byLine.has(position.line)) continue;
    byLine.set(position.line, {
      ...position,
      path: "",
      message: `not valid YAML: ${SYNTAX[code] ?? message}`,
    });
  }
  return [...byLine.values()];
}

/** Duplicate keys and aliases without anchors, in a node and all that stands in it. */
function nodeProblems(document: Document.Parsed, positionAt: PositionAt): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const at = (node: unknown): Partial<Position> =>
    isScalar(node) || isAlias(node) ? positionAt(node.range?.[0] ?? 0) : {};
  const inspectMap = (pairs: Pair[], path: Path) => {
    const first = new Map<string, Pair>();
    for (const pair of pairs) {
      const key = keyText(pair);
      const earlier = first.get(key);
      if (earlier === undefined) first.set(key, pair);
      else if (key !== "<<") {
        const place = path.length === 0 ? "at the top level" : `in ${pathText(path)}`;
        const message = `duplicate key "${key}" ${place}; it stands on line ${at(earlier.key).line} already`;
        problems.push({ ...at(pair.key), path: pathText([...path, key]), message });
      }
      inspect(pair.value, [...path, key]);
    }
  };
  const inspect = (node: unknown, path: Path) => {
    if (isMap(node)) inspectMap(node.items, path);
    else if (isSeq(node)) for (const [index, item] of node.items.entries()) inspect(item, [...path, index]);
    else if (isAlias(node) && node.resolve(document) === undefined) {
      const message =
        'not valid YAML: an alias without its anchor; a value that begins with "*" needs quotes';
      problems.push({ ...at(node), path: "", message });
    }
  };
  inspect(document.contents, []);
  return problems;
}

interface Place {
  readonly key?: Node | undefined;
  readonly value?: Node | undefined;
}

function find(document: Document.Parsed, path: Path): Place | undefined {
  let here: Place | undefined = { value: document.contents ?? undefined };
  for (const step of path) {
    const node: Node | undefined = isAlias(here?.value) ? here.value.resolve(document) : here?.value;
    if (isSeq<Node>(node)) here = { value: node.items[Number(step)] };
    else here = pairIn(document, node, String(step));
  }
  return here;
}

function pairIn(document: Document.Parsed, container: Node | undefined, key: string): Place | undefined {
  const map = isAlias(container) ? container.resolve(document) : container;
  if (!isMap<Node, Node>(map)) return undefined;
  const own = map.items.findLast((pair) => keyText(pair) === key);
  if (own !== undefined) return { key: own.key, value: own.value ?? undefined };
  for (const merge of map.items.filter((pair) => keyText(pair) === "<<")) {
    const value = isAlias(merge.value) ? merge.value.resolve(document) : merge.value;
    for (const merged of isSeq<Node>(value) ? value.items : [value]) {
      const place = pairIn(document, merged ?? undefined, key);
      if (place !== undefined) return place;
    }
  }
  return undefined;
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : "";
}

function isNothing(node: Node | undefined): boolean {
  return node === undefined || (isScalar(node) && node.value === null);
}
