// Plays cases against backends that do their worst, by calls that say how; and innocent clients beside them.

import type { Json } from "../../src/protocol/jsonrpc.ts";
import { type Arena, ASKING, HOSTILE } from "./arena.ts";
import { Caller, type Heard } from "./caller.ts";
import { caseRandom } from "./case-random.ts";
import type { Ledger } from "./ledger.ts";
import { Random } from "./random.ts";
import { wordOf } from "./words.ts";

const FIRST_INNOCENT = 10_000;
const INNOCENT_PAUSE_MS = 100;
const ASKING_SHARE = 0.02;

export async function playBackends(
  arena: Arena,
  ledger: Ledger,
  numbers: Iterable<number>,
  lanes: number,
): Promise<void> {
  const queue = numbers[Symbol.iterator]();
  const callers = new Map<string, Caller>();
  const lane = async (_: unknown, client: number) => {
    for (let next = queue.next(); !next.done && arena.isAlive; next = queue.next()) {
      await playCase({ arena, ledger, client, callers }, next.value);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

interface Lane {
  readonly arena: Arena;
  readonly ledger: Ledger;
  readonly client: number;
  readonly callers: Map<string, Caller>;
}

async function playCase({ arena, ledger, client, callers }: Lane, number: number): Promise<void> {
  const random = caseRandom(ledger.seed, "backend", number);
  const backend = random.pick<string>(random.chance(ASKING_SHARE) ? ASKING : HOSTILE);
  const isMeta = random.chance(0.2);
  const isModern = random.chance(0.5);
  const { method, params } = drawCall(random, { backend, isMeta, word: wordOf(client, number) });
  ledger.cases.backend += 1;
  const key = `${isMeta ? "" : backend} ${isModern} ${client}`;
  const where = `${backend} ${isModern ? "modern" : "legacy"} ${JSON.stringify({ method, params })}`;
  try {
    const url = isMeta ? `${arena.gateway.url}/mcp` : arena.route(backend);
    const caller = callers.get(key) ?? (await Caller.open(url, client, isModern));
    callers.set(key, caller);
    const leaving = random.chance(0.05) ? { leavesAfterMs: random.below(60) } : {};
    const heard = await caller.call(method, params, { random, call: number, ...leaving });
    ledger.count(`backend ${backend}: ${outcomeOf(heard)}`);
    for (const problem of heard.problems) ledger.reportCase("backend", number, problem, where);
  } catch (thrown) {
    ledger.count(`backend ${backend}: not opened`);
    if (!/no session/.test(String(thrown))) ledger.reportCase("backend", number, String(thrown), where);
  }
}

function drawCall(
  random: Random,
  { backend, isMeta, word }: { backend: string; isMeta: boolean; word: string },
) {
  const mark = `fuzz:${random.below(2 ** 31)}:${word}`;
  if (isMeta) {
    const args: Json = { server: backend, tool: "hostile", arguments: { mark } };
    if (random.chance(0.1)) args.select = random.pick(["content[0].text", "content[*].text", "*"]);
    return { method: "tools/call", params: { name: "gateway_invoke", arguments: args } };
  }
  if (random.chance(0.7)) return { method: "tools/call", params: { name: "hostile", arguments: { mark } } };
  return random.pick<{ method: string; params: Json }>([
    { method: "prompts/get", params: { name: "hostile", arguments: { mark } } },
    { method: "resources/read", params: { uri: `hostile://${mark}` } },
    { method: "tools/list", params: { cursor: mark } },
    {
      method: "completion/complete",
      params: { ref: { type: "ref/prompt", name: "hostile" }, argument: { name: "a", value: mark } },
    },
  ]);
}

function outcomeOf({ answer, hasLeft }: Heard): string {
  if (answer === undefined) return hasLeft ? "left" : "ended without an answer";
  return "error" in answer ? "error" : "result";
}

/** One innocent of each era at each backend; each hears its own words until the signal. */
export async function playInnocents(arena: Arena, ledger: Ledger, over: AbortSignal): Promise<void> {
  const players = [...HOSTILE, ...ASKING].flatMap((backend) =>
    [false, true].map((isModern) => ({ backend, isModern })),
  );
  await Promise.all(
    players.map(async ({ backend, isModern }, index) => {
      const client = FIRST_INNOCENT + index;
      const isMeta = index % 4 === 3;
      const url = isMeta ? `${arena.gateway.url}/mcp` : arena.route(backend);
      let caller: Caller | undefined;
      for (let call = 0; !over.aborted && arena.isAlive; call++) {
        caller ??= await Caller.open(url, client, isModern).catch(() => undefined);
        if (caller !== undefined) await callInnocently({ ledger, caller, backend, isMeta }, call);
        await Bun.sleep(INNOCENT_PAUSE_MS);
      }
    }),
  );
}

interface Innocent {
  readonly ledger: Ledger;
  readonly caller: Caller;
  readonly backend: string;
  readonly isMeta: boolean;
}

async function callInnocently({ ledger, caller, backend, isMeta }: Innocent, call: number): Promise<boolean> {
  const word = wordOf(caller.client, call);
  const own = { name: "echo", arguments: { text: word } };
  const args = { server: backend, tool: "echo", arguments: own.arguments };
  const params = isMeta ? { name: "gateway_invoke", arguments: args } : own;
  const { answer, problems } = await caller.call("tools/call", params, { random: new Random(call), call });
  const text = JSON.stringify(answer?.result ?? {});
  const isRight = text.includes(word);
  ledger.count(isRight ? `innocent at ${backend}: own word` : `innocent at ${backend}: error`);
  const isFailure = answer === undefined || "error" in answer || text.includes('"isError":true');
  if (!isRight && !isFailure) problems.push(`answered without the word: ${text.slice(0, 300)}`);
  for (const problem of problems) ledger.report(`an innocent client at ${backend}`, problem);
  return isRight;
}

/** True when the backend serves a client as if nothing had been. */
export async function isWell(arena: Arena, ledger: Ledger, backend: string): Promise<boolean> {
  const client = FIRST_INNOCENT + 1_000;
  const caller = await Caller.open(arena.route(backend), client, false).catch(() => undefined);
  return caller !== undefined && (await callInnocently({ ledger, caller, backend, isMeta: false }, 1));
}
