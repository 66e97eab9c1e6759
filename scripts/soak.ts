// Soak: many sessions use many backends for long, a few at a time, so that backends sleep and wake throughout. What the
// gateway holds at the end must be what it held after the first tenth.

import { parseArgs } from "node:util";
import { fixture } from "../test/support/fixture.ts";
import { waitFor } from "../test/support/wait-for.ts";
import { StrainedClient } from "./strain/strained-client.ts";
import { StrainedGateway } from "./strain/strained-gateway.ts";

const PATIENCE_MS = 60_000;
/** Backends in use at a time, and for how many calls; then others take their turn and these fall asleep. */
const AWAKE = 6;
const GROWTH_MAX = 0.1;
const TENTHS = 10;
/** From when all sleep: memory under load is mostly what the collector has not come to, so it is measured at rest. */
const REST_MS = "22500";

interface Sample {
  readonly calls: number;
  readonly restRssMb: number;
  /** For those who read the report; nothing is judged by it. */
  readonly busyRssMb: number;
  readonly descriptors: number;
  readonly threads: number;
}

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "200000" },
    backends: { type: "string", default: "30" },
    sessions: { type: "string", default: "100" },
    "rest-ms": { type: "string", default: REST_MS },
  },
});
const [calls, backends, sessions] = [Number(values.calls), Number(values.backends), Number(values.sessions)];
const callsPerTurn = Math.max(100, Math.round(calls / 100));

let made = 0;
const failures: string[] = [];
const samples: Sample[] = [];

await using gateway = await StrainedGateway.start(
  Object.fromEntries(
    Array.from({ length: backends }, (_, index) => {
      return [`server-${index}`, { argv: fixture("healthy"), keys: { idle_timeout: "1s" } }];
    }),
  ),
);
const clients = Array.from(
  { length: sessions },
  () => new StrainedClient(`${gateway.url}/mcp`, "legacy", PATIENCE_MS),
);
let busyMs = 0;
for (let tenth = 1; tenth <= TENTHS; tenth++) {
  const startedMs = performance.now();
  await Promise.all(clients.map((client) => callUntil(client, Math.round((calls * tenth) / TENTHS))));
  busyMs += performance.now() - startedMs;
  const busyRssMb = Math.round(gateway.rssMb);
  await waitFor(() => gateway.children.length === 0, {
    timeoutMs: PATIENCE_MS,
    what: "all backends to sleep",
  });
  await Bun.sleep(Number(values["rest-ms"]));
  take(busyRssMb);
}
const starts = await countStarts();
const exitCode = await gateway.stop();
report();

async function callUntil(client: StrainedClient, limit: number): Promise<void> {
  while (made < limit) {
    const call = made++;
    const turn = Math.floor(call / callsPerTurn);
    const server = `server-${(turn * AWAKE + (call % AWAKE)) % backends}`;
    const text = `call ${call}`;
    const args = { server, tool: "echo", arguments: { text } };
    const outcome = await client.callTool("gateway_invoke", args);
    if (outcome.kind !== "answered" || outcome.text !== text) failures.push(JSON.stringify(outcome));
  }
}

/** More than there are backends: so often one has woken. */
async function countStarts(): Promise<number> {
  const status = await (await fetch(`${gateway.url}/status`)).text();
  return [...status.matchAll(/"starts":(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

function take(busyRssMb: number): void {
  samples.push({
    calls: made,
    restRssMb: Math.round(gateway.rssMb),
    busyRssMb,
    descriptors: gateway.descriptors,
    threads: gateway.threads,
  });
}

function report(): void {
  const afterTenth = samples[0];
  const last = samples.at(-1);
  const growth =
    afterTenth === undefined || last === undefined ? 0 : last.restRssMb / afterTenth.restRssMb - 1;
  const handles = (last?.descriptors ?? 0) - (afterTenth?.descriptors ?? 0);
  const violations = [
    ...(failures.length > 0 ? [`${failures.length} calls failed: ${failures.slice(0, 3).join("; ")}`] : []),
    ...(growth > GROWTH_MAX ? [`memory grew by ${Math.round(growth * 100)} %`] : []),
    ...(handles > 0 ? [`${handles} descriptors more than after the first tenth`] : []),
    ...(starts > backends ? [] : ["no backend slept and woke"]),
    ...(exitCode === 0 ? [] : [`the gateway ended with ${exitCode}`]),
    ...(gateway.children.length > 0 ? [`${gateway.children.length} processes were left behind`] : []),
  ];
  const seconds = busyMs / 1000;
  const perSecond = Math.round(calls / seconds);
  console.log(
    JSON.stringify({ calls, seconds: Math.round(seconds), perSecond, starts, samples, violations }, null, 2),
  );
  process.exitCode = violations.length === 0 ? 0 : 1;
}
