// Asks a running gateway how it is: for people, and as the probe of a container. Never starts anything.

import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { shownText } from "../shown.ts";
import { ask, explain, type FindOptions, findGateway, layOut, type Place } from "./find-gateway.ts";

const TIMEOUT_MS = 5_000;

export interface HealthOptions extends FindOptions {
  readonly json?: boolean;
  readonly strict?: boolean;
}

const Backend = Type.Object({
  state: Type.String(),
  transport: Type.String(),
  tools_cached: Type.Integer(),
  last_error: Type.Union([Type.String(), Type.Null()]),
});
/** Without the token there are no names, only how many are in which state. */
const Reply = Type.Object({
  status: Type.Union([Type.Literal("healthy"), Type.Literal("degraded")]),
  backends: Type.Optional(Type.Record(Type.String(), Backend)),
  states: Type.Optional(Type.Record(Type.String(), Type.Integer())),
  config_error: Type.Optional(Type.Union([Type.String(), Type.Null()])),
});
type Reply = Static<typeof Reply>;

/** Exit code 1 where it does not answer, or with --strict where it is degraded; never 2, which Docker keeps for itself. */
export async function health(options: HealthOptions): Promise<void> {
  try {
    const place = findGateway(options);
    const reply = await askHealth(place);
    process.stdout.write(
      options.json === true ? `${JSON.stringify(reply, null, 2)}\n` : toText(place.base, reply),
    );
    if (options.strict === true && reply.status === "degraded") process.exitCode = 1;
  } catch (thrown) {
    process.stderr.write(`Error: ${shownText(explain(thrown))}\n`);
    process.exitCode = 1;
  }
}

async function askHealth(place: Place): Promise<Reply> {
  const { url, status, isOk, body } = await ask(place, { route: "health", timeoutMs: TIMEOUT_MS });
  if (isOk && Value.Check(Reply, body)) return body;
  throw new Error(`what answers at ${url.href} is no mcp-gateway (HTTP ${status})`);
}

function toText(url: URL, { status, backends, states, config_error: configError }: Reply): string {
  const refused =
    configError === undefined || configError === null
      ? ""
      : `  refused a new configuration: ${configError.replaceAll("\n", "\n    ")}\n`;
  const head = `${url.origin} is ${status}\n${refused}`;
  if (backends === undefined) {
    const counts = Object.entries(states ?? {}).map(([state, count]) => `${count} ${state}`);
    return `${head}  ${counts.length === 0 ? "no backends" : counts.join(", ")}; with the token it tells their names\n`;
  }
  const rows = Object.entries(backends).map(([name, backend]) => {
    const { state, transport, tools_cached: tools, last_error: error } = backend;
    return [name, state, transport, `${tools} tools`, state === "failed" ? (error ?? "") : ""];
  });
  return head + layOut(rows).join("");
}
