// One block of one round: so many requests in flight against one program, for so long, every answer checked.

import { checkAnswer, type Endpoint, type Era, Session } from "./mcp-client.ts";
import type { Program } from "./program.ts";
import { type Latencies, summarize } from "./statistics.ts";
import { endpointOf } from "./subjects.ts";
import { Wire } from "./wire.ts";
import { callFor, type SubjectName, type Workload } from "./workloads.ts";

export interface Measurement extends Latencies {
  readonly requests: number;
  readonly perSecond: number;
  /** Processor time of the program itself, without the backend's. */
  readonly cpuUsPerRequest: number;
  readonly rssMb: number;
}

/** Beyond the block's own time: what the last requests, and the opening of many sessions, may take. */
const OVERTIME_MS = 60_000;
/** Opened at once, so that a listening socket's queue is never the limit. */
const OPENED_AT_ONCE = 50;

/** Sessions that are kept from round to round, by where they are. */
const kept = new Map<string, Session>();
let lastId = 0;

/** Rejects where an answer is wrong, or where nothing comes. */
export async function measure(
  program: Program,
  subject: SubjectName,
  workload: Workload,
  blockMs: number,
): Promise<Measurement> {
  const wires = await inGroups(workload.inFlight, () => Wire.connect(program.port));
  const late = Promise.withResolvers<never>();
  const limitMs = blockMs + OVERTIME_MS;
  const timer = setTimeout(() => late.reject(new Error(`no end after ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([late.promise, measureOn(wires, { program, subject, workload, blockMs })]);
  } finally {
    clearTimeout(timer);
    for (const wire of wires) wire.close();
  }
}

interface Block {
  readonly program: Program;
  readonly subject: SubjectName;
  readonly workload: Workload;
  readonly blockMs: number;
}

async function measureOn(wires: readonly Wire[], block: Block): Promise<Measurement> {
  const endpoint = endpointOf(block.program, block.workload);
  if (block.workload.measures === "sessions") return measureSessions(wires, endpoint, block);
  const sessions = await openSessions(wires, endpoint, block.workload);
  const call = callFor(block.workload, block.subject);
  const measured = await clock(block, wires, async (wire, index) => {
    const id = ++lastId;
    const request = (sessions[index % sessions.length] ?? never()).request(id, call);
    const startedMs = performance.now();
    const reply = await wire.exchange(request);
    checkAnswer(reply, id, call);
    return reply.arrivedMs - startedMs;
  });
  if (sessions.length > 1) await endSessions(wires, sessions);
  return measured;
}

async function measureSessions(
  wires: readonly Wire[],
  endpoint: Endpoint,
  block: Block,
): Promise<Measurement> {
  const opened: Session[] = [];
  const measured = await clock(block, wires, async (wire) => {
    const startedMs = performance.now();
    opened.push(await Session.open(wire, endpoint, block.workload.era));
    return performance.now() - startedMs;
  });
  await endSessions(wires, opened);
  return measured;
}

/** Before the time that counts, so long a part of it does not: caches are cold, and the heap is as it was left. */
const RUN_UP = 0.5;

/** Lets every wire repeat one request, each its own, until the time is over; takes down how long each took. */
async function clock(
  { program, blockMs }: Block,
  wires: readonly Wire[],
  once: (wire: Wire, index: number) => Promise<number>,
): Promise<Measurement> {
  await repeat(wires, blockMs * RUN_UP, once);
  const cpuBefore = program.cpuMs();
  const startedMs = performance.now();
  const milliseconds = await repeat(wires, blockMs, once);
  const elapsedMs = performance.now() - startedMs;
  const requests = milliseconds.length;
  return {
    ...summarize(milliseconds),
    requests,
    perSecond: (requests / elapsedMs) * 1_000,
    cpuUsPerRequest: ((program.cpuMs() - cpuBefore) * 1_000) / requests,
    rssMb: program.rssMb(),
  };
}

async function repeat(
  wires: readonly Wire[],
  forMs: number,
  once: (wire: Wire, index: number) => Promise<number>,
): Promise<number[]> {
  const milliseconds: number[] = [];
  const untilMs = performance.now() + forMs;
  await Promise.all(
    wires.map(async (wire, index) => {
      do milliseconds.push(await once(wire, index));
      while (performance.now() < untilMs);
    }),
  );
  return milliseconds;
}

async function openSessions(
  wires: readonly Wire[],
  endpoint: Endpoint,
  workload: Workload,
): Promise<Session[]> {
  const { sessions, era } = workload;
  if (sessions === 1) return [await keptSession(wires[0] ?? never(), endpoint, era)];
  return inGroups(sessions, (index) => Session.open(wires[index % wires.length] ?? never(), endpoint, era));
}

async function keptSession(wire: Wire, endpoint: Endpoint, era: Era): Promise<Session> {
  const key = `${endpoint.port}${endpoint.path} ${era}`;
  const session = kept.get(key) ?? (await Session.open(wire, endpoint, era));
  kept.set(key, session);
  return session;
}

async function endSessions(wires: readonly Wire[], sessions: readonly Session[]): Promise<void> {
  await Promise.all(
    wires.map(async (wire, index) => {
      for (let at = index; at < sessions.length; at += wires.length)
        await (sessions[at] ?? never()).end(wire);
    }),
  );
}

async function inGroups<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  while (made.length < count) {
    const group = Array.from({ length: Math.min(OPENED_AT_ONCE, count - made.length) }, (_, at) =>
      make(made.length + at),
    );
    made.push(...(await Promise.all(group)));
  }
  return made;
}

function never(): never {
  throw new Error("a bug in the harness: there is one wire at least, and one session");
}
