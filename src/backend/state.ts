// The states of a backend and the ways between them (one table, checked at the one place that changes the state).

import type { Connected } from "./handshake.ts";

export interface Ready {
  readonly name: "ready";
  readonly connected: Connected;
  /** Calls of clients that run on this connection: part of the state, so that "idle" is a fact. */
  inFlight: number;
  /** On the clock of `performance`. */
  readonly sinceMs: number;
}

export interface Failed {
  readonly name: "failed";
  /** Says what happened and what to do, for whoever calls next. */
  readonly error: Error;
  /** Trying again cannot help until something changes. */
  readonly permanent: boolean;
  /** Failures in a row, without a call that succeeded in between. */
  readonly attempts: number;
  /** When the first of them was. */
  readonly sinceMs: number;
  /** On the clock of `performance`, which a change of the system's clock does not move. */
  readonly retryAtMs: number;
}

export type State =
  | { readonly name: "stopped" }
  | { readonly name: "asleep" }
  | { readonly name: "starting"; readonly done: Promise<void> }
  | Ready
  | { readonly name: "draining"; readonly done: Promise<void> }
  | Failed;

export type StateName = State["name"];

const WAYS: Record<StateName, readonly StateName[]> = {
  stopped: ["starting"],
  asleep: ["starting", "stopped"],
  starting: ["ready", "failed", "stopped"],
  ready: ["draining", "failed", "starting", "stopped"],
  draining: ["asleep", "stopped"],
  failed: ["starting", "stopped"],
};

export function isWay(from: StateName, to: StateName): boolean {
  return WAYS[from].includes(to);
}

const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;

/** How long to leave a backend alone after its n-th failure in a row: doubling, with up to a quarter of jitter. */
export function backoffMs(attempts: number, random: () => number = Math.random): number {
  const base = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.max(0, attempts - 1));
  return Math.round(base * (0.75 + random() / 4));
}
