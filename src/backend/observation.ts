// What can be seen of a backend from outside: what happens to it, and how it is. Knows nothing of why.

import type { Answer, Call } from "../protocol/call.ts";
import type { Freshness } from "./catalog.ts";
import type { StateName } from "./state.ts";

/** What happens to a backend, for those who count it. */
export interface BackendObserver {
  stateChanged(backend: string, state: StateName, before: StateName): void;
  started(backend: string, seconds: number): void;
  callFinished(backend: string, call: Call, seconds: number, outcome: Answer | { thrown: unknown }): void;
  inFlightChanged(backend: string, delta: 1 | -1): void;
  /** A list was asked for and the backend was left asleep. */
  answeredFromCatalog(backend: string, call: Call): void;
}

export interface BackendStatus {
  readonly state: StateName;
  readonly transport: string;
  readonly revision: string | undefined;
  /** All starts of the backend of this name, also those before a restart or a reload. */
  readonly starts: number;
  /** All starts except the first; with `scope: session`, except the first for each client. */
  readonly restarts: number;
  readonly inFlight: number;
  /** Undefined where the tools were never listed. */
  readonly toolCount: number | undefined;
  readonly lastError: string | undefined;
  readonly pid: number | undefined;
  readonly catalog: Freshness;
  /** When its lists were last heard from itself. */
  readonly listedAtMs: number | undefined;
  /** What is different since it last started well, in a sentence. */
  readonly drift: string | undefined;
  /** What was learned about how the server speaks, in words. */
  readonly learned: readonly string[];
  /** How many notifications of its running processes were withheld because they could have been for several clients. */
  readonly withheld: number;
}
