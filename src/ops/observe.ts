// Counts what happens to backends. Reads facts, changes nothing.

import type { BackendObserver } from "../backend/observation.ts";
import type { Answer } from "../protocol/call.ts";
import { GatewayError } from "../protocol/errors.ts";
import { RpcError } from "../protocol/jsonrpc.ts";
import { Method } from "../protocol/mcp.ts";
import type { CallOutcome, Metrics } from "./metrics.ts";

export function observeInto(metrics: Metrics): BackendObserver {
  return {
    stateChanged: (backend, state, before) => {
      metrics.backendState(backend, state);
      if (state === "failed") metrics.failed(backend);
      if (state === "starting" && before === "asleep") metrics.woke(backend);
    },
    started: (backend, seconds) => metrics.started(backend, seconds),
    inFlightChanged: (backend, delta) => metrics.inFlight(backend, delta),
    answeredFromCatalog: (_backend, call) => metrics.cacheHit(call.method),
    callFinished: (backend, call, seconds, outcome) => {
      const tool = call.method === Method.callTool ? call.params?.name : undefined;
      const finished = { backend, method: call.method, outcome: outcomeOf(outcome), seconds };
      metrics.callFinished(typeof tool === "string" ? { ...finished, tool } : finished);
    },
  };
}

function outcomeOf(outcome: Answer | { thrown: unknown }): CallOutcome {
  if (!("thrown" in outcome)) return outcome.result.isError === true ? "tool-error" : "ok";
  const { thrown } = outcome;
  if (thrown instanceof RpcError) return "rpc-error";
  return thrown instanceof GatewayError && thrown.kind === "call-cancelled" ? "cancelled" : "gateway-error";
}
