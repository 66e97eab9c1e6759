// The tools whose names are nearest to one that does not exist. Must not know why the name was asked for.

import { distance } from "fastest-levenshtein";
import type { Corpus, Entry } from "./corpus.ts";
import { readQuery } from "./query.ts";
import { rank } from "./ranking.ts";
import type { ToolDoc } from "./tool.ts";
import { partsOf } from "./words.ts";

interface Named {
  readonly server: string | undefined;
  readonly name: string;
}

interface Near {
  readonly server: string;
  readonly tool: ToolDoc;
  readonly score: number;
}

/** The extra weight of tools whose server has a similar name; tools of the named server itself come first. */
const ALIKE_SERVER = 0.25;
const SAME_SERVER = 1;
const ALIKE_ELSEWHERE = 0.75;
/** From this similarity on, a tool of another server ranks among those of the named server. */
const SAME_NAME = 0.9;
/** What a name in other words (`read_doc`, `document_reader`) counts at best: less than nearly the same letters. */
const SAME_MEANING = 0.6;
/** Below this, nobody can have meant it. */
const LEAST_SCORE = 0.3;
/** Only so many characters of a name are compared. */
const LONGEST_NAME = 64;

export function nearest(corpus: Corpus, wanted: Named, limit: number): Near[] {
  if (limit < 1) return [];
  const name = plain(wanted.name);
  const meant = byMeaning(corpus, wanted);
  const found: Near[] = [];
  for (const candidate of corpus.all()) {
    const serverName = plain(candidate.name);
    const bonus = serverBonus(wanted.server, candidate.name);
    for (const entry of candidate.entries) {
      const toolName = plain(entry.tool.name);
      // `github__create_issue`, or the name alone.
      const spelling = Math.max(likeness(name, toolName), likeness(name, serverName + toolName));
      const own = Math.max(spelling, meant.get(entry) ?? 0);
      const score = own + (spelling >= SAME_NAME ? Math.max(bonus, ALIKE_ELSEWHERE) : bonus);
      if (own >= LEAST_SCORE) found.push({ server: candidate.name, tool: entry.tool, score });
    }
  }
  return found.sort(byScore).slice(0, limit);
}

function serverBonus(wanted: string | undefined, server: string): number {
  if (wanted === undefined) return 0;
  return wanted === server ? SAME_SERVER : ALIKE_SERVER * likeness(plain(wanted), plain(server));
}

function byMeaning(corpus: Corpus, { server, name }: Named): Map<Entry, number> {
  const query = partsOf(`${server ?? ""} ${name}`.slice(0, 2 * LONGEST_NAME)).join(" ");
  const ranked = rank(corpus, readQuery(query, corpus), 20);
  const best = ranked[0]?.score ?? 1;
  return new Map(ranked.map(({ entry, score }) => [entry, (SAME_MEANING * score) / best]));
}

function plain(name: string): string {
  return name
    .slice(0, LONGEST_NAME)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");
}

/** 1 for equal, 0 for nothing in common. */
function likeness(a: string, b: string): number {
  const longer = Math.max(a.length, b.length);
  return longer === 0 ? 0 : 1 - distance(a, b) / longer;
}

function byScore(a: Near, b: Near): number {
  if (a.score !== b.score) return b.score - a.score;
  const [first, second] = [`${a.server}.${a.tool.name}`, `${b.server}.${b.tool.name}`];
  if (first === second) return 0;
  return first < second ? -1 : 1;
}
