// What is played against which backend: data. How large a run is, its caller says.

import type { BackendName } from "../conformance/rows.ts";
import type { KindName } from "./calls.ts";

export interface Round {
  readonly backend: BackendName;
  readonly name: string;
  readonly kinds: readonly KindName[];
  /** Every log line that a client asked for must arrive. */
  readonly logsAreExact: boolean;
  /** No client sets a log level: then calls run side by side, and the lines of most of them are nobody's. */
  readonly isUnlevelled?: boolean;
  /** The longest that a person takes to answer a question. */
  readonly thinkMs?: number;
  /** How many calls this round has, as a share of those that a backend gets. */
  readonly share: number;
}

const CALM: readonly KindName[] = ["echo", "whoami", "progress", "log", "fail", "prompt", "resource"];
const ALL: readonly KindName[] = [...CALM, "ask", "askTwice", "cancel"];

const ASKING: readonly KindName[] = ["echo", "progress", "log", "ask", "askTwice", "aside"];

/**
 * HTTP says of every message which call it belongs to, so everything is played at once and nothing may be missing. On a
 * wire with one channel a given-up call may go on talking unseen, and so may one that waits for a person: then log lines
 * are dropped, and only what arrives is looked at.
 */
export const ROUNDS: readonly Round[] = [
  { backend: "http-legacy", name: "everything", kinds: ALL, logsAreExact: true, share: 1 },
  { backend: "http-modern", name: "everything", kinds: ALL, logsAreExact: true, share: 1 },
  {
    backend: "http-legacy",
    name: "asking on the stream for everything",
    kinds: ["echo", "aside", "progress"],
    logsAreExact: true,
    share: 0.1,
  },
  { backend: "stdio-modern", name: "calm", kinds: CALM, logsAreExact: true, share: 0.6 },
  { backend: "stdio-modern", name: "everything", kinds: ALL, logsAreExact: false, share: 0.4 },
  { backend: "stdio-legacy", name: "calm", kinds: CALM, logsAreExact: true, share: 0.6 },
  {
    backend: "stdio-legacy",
    name: "asking",
    kinds: ASKING,
    logsAreExact: false,
    share: 0.2,
  },
  {
    backend: "stdio-legacy",
    name: "asking people who think",
    kinds: ASKING,
    logsAreExact: false,
    isUnlevelled: true,
    thinkMs: 300,
    share: 0.04,
  },
  {
    backend: "stdio-legacy",
    name: "cancelling",
    kinds: [...CALM, "cancel"],
    logsAreExact: false,
    share: 0.16,
  },
  {
    backend: "stdio-legacy",
    name: "logging to nobody in particular",
    kinds: ["log", "progress", "log"],
    logsAreExact: false,
    isUnlevelled: true,
    share: 0.2,
  },
  { backend: "sse-legacy", name: "calm", kinds: CALM, logsAreExact: true, share: 0.2 },
  {
    backend: "sse-legacy",
    name: "asking",
    kinds: ASKING,
    logsAreExact: false,
    share: 0.05,
  },
];
