// A whole fuzz run: cases at every edge of one gateway, innocent clients beside them, and at the end a look at what is left.

import { waitFor } from "../support/wait-for.ts";
import { Arena, ASKING, HOSTILE } from "./arena.ts";
import { isWell, playBackends, playInnocents } from "./backend-edge.ts";
import { BACKEND } from "./client-messages.ts";
import { playGuarded } from "./guarded-edge.ts";
import { playHttp } from "./http-edge.ts";
import type { Edge, Ledger } from "./ledger.ts";
import { playStarts } from "./start-edge.ts";
import { playStdio } from "./stdio-edge.ts";

export interface Plan {
  /** Where it is written down what happens; it has the seed. */
  readonly ledger: Ledger;
  /** In all; how they are spread over the edges is up to the run. */
  readonly cases: number;
  /** Connections, or clients, at the same time. */
  readonly lanes: number;
  /** Plays this one alone. */
  readonly only?: { readonly edge: Edge; readonly number: number };
}

/** Of all cases. */
const SHARES: Readonly<Record<Edge, number>> = {
  http: 0.55,
  guard: 0.05,
  stdio: 0.08,
  backend: 0.29,
  start: 0.03,
};
const WELL_MS = 40_000;
const AT_REST_MS = 20_000;
/** More than this is a leak: what a run of any length may leave in caches and buffers. */
const MOST_GROWN_MB = 700;
const MOST_MORE_DESCRIPTORS = 250;

/** What the gateway holds. */
export interface Report {
  readonly rssMb: readonly [before: number, after: number];
  readonly descriptors: readonly [before: number, after: number];
}

export async function play({ ledger, cases, lanes, only }: Plan): Promise<Report> {
  const numbers = (edge: Edge) => {
    if (only !== undefined) return only.edge === edge ? [only.number] : [];
    return range(Math.ceil(cases * SHARES[edge]));
  };
  await using arena = await Arena.start();
  await warmUp(arena, ledger);
  const before = { rssMb: arena.rssMb, descriptors: arena.descriptors };
  const over = new AbortController();
  const innocents = only === undefined ? playInnocents(arena, ledger, over.signal) : undefined;
  await Promise.all([
    playHttp(arena, ledger, numbers("http"), lanes),
    playBackends(arena, ledger, numbers("backend"), lanes),
    playStarts(arena, ledger, numbers("start")),
    playGuarded(ledger, numbers("guard"), Math.ceil(lanes / 8)),
    playStdio(ledger, numbers("stdio"), Math.ceil(lanes / 64)),
  ]);
  over.abort();
  await innocents;
  await lookAfter(arena, ledger, before.descriptors);
  return {
    rssMb: [before.rssMb, arena.isAlive ? arena.rssMb : 0],
    descriptors: [before.descriptors, arena.isAlive ? arena.descriptors : 0],
  };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}

/** All backends run before the first case. */
async function warmUp(arena: Arena, ledger: Ledger): Promise<void> {
  const names = [...HOSTILE, ...ASKING];
  const isUp = await Promise.all(names.map((backend) => isWell(arena, ledger, backend)));
  for (const [index, backend] of names.entries()) {
    if (isUp[index] !== true) ledger.report("before the first case", `${backend} does not work`);
  }
}

/** Nothing crashed, nothing hangs, nothing piled up, nothing was a surprise to the gateway itself. */
async function lookAfter(arena: Arena, ledger: Ledger, descriptors: number): Promise<void> {
  if (!arena.isAlive)
    return ledger.report("at the end", `the gateway has ended:\n${arena.gateway.stderr.slice(-3_000)}`);
  for (const bug of new Set(arena.bugs.map((line) => line.slice(12)))) ledger.report("in the log", bug);
  for (const backend of [...HOSTILE, ...ASKING]) {
    const isServing = () => isWell(arena, ledger, backend);
    await waitFor(isServing, { timeoutMs: WELL_MS }).catch(() =>
      ledger.report("at the end", `${backend} does not recover`),
    );
  }
  const { status } = await fetch(arena.route(BACKEND), { method: "DELETE" });
  if (status >= 500) ledger.report("at the end", `the healthy backend's route answers ${status}`);
  const isAtRest = () => arena.descriptors < descriptors + MOST_MORE_DESCRIPTORS;
  await waitFor(isAtRest, { timeoutMs: AT_REST_MS }).catch(() => {
    ledger.report("at the end", `${arena.descriptors} descriptors are open`);
  });
  if (arena.rssMb > MOST_GROWN_MB) ledger.report("at the end", `the gateway holds ${arena.rssMb} MB`);
}
