// Which tools of one backend there are for clients, and under which names and words. Knows the rules, no wire and no client.

import type { ToolRules } from "../config/config.ts";
import { type Call, reworded } from "../protocol/call.ts";
import { changed } from "../protocol/exact.ts";
import { type Json, RpcError } from "../protocol/jsonrpc.ts";
import { Method } from "../protocol/mcp.ts";

export class ToolPolicy {
  readonly #rules: ToolRules;
  readonly #allow: readonly Pattern[] | undefined;
  readonly #deny: readonly Pattern[];
  /** The server's own names, by the new ones. */
  readonly #renamed: ReadonlyMap<string, string>;
  readonly #reported = new Set<string>();

  private constructor(rules: ToolRules) {
    this.#rules = rules;
    this.#allow = rules.allow?.map((glob) => new Pattern(glob));
    this.#deny = rules.deny.map((glob) => new Pattern(glob));
    const renames = Object.entries(rules.rename).filter(([own]) => this.#isAdmitted(own));
    this.#renamed = new Map(renames.map(([own, shown]) => [shown, own]));
  }

  /** Undefined where everything passes as it is. */
  static of(rules: ToolRules | undefined): ToolPolicy | undefined {
    return rules === undefined ? undefined : new ToolPolicy(rules);
  }

  /** Tools as the server lists them, as clients are to see them. */
  shown(tools: readonly Json[]): Json[] {
    return tools.flatMap((tool) => {
      const { name: own } = tool;
      const shown = typeof own === "string" ? this.#shownName(own) : undefined;
      if (typeof own !== "string" || shown === undefined) return [];
      const description = ownValue(this.#rules.describe, own);
      return [changed(tool, { name: shown, ...(description === undefined ? {} : { description }) })];
    });
  }

  /** A call in the server's words. Throws RpcError for a tool that there is not for clients. */
  toOwn(call: Call): Call {
    const name = call.params?.name;
    if (call.method !== Method.callTool || typeof name !== "string") return call;
    const own = this.#ownName(name);
    if (own === undefined) throw new RpcError(-32602, `Unknown tool: ${name}`);
    // The name is always written again: if the member occurs twice, the server could otherwise use the one that was not checked.
    return reworded(call, { params: changed(call.params ?? {}, { name: own }) });
  }

  /** Rules that fit none of the server's tools, each once: they may be misspelt. */
  unfitting(tools: readonly Json[]): string[] {
    const names = tools.map(({ name }) => name).filter((name) => typeof name === "string");
    const fitsNone = (glob: string) => !names.some((name) => new Pattern(glob).fits(name));
    const { allow = [], deny, rename, describe } = this.#rules;
    const idle = [
      ...allow.filter(fitsNone).map((glob) => `allow: ${glob}`),
      ...deny.filter(fitsNone).map((glob) => `deny: ${glob}`),
      ...Object.keys({ ...rename })
        .filter((name) => !names.includes(name))
        .map((name) => `rename: ${name}`),
      ...Object.keys({ ...describe })
        .filter((name) => !names.includes(name))
        .map((name) => `describe: ${name}`),
    ].filter((rule) => !this.#reported.has(rule));
    for (const rule of idle) this.#reported.add(rule);
    return idle;
  }

  /** A new name beats a tool of the server that is called so by itself. */
  #shownName(own: string): string | undefined {
    if (!this.#isAdmitted(own)) return undefined;
    const renamed = ownValue(this.#rules.rename, own);
    if (renamed !== undefined) return renamed;
    return this.#renamed.has(own) ? undefined : own;
  }

  #ownName(shown: string): string | undefined {
    const own = this.#renamed.get(shown) ?? shown;
    return this.#shownName(own) === shown ? own : undefined;
  }

  #isAdmitted(own: string): boolean {
    const isAllowed = this.#allow?.some((pattern) => pattern.fits(own)) ?? true;
    return isAllowed && !this.#deny.some((pattern) => pattern.fits(own));
  }
}

/** A glob over names, in which "/" is a character like any other. */
class Pattern {
  readonly #glob: Bun.Glob;

  constructor(glob: string) {
    this.#glob = new Bun.Glob(withoutSlashes(glob));
  }

  fits(name: string): boolean {
    return this.#glob.match(withoutSlashes(name));
  }
}

function withoutSlashes(text: string): string {
  return text.replaceAll("/", "\u0001");
}

function ownValue(map: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
