// Reads the line that a search answers with, as a model does: server, tool, arguments with their types. Knows no schema.

export interface Signature {
  readonly server: string;
  readonly tool: string;
  readonly parameters: readonly Parameter[];
}

export interface Parameter {
  readonly name: string;
  readonly isRequired: boolean;
  readonly type: string;
}

/** Undefined for a line that is no signature. Names of servers with dots are not told apart. */
export function readSignature(line: string): Signature | undefined {
  const [, server, tool, rest] = /^([^\s.(]+)\.([^\s(]+)\((.*)$/.exec(line) ?? [];
  if (server === undefined || tool === undefined || rest === undefined) return undefined;
  const end = endOf(rest, ")");
  return end < 0 ? undefined : { server, tool, parameters: readParameters(rest.slice(0, end)) };
}

/** `name: type, other?: type = default`; what is left out (`…`) stays left out. */
export function readParameters(text: string): Parameter[] {
  return splitAt(text, ",").flatMap((part) => {
    const [, name, mark, rest] = /^\s*("[^"]*"|[^\s?:]+)(\??): (.*)$/.exec(part) ?? [];
    if (name === undefined || rest === undefined) return [];
    const type = splitAt(rest, "=")[0] ?? rest;
    return [{ name: name.replace(/^"(.*)"$/, "$1"), isRequired: mark === "", type: type.trim() }];
  });
}

/** The choices of a union; a single one for every other type. */
export function choicesOf(type: string): string[] {
  return splitAt(type, "|").map((choice) => choice.trim());
}

function splitAt(text: string, separator: string): string[] {
  const parts: string[] = [];
  let rest = text;
  for (let end = endOf(rest, separator); end >= 0; end = endOf(rest, separator)) {
    parts.push(rest.slice(0, end));
    rest = rest.slice(end + 1);
  }
  return [...parts, rest];
}

/** Where a character stands outside of quotes and brackets; -1 where it does not. */
function endOf(text: string, wanted: string): number {
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "\\" && isQuoted) at += 1;
    else if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (depth === 0 && character === wanted) return at;
    else if ("([{".includes(character)) depth += 1;
    else if (")]}".includes(character)) depth -= 1;
  }
  return -1;
}
