// Counts what happens to backends. Reads facts, changes nothing.

import type { BackendObserver } from "../backend/observation.ts";
import type { Answer } from "../protocol/call.ts";
import { GatewayError } from "../protocol/errors.ts";
import { RpcError } from "../protocol/jsonrpc.ts";
import { Method } from "../protocol/mcp.ts";
import type { Activity, CallTally } from "./activity.ts";
import type { Metrics } from "./metrics.ts";
import type { CallOutcome } from "./tallies.ts";

/** `pidsOf` names the processes of a backend that is up. */
export function observeInto(
  metrics: Metrics,
  activity: Activity,
  pidsOf: (backend: string) => readonly number[],
): BackendObserver {
  return {
    stateChanged: (backend, state, before) => {
      if (state === "ready") activity.awake(backend, pidsOf(backend));
      if (state === "draining") activity.fallingAsleep(backend);
      metrics.backendState(backend, state);
      if (state === "failed") metrics.failed(backend);
      if (state === "starting" && before === "asleep") metrics.woke(backend);
    },
    started: (backend, seconds) => metrics.started(backend, seconds),
    inFlightChanged: (backend, delta) => metrics.inFlight(backend, delta),
    answeredFromCatalog: (_backend, call) => metrics.cacheHit(call.method),
    callFinished: (backend, call, seconds, outcome) => {
      const named = call.method === Method.callTool ? call.params?.name : undefined;
      const tool = typeof named === "string" ? named : undefined;
      const how = outcomeOf(outcome);
      tally(activity.calls(backend), how);
      metrics.callFinished({ backend, method: call.method, outcome: how, seconds, tool });
    },
  };
}

function tally(calls: CallTally, outcome: CallOutcome): void {
  calls.total += 1;
  if (outcome === "tool-error") calls.toolErrors += 1;
  if (outcome === "rpc-error" || outcome === "gateway-error") calls.failed += 1;
}

function outcomeOf(outcome: Answer | { thrown: unknown }): CallOutcome {
  if (!("thrown" in outcome)) return outcome.result.isError === true ? "tool-error" : "ok";
  const { thrown } = outcome;
  if (thrown instanceof RpcError) return "rpc-error";
  return thrown instanceof GatewayError && thrown.kind === "call-cancelled" ? "cancelled" : "gateway-error";
}
