// What the tools of a configuration cost a model in tokens: all of them, or the four and a search now and then.

import { below } from "../shown.ts";
import { type Definition, Survey } from "../survey.ts";
import { type CommonOptions, readConfig } from "./config-option.ts";
import { printJson, printNote, printResult, table } from "./print.ts";
import { type CountTokens, loadTokenizer, TOKENIZER } from "./tokenizer.ts";
import { untilInterrupted } from "./until-interrupted.ts";

export interface TokensOptions extends CommonOptions {
  readonly json?: boolean;
}

export interface TokenReport {
  readonly tokenizer: string;
  readonly servers: readonly ServerCost[];
  /** Every definition of every server, in every request. */
  readonly all: { readonly tools: number; readonly tokens: number };
  /** What meta mode carries in their place. */
  readonly meta: { readonly four: number; readonly pinned: number; readonly tokens: number };
  /** The median answer with five hits, and what asking for it takes. */
  readonly search: { readonly tokens: number; readonly queries: number };
  /** So many searches in one conversation cost what all definitions do; 0 where meta mode never pays. */
  readonly breakEvenSearches: number;
  readonly metaModePays: boolean;
}

export interface ServerCost {
  readonly name: string;
  readonly tools: number;
  readonly tokens: number;
  readonly problem: string | null;
}

const HITS = 5;
const MAX_QUERIES = 20;
/** A conversation with fewer searches than this is common. */
const FEW_SEARCHES = 5;

/** Servers with unknown tools are named on stderr. Exit code 1 if there are servers and none could be counted. */
export async function tokens(options: TokensOptions): Promise<void> {
  await using survey = await Survey.take(readConfig(options), untilInterrupted());
  const report = measure(survey, await loadTokenizer());
  const { servers } = report;
  if (options.json === true) printJson(report);
  else printResult(toText(report));
  for (const { problem } of servers) if (problem !== null) printNote(`not counted: ${below(problem)}`);
  if (servers.length > 0 && servers.every(({ problem }) => problem !== null)) process.exitCode = 1;
}

function measure(survey: Survey, count: CountTokens): TokenReport {
  const costOf = (definitions: readonly Definition[]) => count(JSON.stringify(definitions));
  const servers = survey.servers.map(({ name, definitions, problem }) => ({
    name,
    tools: definitions.length,
    tokens: definitions.length === 0 ? 0 : costOf(definitions),
    problem: problem ?? null,
  }));
  const definitions = survey.servers.flatMap((server) => server.definitions);
  const all = servers.reduce((sum, server) => sum + server.tokens, 0);
  const four = costOf(survey.metaDefinitions);
  const pins = survey.pinnedDefinitions.length === 0 ? 0 : costOf(survey.pinnedDefinitions);
  const queries = sampleQueries(definitions);
  const costs = queries.map((query) => {
    const asking = count(JSON.stringify({ name: "gateway_search_tools", arguments: { query } }));
    const answer = survey.explain(query, HITS).map(({ line }) => line);
    return asking + count(answer.join("\n"));
  });
  const search = median(costs);
  const saved = all - four - pins;
  const breakEvenSearches = search === 0 ? 0 : Math.max(0, Math.floor(saved / search));
  return {
    tokenizer: TOKENIZER,
    servers,
    all: { tools: definitions.length, tokens: all },
    meta: { four, pinned: pins, tokens: four + pins },
    search: { tokens: search, queries: queries.length },
    breakEvenSearches,
    metaModePays: breakEvenSearches >= FEW_SEARCHES,
  };
}

/** What tools say of themselves, from all over the catalogue: the same each time. */
function sampleQueries(definitions: readonly Definition[]): string[] {
  const step = Math.max(1, Math.ceil(definitions.length / MAX_QUERIES));
  return definitions
    .filter((_, index) => index % step === 0)
    .map(({ name, description }) => (typeof description === "string" ? description : name))
    .map((text) => text.split(/[.\n]/, 1)[0]?.slice(0, 100) ?? "")
    .filter((query) => query.trim() !== "");
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function toText(report: TokenReport): string {
  const { servers, all, meta, search, breakEvenSearches } = report;
  const rows = servers.map(({ name, tools, tokens: cost, problem }) =>
    problem === null ? [name, grouped(tools), grouped(cost)] : [name, "-", "-"],
  );
  const sum = ["all", grouped(all.tools), grouped(all.tokens)];
  const pinned = meta.pinned === 0 ? "" : ` and ${grouped(meta.pinned)} for pinned tools`;
  return [
    `What tools cost in every request, in tokens (${TOKENIZER}; name, description and input schema)`,
    table([["server", "tools", "tokens"], ...rows, sum]),
    "",
    `meta mode: ${grouped(meta.four)} for the four tools${pinned}, ${grouped(search.tokens)} for a search with its answer` +
      ` (median of ${search.queries})`,
    `break-even: ${grouped(breakEvenSearches)} searches in one conversation`,
    advice(report),
  ].join("\n");
}

function advice({ all, meta, metaModePays, breakEvenSearches }: TokenReport): string {
  if (all.tools === 0) return "No tools are known, so there is nothing to compare.";
  const deferring =
    "A client that defers tools itself loads none of them up front: connect it to /mcp/{backend}, or use --no-meta-mcp.";
  if (metaModePays) {
    return `Meta mode pays: ${percentLess(meta.tokens, all.tokens)} % less in every request.\n${deferring}`;
  }
  const why =
    breakEvenSearches === 0
      ? "the definitions cost no more than the four tools and one search"
      : `after ${breakEvenSearches} searches all definitions would have cost no more`;
  return `Meta mode does not pay with so few tools: ${why}. Set enable_meta_mcp: false, or use --no-meta-mcp.\n${deferring}`;
}

/** Rounded down, because "100 % less" would mean no tokens at all. */
function percentLess(part: number, whole: number): string {
  const tenths = Math.floor(1000 * (1 - part / whole));
  return tenths < 950 ? String(Math.floor(tenths / 10)) : (tenths / 10).toFixed(1);
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
