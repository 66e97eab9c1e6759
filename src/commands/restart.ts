// Asks a running gateway to start one backend anew, whatever state it is in.

import { Value } from "@sinclair/typebox/value";
import { RestartReply } from "../ops/status.ts";
import { ask, type FindOptions, findGateway, refusalOf } from "./find-gateway.ts";
import { printResult } from "./print.ts";

/** A first start may install packages; the backend's own start_timeout ends it before. */
const TIMEOUT_MS = 3_600_000;

/** Rejects if the backend does not start, or no gateway answers. */
export async function restart(name: string, options: FindOptions): Promise<void> {
  const route = `backends/${encodeURIComponent(name)}/restart`;
  const reply = await ask(findGateway(options), { method: "POST", route, timeoutMs: TIMEOUT_MS });
  const { isOk, body } = reply;
  if (!isOk || !Value.Check(RestartReply, body)) throw new Error(refusalOf(reply));
  if (body.error !== null) throw new Error(body.error);
  printResult(`${name} is ${body.state} (${body.milliseconds} ms)`);
}
