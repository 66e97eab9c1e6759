// Many clients on a server that goes on to speak about a call after it has answered it: on every wire, in both eras, by every
// route. What it says reaches the client that it is about or nobody; if that client alone can be meant, it does reach it.

import type { Json } from "../../src/protocol/jsonrpc.ts";
import { LEGACY_REVISIONS } from "../../src/protocol/mcp.ts";
import { BACKENDS, type BackendName } from "../conformance/rows.ts";
import { GatewayProcess, programEntry, type Settings } from "../edge/gateway-process.ts";
import { referenceCommand, startReference } from "../fixtures/reference/start.ts";
import { Random } from "../fuzz/random.ts";
import { waitFor } from "../support/wait-for.ts";
import type { CallOptions, Client } from "./client.ts";
import { Ledger, markOf } from "./ledger.ts";
import { LegacyClient } from "./legacy-client.ts";
import { ModernClient } from "./modern-client.ts";

export type RouteName = "direct" | "meta" | "merged";

export interface LateRound {
  readonly backend: BackendName;
  readonly route: RouteName;
}

const BACKENDS_PLAYED: readonly BackendName[] = [
  "stdio-legacy",
  "sse-legacy",
  "http-legacy",
  "stdio-modern",
  "http-modern",
];
const ROUTES: readonly RouteName[] = ["direct", "meta", "merged"];

export const LATE_ROUNDS: readonly LateRound[] = BACKENDS_PLAYED.flatMap((backend) =>
  ROUTES.map((route) => ({ backend, route })),
);

const WORDS = ["log", "notice", "progress", "question"] as const;
/** What a client with a stream of its own must hear if it alone can be meant. The token of a call that is over means nothing. */
const MUST_BE_HEARD = ["log", "notice", "question"] as const;
/** Calls of one client at the same time. */
const LANES = 2;
/** Well within LATE_MS, so that a busy machine does not carry a word beyond it: there the rule promises nothing. */
const MAX_LATE_MS = 60;
const ATTEMPTS = 3;
const HEARD_MS = 2_000;

interface Stage {
  readonly round: LateRound;
  readonly url: string;
  readonly ledger: Ledger;
}

export interface LateSize {
  readonly clients: number;
  readonly callsPerClient: number;
  readonly seed: number;
}

export async function playLateWords(round: LateRound, size: LateSize): Promise<Ledger> {
  await using owned = new AsyncDisposableStack();
  const backends = { [round.backend]: await entryOf(round.backend, owned) };
  const settings = { backends, enable_meta_mcp: round.route !== "merged" };
  const gateway = owned.use(await GatewayProcess.start(settings));
  const path = round.route === "direct" ? `/mcp/${round.backend}` : "/mcp";
  const stage: Stage = { round, url: `${gateway.url}${path}`, ledger: new Ledger() };
  const numbers = Array.from({ length: size.clients }, (_, number) => number);
  const clients = await Promise.all(numbers.map((number) => enter(stage, number)));
  for (const client of clients) owned.use(client);
  const random = new Random(size.seed);
  // Nobody is asked by a server that has no session; what is late then has nowhere to go.
  const canHear = BACKENDS[round.backend].eras === "legacy" && round.route === "direct";
  if (canHear) await speakOneByOne(stage, clients, 1_000_000);
  await Promise.all(
    clients.map((_, number) => storm(stage, clients, { number, random: random.fork(), size })),
  );
  if (canHear) await speakOneByOne(stage, clients, 2_000_000);
  for (const [number, { unasked }] of clients.entries())
    for (const message of unasked) stage.ledger.own(message, number);
  if (/\bbug\b/.test(gateway.log)) stage.ledger.violate(`the gateway's log speaks of a bug:\n${gateway.log}`);
  return stage.ledger;
}

async function entryOf(name: BackendName, owned: AsyncDisposableStack): Promise<Settings> {
  const { wire, eras } = BACKENDS[name];
  if (wire === "stdio") return programEntry(referenceCommand(eras));
  return { http_url: owned.use(await startReference(wire, eras)).url };
}

function enter({ url }: Stage, number: number): Promise<Client> {
  // Two of one program on purpose: the name says nothing of whose a call is.
  const name = `program-${number % 3}`;
  const logLevel = number % 4 < 2 ? "debug" : undefined;
  if (number % 2 === 1) return Promise.resolve(new ModernClient({ name: `client-${number}`, url, logLevel }));
  const [revision] = LEGACY_REVISIONS;
  return LegacyClient.open({ name, url, revision, logLevel, opensStream: true });
}

function callTool({ round }: Stage, tool: string, args: Json): Json {
  if (round.route === "direct") return { name: tool, arguments: args };
  if (round.route === "merged") return { name: `${round.backend}__${tool}`, arguments: args };
  return { name: "gateway_invoke", arguments: { server: round.backend, tool, arguments: args } };
}

/** One client after the other, with nobody else in between: each hears what is said of its call after the answer. */
async function speakOneByOne(stage: Stage, clients: readonly Client[], from: number): Promise<void> {
  for (const [number, client] of clients.entries()) {
    if (client.era === "modern") continue;
    for (const [at, what] of MUST_BE_HEARD.entries()) {
      stage.ledger.count("late words of one alone");
      let isHeard = false;
      // On a busy machine a server may speak later than LATE_MS: not three times in a row.
      for (let attempt = 0; attempt < ATTEMPTS && !isHeard; attempt++) {
        const call = from + at + 10 * attempt;
        isHeard = await isHeardLate(stage, client, { mark: markOf(number, call), call, what });
      }
      const mark = markOf(number, from + at);
      stage.ledger.expect(
        isHeard,
        () => `${mark} ${what}: withheld although one client alone could be meant`,
      );
    }
  }
}

async function isHeardLate(
  stage: Stage,
  client: Client,
  { mark, call, what }: { readonly mark: string; readonly call: number; readonly what: string },
): Promise<boolean> {
  const params = callTool(stage, "speak_later", { message: mark, ms: 20, what });
  await client.call("tools/call", params, { id: call, progressToken: 1, answer: refuse });
  const has = () => client.unasked.some((message) => JSON.stringify(message).includes(mark));
  return await waitFor(has, { timeoutMs: HEARD_MS }).then(
    () => true,
    () => false,
  );
}

async function storm(
  stage: Stage,
  clients: readonly Client[],
  { number, random, size }: { readonly number: number; readonly random: Random; readonly size: LateSize },
): Promise<void> {
  const client = clients[number];
  if (client === undefined) return;
  let next = 1;
  const lane = async () => {
    while (next <= size.callsPerClient) {
      const call = next++;
      const mark = markOf(number, call);
      const ms = 1 + random.below(MAX_LATE_MS);
      const [tool, args] = random.pick([
        ["speak_later", { message: mark, ms, what: random.pick(WORDS) }],
        ["speak_later", { message: mark, ms, what: random.pick(WORDS) }],
        ["echo", { said: mark }],
        ["slow", { ms, steps: 2, key: mark }],
      ] as const);
      await makeCall(stage, client, { number, call, params: callTool(stage, tool, args) });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function makeCall(
  { ledger }: Stage,
  client: Client,
  { number, call, params }: { readonly number: number; readonly call: number; readonly params: Json },
): Promise<void> {
  ledger.count("calls");
  try {
    const options: CallOptions = { id: call, progressToken: call, answer: refuse };
    const { notifications, questions, response } = await client.call("tools/call", params, options);
    for (const message of [...notifications, ...questions]) ledger.own({ ...message }, number);
    ledger.count("words in calls", notifications.length + questions.length);
    const isAnswered = response !== undefined && !("error" in response);
    ledger.expect(isAnswered, () => `${markOf(number, call)}: ${JSON.stringify(response).slice(0, 300)}`);
    if (response !== undefined) ledger.own(response, number, call);
  } catch (thrown) {
    ledger.violate(`${markOf(number, call)}: ${String(thrown)}`);
  }
}

function refuse(): Promise<Json> {
  return Promise.resolve({ action: "decline" });
}
