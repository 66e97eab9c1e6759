// Searches the tools of a configuration as a model would, and says why each hit was found.

import { below, shownLine } from "../shown.ts";
import { type ExplainedLine, Survey } from "../survey.ts";
import { type CommonOptions, readConfig } from "./config-option.ts";
import { printJson, printNote, printResult } from "./print.ts";
import { untilInterrupted } from "./until-interrupted.ts";

export interface SearchOptions extends CommonOptions {
  readonly explain?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

/** Exit code 1 where nothing was found. */
export async function search(query: string, options: SearchOptions): Promise<void> {
  const config = readConfig(options);
  await using survey = await Survey.take(config, untilInterrupted());
  const hits = survey.explain(query, options.limit);
  const unavailable = survey.servers.filter(({ problem }) => problem !== undefined);
  if (options.json === true) {
    const found = hits.map((hit) => toJson(hit, options.explain === true));
    const missing = unavailable.map(({ name, problem }) => ({ server: name, problem }));
    printJson({ query, hits: found, unavailable: missing });
  } else {
    for (const hit of hits) printResult(options.explain === true ? explained(hit) : shownLine(hit.line));
    for (const { problem = "" } of unavailable) printNote(`not searched: ${below(problem)}`);
    if (hits.length === 0) printNote(`No tool fits "${query}".`);
  }
  if (hits.length === 0) process.exitCode = 1;
}

function toJson({ server, tool, line, score, parts, words }: ExplainedLine, isExplained: boolean): object {
  const hit = { server, tool: tool.name, score: Number(score.toFixed(4)), line };
  return isExplained ? { ...hit, parts, words } : hit;
}

/** The line, the parts of the score, and for each word of the query what it was found as, and where. */
function explained({ line, score, parts, words }: ExplainedLine): string {
  const sum = Object.entries(parts)
    .filter(([, points]) => points !== 0)
    .map(([name, points]) => `${name} ${points.toFixed(2)}`);
  const reasons = words.map(({ word, points, matches }) => {
    if (matches.length === 0) return `    ${word}: not found`;
    const where = matches.map(({ word: found, how, fields }) => {
      const as = found === word ? "" : ` as ${found} (${how})`;
      return `${Object.keys(fields).join(", ")}${as}`;
    });
    return `    ${word}: ${points.toFixed(2)} in ${shownLine(where.join("; "))}`;
  });
  return [shownLine(line), `  score ${score.toFixed(2)} = ${sum.join(", ")}`, ...reasons].join("\n");
}
