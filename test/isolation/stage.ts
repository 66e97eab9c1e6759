// The gateway and the reference backend in every kind that a round wants, started when it does.

import { BACKENDS, type BackendName } from "../conformance/rows.ts";
import { GatewayProcess, programEntry, type Settings } from "../edge/gateway-process.ts";
import { referenceCommand, startReference } from "../fixtures/reference/start.ts";
import type { Ledger } from "./ledger.ts";
import type { Round } from "./plans.ts";
import { play } from "./run.ts";

export interface Size {
  readonly clients: number;
  /** Of a round whose share is 1. */
  readonly callsPerClient: number;
  readonly seed: number;
}

/** Of each client: with fewer, calls would hardly meet. */
const LEAST_CALLS = 2;

/** Plays one round against a gateway and a backend of its own. */
export async function playRound(round: Round, size: Size): Promise<Ledger> {
  await using owned = new AsyncDisposableStack();
  const { wire, eras } = BACKENDS[round.backend];
  const entry = await backendEntry(round.backend, owned);
  const gateway = owned.use(await GatewayProcess.start({ backends: { [round.backend]: entry } }));
  const ledger = await play({
    gateway: gateway.url,
    backend: { name: round.backend, isModern: eras === "modern", namesCalls: wire === "http" },
    clients: size.clients,
    callsPerClient: Math.max(LEAST_CALLS, Math.round(size.callsPerClient * round.share)),
    kinds: round.kinds,
    logsAreExact: round.logsAreExact,
    isUnlevelled: round.isUnlevelled ?? false,
    // While a person thinks, others are let in; but a call has its turn again before its server hears the answer.
    mayRefuse: false,
    ...(round.thinkMs === undefined ? {} : { thinkMs: round.thinkMs }),
    seed: size.seed,
  });
  if (/\bbug\b/.test(gateway.log)) ledger.violate(`the gateway's log speaks of a bug:\n${gateway.log}`);
  return ledger;
}

async function backendEntry(name: BackendName, owned: AsyncDisposableStack): Promise<Settings> {
  const { wire, eras } = BACKENDS[name];
  if (wire === "stdio") return programEntry(referenceCommand(eras));
  return { http_url: owned.use(await startReference(wire, eras)).url };
}
