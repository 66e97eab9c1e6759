// Plays cases against the HTTP face, many connections at once.

import type { Arena } from "./arena.ts";
import { caseRandom } from "./case-random.ts";
import { holdStreams } from "./held-streams.ts";
import { drawCase } from "./http-requests.ts";
import { judgeHttp } from "./judge.ts";
import type { Ledger } from "./ledger.ts";
import { Loot } from "./loot.ts";
import { RawClient } from "./raw-client.ts";
import { foreignWords } from "./words.ts";

const NOBODY = -1;

export async function playHttp(
  arena: Arena,
  ledger: Ledger,
  numbers: Iterable<number>,
  lanes: number,
): Promise<void> {
  const loot = new Loot();
  const queue = numbers[Symbol.iterator]();
  const lane = async () => {
    const client = new RawClient(arena.port);
    for (let next = queue.next(); !next.done && arena.isAlive; next = queue.next()) {
      await playCase(arena, ledger, { client, loot, number: next.value });
    }
    client.close();
  };
  const over = new AbortController();
  const held = holdStreams(arena, ledger, loot, over.signal);
  await Promise.all(Array.from({ length: lanes }, lane));
  over.abort();
  await held;
}

async function playCase(
  arena: Arena,
  ledger: Ledger,
  { client, loot, number }: { client: RawClient; loot: Loot; number: number },
): Promise<void> {
  const fuzzed = drawCase(caseRandom(ledger.seed, "http", number), loot, arena.port);
  const shown = () => Buffer.concat([...fuzzed.pieces]);
  ledger.cases.http += 1;
  try {
    const received = await client.exchange(fuzzed);
    ledger.count(`http ${received.ending} ${received.replies[0]?.status ?? ""}`);
    for (const problem of judgeHttp(fuzzed, received)) ledger.reportCase("http", number, problem, shown());
    const text = received.raw.toString("utf8");
    const [foreign] = foreignWords(text, NOBODY);
    if (foreign !== undefined)
      ledger.reportCase("http", number, `holds ${foreign} of somebody else`, shown());
    for (const { headers, body } of received.replies) loot.collect(headers, body.toString("utf8"));
  } catch (thrown) {
    ledger.reportCase("http", number, String(thrown), shown());
  }
}
