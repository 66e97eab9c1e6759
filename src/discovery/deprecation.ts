// Finds out whether a tool's description calls it deprecated, and which replacement it names.

import { type ToolDoc, textOf } from "./tool.ts";
import { oneLine } from "./type-text.ts";

const LONGEST_READ = 1_000;
const LONGEST_ADVICE = 80;
/** In capitals, as a label, or said of the tool itself; "lists deprecated packages" is none of these. */
const LABEL =
  /\bDEPRECATED\b|\bDeprecated\b(?=\s*[:;.,!)\]*—–-]|\s*$|\s+(?:since|as of|in favou?r|and will|use|please)\b)/;
const STATEMENT =
  /\bthis (?:tool|function|method|endpoint|command|action|operation|api)\b[^.\n]{0,40}\bdeprecated\b|\b(?:is|was|has been) (?:now )?deprecated (?:in favou?r of|since|and)\b/i;

export interface Deprecation {
  /** The advice, such as "Use read_text_file instead"; empty if there is none. */
  readonly advice: string;
}

export function deprecationOf(tool: ToolDoc): Deprecation | undefined {
  const description = textOf(tool.description, LONGEST_READ);
  const match = LABEL.exec(description) ?? STATEMENT.exec(description);
  if (match !== null) return { advice: adviceAfter(description, match.index + match[0].length) };
  // Only as a label at one end of the name: `npm_deprecated_packages` is about deprecated packages.
  const names = [tool.name, tool.title].map((name) => textOf(name, LONGEST_READ));
  return names.some((name) => /^\W*deprecated[^a-z]|[^a-z]deprecated\W*$/i.test(name))
    ? { advice: "" }
    : undefined;
}

/** The text between the word and the end of its sentence. */
function adviceAfter(description: string, end: number): string {
  const rest = description.slice(end).replace(/^[\s:;.,!)\]*—–-]+/, "");
  const [sentence = ""] = rest.split(/[.!?](?:\s|$)|\n/, 1);
  return /\b(?:use|instead|in favou?r|replaced|prefer|see|call)\b/i.test(sentence)
    ? oneLine(sentence, LONGEST_ADVICE)
    : "";
}
