// Which settings make a backend what it is, in one word: with others, another server may answer.

import type { BackendConfig } from "../config/config.ts";

/** Nothing can be read back from it. Timeouts, limits and texts for people are left out: they change no answer. */
export function settingsHash({ name, wire, protocol, tools }: BackendConfig): string {
  const told =
    wire.kind === "stdio"
      ? ["stdio", wire.argv, sorted(wire.env), wire.cwd ?? null]
      : ["url", wire.url, wire.transport, sorted(wire.headers)];
  // What is known of the tools is what the rules leave of them.
  const rules = tools === undefined ? [] : [tools];
  const all = [name, protocol, ...told, ...rules];
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(all)).digest("hex");
}

function sorted(values: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
}
