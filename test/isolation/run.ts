// Many clients of both eras at once on one shared backend: each makes calls of all kinds under ids and progress tokens
// that all of them use, and every message must arrive at the one whose mark it carries, and nowhere else.

import { isObject } from "../../src/protocol/jsonrpc.ts";
import { LEGACY_REVISIONS } from "../../src/protocol/mcp.ts";
import { Random } from "../fuzz/random.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Backend, KINDS, type KindName, type Made, type Route } from "./calls.ts";
import type { CallOptions, Client } from "./client.ts";
import { Ledger, markOf } from "./ledger.ts";
import { LegacyClient } from "./legacy-client.ts";
import { ModernClient } from "./modern-client.ts";

export interface Plan {
  /** http://host:port */
  readonly gateway: string;
  readonly backend: Backend;
  readonly clients: number;
  readonly callsPerClient: number;
  readonly kinds: readonly KindName[];
  /** True where every log line that a client asked for must arrive. */
  readonly logsAreExact: boolean;
  readonly isUnlevelled: boolean;
  readonly mayRefuse: boolean;
  /** The longest that a person takes to answer a question. */
  readonly thinkMs?: number;
  readonly seed: number;
}

interface Player {
  readonly number: number;
  readonly client: Client;
  readonly route: Route;
  readonly watched: string | undefined;
  /** The keys of its `slow` calls, by how they must have ended. */
  readonly cancelled: string[];
  readonly completed: string[];
}

const LEVELS = [undefined, "debug", "warning", undefined, "error"];
/** Calls of one client at the same time. */
const LANES = 2;
/** Calls of the first client of a run come before all others, so that the gateway has seen what the backend does. */
const WARM_UP_CALL = 1_000_000;

export async function play(plan: Plan): Promise<Ledger> {
  const ledger = new Ledger();
  await using owned = new AsyncDisposableStack();
  const numbers = Array.from({ length: plan.clients }, (_, number) => number);
  const players = await Promise.all(numbers.map((number) => enter(plan, number)));
  for (const { client } of players) owned.use(client);
  const random = new Random(plan.seed);
  // A client that wants every log line, on the backend's own route.
  const first = players[1];
  if (first === undefined) throw new Error("nobody plays");
  for (const [n, kind] of [...new Set(plan.kinds)].entries())
    await makeCall(plan, first, ledger, { kind, call: WARM_UP_CALL + n, random });
  await Promise.all(players.map((player) => playCalls(plan, player, ledger, random.fork())));
  await hearOfOwnChanges(plan, players, ledger);
  await checkEnds(players, first, ledger);
  return ledger;
}

async function enter({ gateway, backend, isUnlevelled }: Plan, number: number): Promise<Player> {
  const isMeta = number % 5 === 4;
  const route = { isMeta, path: isMeta ? "/mcp" : `/mcp/${backend.name}` };
  const url = `${gateway}${route.path}`;
  const name = `client-${number}`;
  const logLevel = isUnlevelled ? undefined : LEVELS[number % LEVELS.length];
  const isLegacy = number % 2 === 0;
  const opensStream = number % 4 < 2;
  const revision = LEGACY_REVISIONS[(number / 2) % LEGACY_REVISIONS.length] ?? LEGACY_REVISIONS[0];
  const client = isLegacy
    ? await LegacyClient.open({ name, url, revision, logLevel, opensStream })
    : new ModernClient({ name, url, logLevel });
  const uri = `test://own/${markOf(number, 0)}`;
  const watched = isMeta ? `gateway:${backend.name}:${uri}` : uri;
  if (opensStream) await client.watch(watched);
  return { number, client, route, watched: opensStream ? watched : undefined, cancelled: [], completed: [] };
}

async function playCalls(plan: Plan, player: Player, ledger: Ledger, random: Random): Promise<void> {
  let next = 1;
  const lane = async () => {
    while (next <= plan.callsPerClient) {
      const call = next++;
      await makeCall(plan, player, ledger, { kind: random.pick(plan.kinds), call, random });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function makeCall(
  plan: Plan,
  player: Player,
  ledger: Ledger,
  { kind, call, random }: { kind: KindName; call: number; random: Random },
): Promise<void> {
  const { client, number, route } = player;
  const mark = markOf(number, call);
  ledger.count("calls");
  ledger.count(`calls: ${kind}`);
  if (kind === "progress") player.completed.push(mark);
  if (kind === "cancel") player.cancelled.push(`${mark}cancel`);
  const ask: Made["ask"] = async (method, params, options = {}) => {
    const progressToken = call % 3 === 0 ? `token-${call}` : call;
    const heard = await client.call(method, params, {
      id: call,
      progressToken,
      answer: refusing(ledger, mark),
      ...options,
    });
    for (const message of [...heard.notifications, ...heard.questions]) {
      const isLog = message.method === "notifications/message";
      const mayBeOfAnother = client.era === "legacy" && !plan.backend.namesCalls;
      ledger.own({ ...message }, number, isLog && mayBeOfAnother ? undefined : call);
    }
    if (heard.response !== undefined) {
      ledger.own(heard.response, number, call);
      ledger.expect(heard.response.id === call, () => `${mark}: answered under id ${heard.response?.id}`);
    }
    for (const { method: told, params: detail } of heard.notifications) {
      const isOwn = told !== "notifications/progress" || detailToken(detail) === progressToken;
      ledger.expect(isOwn, () => `${mark}: progress for the token ${detailToken(detail)}`);
    }
    return heard;
  };
  try {
    const thinkMs = () => (plan.thinkMs ?? 0) * random.next();
    await KINDS[kind]({
      thinkMs,
      client,
      route,
      mark,
      ledger,
      backend: plan.backend,
      logsAreExact: plan.logsAreExact,
      mayRefuse: plan.mayRefuse,
      ask,
    });
  } catch (thrown) {
    ledger.violate(`${client.name} ${mark} ${kind}: ${String(thrown)}`);
  }
}

function detailToken(params: unknown): unknown {
  return isObject(params) ? params.progressToken : undefined;
}

/** For calls that ask nothing: whoever hears a question there hears somebody else's. */
function refusing(ledger: Ledger, who: string): CallOptions["answer"] {
  return ({ method }) => {
    ledger.violate(`${who} was asked for ${method}`);
    return Promise.resolve({});
  };
}

/** Each touches its own resource, and those who watch theirs hear of it, and of no other. */
async function hearOfOwnChanges(
  { backend }: Plan,
  players: readonly Player[],
  ledger: Ledger,
): Promise<void> {
  await Promise.all(
    players.map(async ({ client, number, route }) => {
      const { name } = client;
      const args = { uri: `test://own/${markOf(number, 0)}` };
      const params = route.isMeta
        ? {
            name: "gateway_invoke",
            arguments: { server: backend.name, tool: "touch_resource", arguments: args },
          }
        : { name: "touch_resource", arguments: args };
      await client.call("tools/call", params, { id: 1, progressToken: 1, answer: refusing(ledger, name) });
    }),
  );
  for (const { client, number, watched } of players) {
    if (watched === undefined) continue;
    const isTold = () => client.unasked.some(({ params }) => isObject(params) && params.uri === watched);
    await waitFor(isTold, { timeoutMs: 5_000 }).catch(() => {
      ledger.violate(`${client.name} heard nothing of ${watched}`);
    });
    for (const message of client.unasked) ledger.own(message, number);
    ledger.count("unasked messages", client.unasked.length);
  }
}

/** What the backend itself saw: those calls cancelled that were cancelled, and all others completed. */
async function checkEnds(players: readonly Player[], first: Player, ledger: Ledger): Promise<void> {
  const { name } = first.client;
  const { response } = await first.client.call(
    "tools/call",
    { name: "slow_log" },
    { id: 1, progressToken: 1, answer: refusing(ledger, name) },
  );
  const ends = isObject(response?.result) ? response.result.structuredContent : undefined;
  if (!isObject(ends)) throw new Error(`no slow_log: ${JSON.stringify(response)}`);
  const [cancelled, completed] = [new Set(ends.cancelled as string[]), new Set(ends.completed as string[])];
  const mayBeCancelled = new Set(players.flatMap((player) => player.cancelled));
  for (const key of cancelled)
    ledger.expect(mayBeCancelled.has(key), () => `${key} was cancelled, and nobody asked for that`);
  for (const key of players.flatMap((player) => player.completed))
    ledger.expect(completed.has(key), () => `${key} was not completed`);
  for (const key of mayBeCancelled) ledger.expect(!completed.has(key), () => `${key} was completed`);
  ledger.count("cancelled at the backend", cancelled.size);
}
