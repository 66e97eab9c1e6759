// Asks a running gateway to start one backend anew, whatever state it is in.

import { Value } from "@sinclair/typebox/value";
import { RestartReply } from "../ops/status.ts";
import { shownText } from "../shown.ts";
import { ask, explain, type FindOptions, findGateway } from "./find-gateway.ts";
import { refusalOf } from "./status.ts";

/** A first start may install packages; the backend's own start_timeout ends it before. */
const TIMEOUT_MS = 3_600_000;

/** Exit code 1 where the backend does not start, or no gateway answers. */
export async function restart(name: string, options: FindOptions): Promise<void> {
  try {
    const route = `backends/${encodeURIComponent(name)}/restart`;
    const question = { method: "POST", route, timeoutMs: TIMEOUT_MS } as const;
    const { url, isOk, status, body } = await ask(findGateway(options), question);
    if (!isOk || !Value.Check(RestartReply, body)) throw new Error(refusalOf(url, status, body));
    if (body.error !== null) throw new Error(body.error);
    process.stdout.write(`${name} is ${body.state} (${body.milliseconds} ms)\n`);
  } catch (thrown) {
    process.stderr.write(`Error: ${shownText(explain(thrown))}\n`);
    process.exitCode = 1;
  }
}
