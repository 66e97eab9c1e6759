// Streams that clients keep open while others do their worst: of HTTP+SSE, whose endpoints take messages only as long as
// their streams last, and of sessions. All that comes on them is judged.

import { EventStreamParser } from "../../src/protocol/event-stream.ts";
import type { Arena } from "./arena.ts";
import { BACKEND } from "./client-messages.ts";
import { judgeMessage } from "./judge.ts";
import type { Ledger } from "./ledger.ts";
import type { Loot } from "./loot.ts";
import { Random } from "./random.ts";
import { foreignWords } from "./words.ts";

const LIFE_MS = 1_500;
const PAUSE_MS = 50;
const NOBODY = -1;

export async function holdStreams(
  arena: Arena,
  ledger: Ledger,
  loot: Loot,
  over: AbortSignal,
): Promise<void> {
  const random = new Random(ledger.seed);
  const paths = ["/sse", `/${BACKEND}/sse`, "/mcp", `/mcp/${BACKEND}`];
  await Promise.all(
    paths.map(async (path) => {
      while (!over.aborted && arena.isAlive) {
        const session = path.endsWith("sse") ? undefined : loot.sessions.any(random);
        const headers = session === undefined ? {} : { "mcp-session-id": session };
        await hold(`${arena.gateway.url}${path}`, headers, { ledger, loot, over });
        await Bun.sleep(PAUSE_MS);
      }
    }),
  );
}

interface Holding {
  readonly ledger: Ledger;
  readonly loot: Loot;
  readonly over: AbortSignal;
}

async function hold(
  url: string,
  headers: Record<string, string>,
  { ledger, loot, over }: Holding,
): Promise<void> {
  const signal = AbortSignal.any([over, AbortSignal.timeout(LIFE_MS)]);
  try {
    const response = await fetch(url, { headers: { accept: "text/event-stream", ...headers }, signal });
    if (response.status >= 500) ledger.report(`a stream of ${url}`, `status ${response.status}`);
    if (response.headers.get("content-type") !== "text/event-stream") return void (await response.text());
    const parser = new EventStreamParser();
    for await (const bytes of response.body ?? []) {
      for (const { event, data } of parser.push(bytes)) {
        if (event === "endpoint") loot.endpoints.add(data);
        else if (data !== "") judge(url, data, ledger);
      }
    }
  } catch (thrown) {
    if (!signal.aborted) ledger.report(`a stream of ${url}`, String(thrown));
  }
}

function judge(url: string, data: string, ledger: Ledger): void {
  const problem = judgeMessage(JSON.parse(data));
  if (problem !== undefined) ledger.report(`a stream of ${url}`, problem);
  const [foreign] = foreignWords(data, NOBODY);
  if (foreign !== undefined) ledger.report(`a stream of ${url}`, `holds ${foreign} of somebody else`);
  ledger.count(`messages on held streams of ${new URL(url).pathname}`);
}
