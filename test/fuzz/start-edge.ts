// Plays cases against backends whose handshake, lists and answers are hostile from the first byte: each case starts one
// anew and then uses it in every way there is.

import type { Json } from "../../src/protocol/jsonrpc.ts";
import { type Arena, STARTS } from "./arena.ts";
import { Caller } from "./caller.ts";
import { caseRandom } from "./case-random.ts";
import type { Ledger } from "./ledger.ts";
import type { Random } from "./random.ts";

const PATIENCE_MS = 20_000;
const USES: readonly (readonly [method: string, params: Json])[] = [
  ["tools/list", {}],
  ["tools/call", { name: "echo", arguments: { text: "x" } }],
  ["prompts/list", {}],
  ["resources/templates/list", {}],
  ["resources/read", { uri: "hostile://x" }],
  ["resources/list", { cursor: "again" }],
];
const META_USES: readonly (readonly [method: string, params: Json])[] = [
  ["tools/call", { name: "gateway_search_tools", arguments: { query: "echo" } }],
  ["prompts/list", {}],
  ["resources/list", {}],
];

export async function playStarts(arena: Arena, ledger: Ledger, numbers: Iterable<number>): Promise<void> {
  const queue = numbers[Symbol.iterator]();
  await Promise.all(
    STARTS.map(async (name, client) => {
      for (let next = queue.next(); !next.done && arena.isAlive; next = queue.next()) {
        await playCase(arena, ledger, { name, client, number: next.value });
      }
    }),
  );
}

async function playCase(
  arena: Arena,
  ledger: Ledger,
  { name, client, number }: { name: string; client: number; number: number },
): Promise<void> {
  const random = caseRandom(ledger.seed, "start", number);
  ledger.cases.start += 1;
  try {
    await arena.seedStart(name, random.below(2 ** 31));
    const url = `${arena.gateway.url}/backends/${name}/restart`;
    const restarted = await fetch(url, { method: "POST", signal: AbortSignal.timeout(PATIENCE_MS) });
    const text = await restarted.text();
    if (restarted.status !== 200) ledger.reportCase("start", number, `restart: ${restarted.status} ${text}`);
    ledger.count(`start: ${text.includes('"error":null') ? "done" : "failed"}`);
    await use(arena, ledger, { name, client, number, random });
  } catch (thrown) {
    ledger.reportCase("start", number, String(thrown));
  }
}

async function use(
  arena: Arena,
  ledger: Ledger,
  { name, client, number, random }: { name: string; client: number; number: number; random: Random },
): Promise<void> {
  const isMeta = random.chance(0.1);
  const url = isMeta ? `${arena.gateway.url}/mcp` : arena.route(name);
  const caller = await Caller.open(url, client, random.chance(0.5)).catch(() => undefined);
  // A backend that cannot be started opens no session.
  if (caller === undefined) return;
  for (let turn = 0; turn < 3; turn++) {
    const [method, params] = random.pick(isMeta ? META_USES : USES);
    const { problems, answer } = await caller.call(method, params, { random, call: number });
    ledger.count(`start: ${method} ${answer === undefined ? "unanswered" : "answered"}`);
    for (const problem of problems) ledger.reportCase("start", number, problem, method);
  }
}
