// Runs one call against a target and turns whatever happens into an outcome: the one place where edges catch.

import type { Log } from "../log.ts";
import type { Call, Outcome } from "../protocol/call.ts";
import { isExpected, toErrorObject } from "../protocol/errors.ts";

export async function perform(
  run: () => Promise<Outcome>,
  call: Pick<Call, "method">,
  log: Log,
): Promise<Outcome> {
  try {
    return await run();
  } catch (thrown) {
    return failed(thrown, call, log);
  }
}

/** What a call that threw is answered with. */
export function failed(thrown: unknown, call: Pick<Call, "method">, log: Log): Outcome {
  if (!isExpected(thrown)) log.error("a bug in the gateway", { method: call.method, error: thrown });
  return { error: toErrorObject(thrown) };
}
