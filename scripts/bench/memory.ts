// What memory a running gateway holds: at rest, for each session, and over very many calls.

import { echo } from "./calls.ts";
import { checkAnswer, type Endpoint, Session } from "./mcp-client.ts";
import type { Program } from "./program.ts";
import { median } from "./statistics.ts";
import { Wire } from "./wire.ts";

const STEP_MS = 200;
/** After the deadline whatever it is counts. */
const DEADLINE_MS = 60_000;
const STILL_MB = 0.25;

const WIRES = 8;
const SAMPLES = 20;
/** The first sessions and calls grow what every later one uses again. */
const FIRST_SESSIONS = 2_000;
const MORE_SESSIONS = 4_000;

/** When nobody asks for anything for so long, a gateway has given back what it gives back. */
export const REST_MS = 22_500;

/** Waits until the resident memory has not changed for so long. */
export async function settledRssMb(program: Program, stillMs = 1_000): Promise<number> {
  const stillSteps = stillMs / STEP_MS;
  let last = program.rssMb();
  let still = 0;
  for (const untilMs = performance.now() + DEADLINE_MS; still < stillSteps && performance.now() < untilMs; ) {
    await Bun.sleep(STEP_MS);
    const now = program.rssMb();
    still = Math.abs(now - last) <= STILL_MB ? still + 1 : 0;
    last = now;
  }
  return last;
}

/** Kilobytes for each session that stays open, none of them in use for `restMs`. */
export async function sessionKb(program: Program, path: string, restMs: number): Promise<number> {
  const endpoint = { port: program.port, path };
  await openSessions(endpoint, FIRST_SESSIONS);
  const beforeMb = await settledRssMb(program, restMs);
  await openSessions(endpoint, MORE_SESSIONS);
  return (((await settledRssMb(program, restMs)) - beforeMb) * 1024) / MORE_SESSIONS;
}

async function openSessions(endpoint: Endpoint, count: number): Promise<void> {
  await onWires(endpoint, count, async (wire) => void (await Session.open(wire, endpoint, "legacy")));
}

/** Resident memory at even steps through so many calls in one session. */
export async function rssOverCalls(program: Program, path: string, calls: number): Promise<number[]> {
  const endpoint = { port: program.port, path };
  const call = echo(100);
  const samples: number[] = [];
  let session: Session | undefined;
  let lastId = 0;
  for (let sample = 0; sample < SAMPLES; sample++) {
    await onWires(endpoint, Math.ceil(calls / SAMPLES), async (wire) => {
      const id = ++lastId;
      session ??= await Session.open(wire, endpoint, "legacy");
      checkAnswer(await wire.exchange(session.request(id, call)), id, call);
    });
    samples.push(program.rssMb());
  }
  return samples;
}

/** How much more the last quarter of the samples holds than the second one: the first is for warming up. */
export function growthMb(samples: readonly number[]): number {
  const quarter = Math.floor(samples.length / 4);
  return median(samples.slice(-quarter)) - median(samples.slice(quarter, 2 * quarter));
}

async function onWires(
  endpoint: Endpoint,
  count: number,
  once: (wire: Wire) => Promise<void>,
): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: WIRES }, async () => {
      const wire = await Wire.connect(endpoint.port);
      while (left-- > 0) await once(wire);
      wire.close();
    }),
  );
}
