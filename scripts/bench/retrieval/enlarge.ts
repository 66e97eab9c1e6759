// A catalogue of any size out of real ones: the same servers again, their words partly exchanged, so that the copies
// are found apart and the number of different words grows as it does in the wild.

import type { ServerDoc, ToolDoc } from "../../../src/discovery/search.ts";

const SYLLABLES = ["ba", "ko", "mi", "ru", "te", "sa", "lo", "ven", "dar", "pi"];

export function enlarged(servers: readonly ServerDoc[], tools: number): ServerDoc[] {
  const all: ServerDoc[] = [];
  let count = 0;
  for (let round = 0; count < tools; round++) {
    for (const [i, server] of servers.entries()) {
      const some = server.tools.slice(0, tools - count);
      if (some.length === 0) break;
      count += some.length;
      const name = round === 0 ? `${server.name}-${i}` : `${server.name}-${i}-${coined(round)}`;
      all.push({ ...server, name, tools: round === 0 ? some : some.map((tool) => varied(tool, round)) });
    }
  }
  return all;
}

function varied(tool: ToolDoc, round: number): ToolDoc {
  const vary = (text: string) =>
    text.replace(/[a-z]{5,}/gi, (word) =>
      hash(`${word}${round}`) % 7 === 0 ? coined(hash(word) + round) : word,
    );
  return { ...tool, name: `${vary(tool.name)}_${coined(round)}`, description: vary(tool.description ?? "") };
}

/** A word that nobody uses, always the same for a number. */
function coined(number: number): string {
  return [1, 10, 100, 1_000].map((place) => SYLLABLES[Math.floor(number / place) % 10]).join("");
}

function hash(text: string): number {
  let value = 7;
  for (let i = 0; i < text.length; i++) value = (Math.imul(value, 31) + text.charCodeAt(i)) >>> 0;
  return value;
}
