// Asks a running gateway how it is: for people, and as the probe of a container. Never starts anything.

import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { below } from "../shown.ts";
import { ask, type FindOptions, findGateway, type Place, refusalOf } from "./find-gateway.ts";
import { printJson, printResult, table } from "./print.ts";

const TIMEOUT_MS = 5_000;

export interface HealthOptions extends FindOptions {
  readonly json?: boolean;
  readonly strict?: boolean;
}

/** Gateways of 1.x have only `running` for a backend's state. */
const Backend = Type.Object({
  running: Type.Boolean(),
  tools_cached: Type.Integer(),
  state: Type.Optional(Type.String()),
  transport: Type.Optional(Type.String()),
  last_error: Type.Optional(Type.Union([Type.String(), Type.Null()])),
});
/** Without the token there are no names, only how many are in which state. */
const Reply = Type.Object({
  status: Type.Union([Type.Literal("healthy"), Type.Literal("degraded")]),
  backends: Type.Optional(Type.Record(Type.String(), Backend)),
  states: Type.Optional(Type.Record(Type.String(), Type.Integer())),
  config_error: Type.Optional(Type.Union([Type.String(), Type.Null()])),
});
type Reply = Static<typeof Reply>;

/** Exit code 1 if the gateway does not answer, or with --strict if it is degraded. */
export async function health(options: HealthOptions): Promise<void> {
  const place = findGateway(options);
  const reply = await askHealth(place);
  if (options.json === true) printJson(reply);
  else printResult(toText(place.base, reply));
  if (options.strict === true && reply.status === "degraded") process.exitCode = 1;
}

async function askHealth(place: Place): Promise<Reply> {
  const reply = await ask(place, { route: "health", timeoutMs: TIMEOUT_MS });
  if (reply.isOk && Value.Check(Reply, reply.body)) return reply.body;
  throw new Error(refusalOf(reply));
}

function toText(url: URL, { status, backends, states, config_error: configError }: Reply): string {
  const head = [`${url.origin} is ${status}`];
  if (configError !== undefined && configError !== null) {
    head.push(`  refused a new configuration: ${below(configError)}`);
  }
  if (backends === undefined) {
    const counts = Object.entries(states ?? {}).map(([state, count]) => `${count} ${state}`);
    head.push(
      `  ${counts.length === 0 ? "no backends" : counts.join(", ")}; with the token it tells their names`,
    );
    return head.join("\n");
  }
  const rows = Object.entries(backends).map(([name, { running, state, transport, tools_cached: tools }]) => [
    name,
    state ?? (running ? "running" : "stopped"),
    transport ?? "-",
    String(tools),
  ]);
  const errors = Object.entries(backends).flatMap(([name, { state, last_error: error }]) =>
    state === "failed" && typeof error === "string" ? [remark(name, error)] : [],
  );
  const listed =
    rows.length === 0 ? "  no backends" : table([["backend", "state", "transport", "tools"], ...rows]);
  return [...head, listed, ...errors].join("\n");
}

/** A remark about one backend, below a table. Many errors already begin with the backend's name. */
export function remark(name: string, text: string): string {
  return `\n${below(text.startsWith(`${name}:`) ? text : `${name}: ${text}`)}`;
}
