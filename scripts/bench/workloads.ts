// What is measured, row by row: which client asks what, how many at once, by which route, over which wire.

import { echo, echoMessage, fill, invoked, type ToolCall, take } from "./calls.ts";
import type { Era } from "./mcp-client.ts";

export const SUBJECTS = [
  "direct",
  "floor",
  "gateway",
  "mcp-proxy",
  "supergateway",
  "everything-http",
] as const;
export type SubjectName = (typeof SUBJECTS)[number];
export const PEERS = ["mcp-proxy", "supergateway"] as const satisfies readonly SubjectName[];

/** Backends of the gateway: the wire, the era, and whether answers come as event streams. */
export const BACKENDS = [
  "stdio-legacy",
  "stdio-modern",
  "http-legacy",
  "http-modern",
  "http-legacy-events",
  "everything",
] as const;
export type BackendName = (typeof BACKENDS)[number];

export function isPeer(subject: SubjectName): boolean {
  return PEERS.some((peer) => peer === subject);
}

export interface Workload {
  readonly name: string;
  /** What one measured request is: a tool call, or the opening of a session. */
  readonly measures: "calls" | "sessions";
  readonly era: Era;
  readonly backend: BackendName;
  readonly isMeta: boolean;
  readonly call: ToolCall;
  /** Requests in flight, each on a connection of its own. */
  readonly inFlight: number;
  /** Sessions that stay open meanwhile, the calls spread over them; 1: all calls in one. */
  readonly sessions: number;
  readonly subjects: readonly SubjectName[];
}

const ECHO = echo(100);
const KB = 1_000;
const MB = 1_000_000;
const ALL: readonly SubjectName[] = ["direct", "floor", "gateway", ...PEERS];
const CLOSE: readonly SubjectName[] = ["direct", "floor", "gateway"];
const RELAYS: readonly SubjectName[] = ["floor", "gateway"];

export const WORKLOADS: readonly Workload[] = [
  row("stdio echo C=1", { inFlight: 1, subjects: ALL }),
  row("stdio echo C=8", { subjects: ALL }),
  row("stdio echo C=64", { inFlight: 64, subjects: ALL }),
  row("stdio 10 KB result C=1", { inFlight: 1, call: fill(10 * KB), subjects: ALL }),
  row("stdio 1 MB result C=1", { inFlight: 1, call: fill(MB), subjects: ALL }),
  row("stdio 8 MB result C=1", { inFlight: 1, call: fill(8 * MB), subjects: CLOSE }),
  row("stdio 1 MB argument C=1", { inFlight: 1, call: take(MB), subjects: ALL }),
  row("stdio echo C=8, modern client", { era: "modern", subjects: RELAYS }),
  row("stdio echo C=8, modern both", {
    era: "modern",
    backend: "stdio-modern",
    subjects: [...RELAYS, "mcp-proxy"],
  }),
  row("stdio echo C=8, modern backend", { backend: "stdio-modern", subjects: RELAYS }),
  row("stdio 1 MB argument C=1, modern client", {
    inFlight: 1,
    era: "modern",
    call: take(MB),
    subjects: RELAYS,
  }),
  row("meta echo C=1", { inFlight: 1, isMeta: true, subjects: RELAYS }),
  row("meta echo C=8", { isMeta: true, subjects: RELAYS }),
  row("meta echo C=8, modern client", { era: "modern", isMeta: true, subjects: RELAYS }),
  row("meta 1 MB result C=1", { inFlight: 1, isMeta: true, call: fill(MB), subjects: RELAYS }),
  row("http echo C=1", { inFlight: 1, backend: "http-legacy", subjects: CLOSE }),
  row("http echo C=8", { backend: "http-legacy", subjects: CLOSE }),
  row("http echo C=8, events", { backend: "http-legacy-events", subjects: CLOSE }),
  row("http echo C=8, modern client", { era: "modern", backend: "http-legacy", subjects: RELAYS }),
  row("http echo C=8, modern both", { era: "modern", backend: "http-modern", subjects: RELAYS }),
  row("http meta echo C=8", { backend: "http-legacy", isMeta: true, subjects: RELAYS }),
  row("http 1 MB result C=1", { inFlight: 1, backend: "http-legacy", call: fill(MB), subjects: CLOSE }),
  row("sessions C=8", { measures: "sessions", subjects: ["gateway", ...PEERS] }),
  row("sessions C=8, meta", { measures: "sessions", isMeta: true, subjects: ["gateway"] }),
  row("50 sessions C=50", { inFlight: 50, sessions: 50, subjects: ["gateway", "mcp-proxy"] }),
  row("1,000 sessions C=1,000", { inFlight: 1_000, sessions: 1_000, subjects: ["gateway"] }),
  row("server-everything C=8", {
    backend: "everything",
    call: echoMessage(100),
    subjects: ["gateway", "everything-http"],
  }),
];

/** What a row does not say: eight echoes at once, in one legacy session, to the legacy stdio backend, directly. */
function row(name: string, told: Partial<Workload> & Pick<Workload, "subjects">): Workload {
  const workload = {
    name,
    measures: "calls",
    era: "legacy",
    backend: "stdio-legacy",
    isMeta: false,
    call: ECHO,
    inFlight: 8,
    sessions: 1,
    ...told,
  } as const;
  return workload;
}

/** The call as this subject has to be asked: only the gateway has meta-tools. */
export function callFor({ call, backend, isMeta }: Workload, subject: SubjectName): ToolCall {
  return isMeta && subject === "gateway" ? invoked(call, backend) : call;
}
