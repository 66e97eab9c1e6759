// A program: a gateway in this very process, so that what it holds can be counted, and clients that wake its backends
// again and again. Prints what is alive after each round, when all sleep. It must end by itself: a timer or a handle that
// is left would keep it from that.

import { fullGC, heapStats } from "bun:jsc";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { echo, invoked } from "../../scripts/bench/calls.ts";
import { checkAnswer, Session } from "../../scripts/bench/mcp-client.ts";
import { Wire } from "../../scripts/bench/wire.ts";
import { Gateway } from "../../src/index.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { waitFor } from "../support/wait-for.ts";

const ROUNDS = 5;
const BACKENDS = 4;
const CALLS_PER_BACKEND = 50;
const SLEEP_MS = 20_000;
const LOOKS = 10;
const LOOK_MS = 100;

const stateFolder = mkdtempSync(join(tmpdir(), "mcp-gateway-soaked-"));
const names = Array.from({ length: BACKENDS }, (_, index) => `server-${index}`);
const backend = { ...asBackend(fixture("healthy")), idle_timeout: "200ms" };
const backends = Object.fromEntries(names.map((name) => [name, backend]));
const gateway = await Gateway.start({ port: 0, backends }, { stateFolder, cacheFolder: stateFolder });
const port = Number(new URL(gateway.url).port);
for (let round = 0; round < ROUNDS; round++) {
  await Promise.all(names.map((name) => use(name)));
  await waitFor(allSleep, { timeoutMs: SLEEP_MS, what: "all to sleep" });
  console.log(JSON.stringify(await countAlive()));
}
await gateway.close();
rmSync(stateFolder, { recursive: true });

/** One session: legacy ones are held by the gateway until their client ends them. */
async function use(server: string): Promise<void> {
  const endpoint = { port, path: "/mcp" };
  const wire = await Wire.connect(port);
  const session = await Session.open(wire, endpoint, "legacy");
  const call = invoked(echo(100), server);
  for (let id = 1; id <= CALLS_PER_BACKEND; id++) {
    checkAnswer(await wire.exchange(session.request(id, call)), id, call);
  }
  await session.end(wire);
  wire.close();
}

/** A child that has ended is not enough: its backend is still busy with the end of it. */
async function allSleep(): Promise<boolean> {
  const wire = await Wire.connect(port);
  const { text } = await wire.exchange(`GET /health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  wire.close();
  return [...text.matchAll(/"state":"asleep"/g)].length === BACKENDS;
}

/** What the collector finds alive in each of some looks, by kind: what only one finds is on its way out. */
async function countAlive(): Promise<Record<string, number>> {
  const least: Record<string, number> = {};
  for (let look = 0; look < LOOKS; look++) {
    await Bun.sleep(LOOK_MS);
    fullGC();
    for (const [kind, count] of Object.entries(heapStats().objectTypeCounts))
      least[kind] = Math.min(count, least[kind] ?? count);
  }
  return least;
}
