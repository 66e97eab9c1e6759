// Plays cases against a gateway that wants a token, which none of them has: whatever they try, nothing but the health is
// theirs, and no word of what is behind.

import { ROUTES } from "../../src/edge/routes.ts";
import { fixture } from "../support/fixture.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { caseRandom } from "./case-random.ts";
import { BACKEND } from "./client-messages.ts";
import { drawCase, type SentRequest } from "./http-requests.ts";
import type { Ledger } from "./ledger.ts";
import { Loot } from "./loot.ts";
import { RawClient } from "./raw-client.ts";
import type { Reply } from "./reply.ts";

const SECRET_TOOL = "the-name-of-a-tool";

export async function playGuarded(ledger: Ledger, numbers: readonly number[], lanes: number): Promise<void> {
  if (numbers.length === 0) return;
  const [command, ...args] = fixture("healthy");
  const entry = { command, args, tools: { rename: { echo: SECRET_TOOL } } };
  await using gateway = await GatewayRun.start({
    args: ["--log-level", "ERROR"],
    config: { host: "0.0.0.0", auth: { token: crypto.randomUUID() }, backends: { [BACKEND]: entry } },
  });
  const port = Number(new URL(gateway.url).port);
  const queue = numbers[Symbol.iterator]();
  const lane = async () => {
    const client = new RawClient(port);
    for (let next = queue.next(); !next.done; next = queue.next())
      await playCase(ledger, client, next.value, port);
    client.close();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const [bug] = gateway.stderr.split("\n").filter((line) => /\bbug\b/.test(line));
  if (bug !== undefined) ledger.report("in the log of the guarded gateway", bug);
}

async function playCase(ledger: Ledger, client: RawClient, number: number, port: number): Promise<void> {
  const fuzzed = drawCase(caseRandom(ledger.seed, "guard", number), new Loot(), port);
  ledger.cases.guard += 1;
  try {
    const { replies, ending } = await client.exchange({
      ...fuzzed,
      patienceMs: Math.min(fuzzed.patienceMs, 5_000),
    });
    ledger.count(`guard ${ending} ${replies[0]?.status ?? ""}`);
    for (const reply of replies) {
      const problem = judge(reply, fuzzed.requests);
      if (problem !== undefined)
        ledger.reportCase("guard", number, problem, Buffer.concat([...fuzzed.pieces]));
    }
  } catch (thrown) {
    ledger.reportCase("guard", number, String(thrown), Buffer.concat([...fuzzed.pieces]));
  }
}

function judge({ status, body }: Reply, sent: readonly SentRequest[]): string | undefined {
  const text = body.toString("utf8");
  if (text.includes(SECRET_TOOL) || text.includes(`"${BACKEND}"`) || text.includes(`known are ${BACKEND}`)) {
    return `tells what is behind: ${text.slice(0, 300)}`;
  }
  const mayBeOpen = sent.some(({ path }) =>
    ROUTES.some((route) => route.access === "open" && route.path === path),
  );
  return status < 400 && !mayBeOpen ? `status ${status}: ${text.slice(0, 300)}` : undefined;
}
