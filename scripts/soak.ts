// Soak: many sessions use many backends for long, a few at a time, so that backends sleep and wake throughout. What the
// gateway holds at the end must be what it held after the first tenth.

import { parseArgs } from "node:util";
import { fixture } from "../test/support/fixture.ts";
import { StrainedClient } from "./strain/strained-client.ts";
import { StrainedGateway } from "./strain/strained-gateway.ts";

const PATIENCE_MS = 60_000;
/** Backends in use at a time, and for how many calls; then others take their turn and these fall asleep. */
const AWAKE = 6;
const GROWTH_MAX = 0.1;

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "200000" },
    backends: { type: "string", default: "30" },
    sessions: { type: "string", default: "100" },
  },
});
const [calls, backends, sessions] = [Number(values.calls), Number(values.backends), Number(values.sessions)];
const callsPerTurn = Math.max(100, Math.round(calls / 100));

let made = 0;
const failures: string[] = [];
const samples: { readonly calls: number; readonly rssMb: number; readonly descriptors: number }[] = [];

await using gateway = await StrainedGateway.start(
  Object.fromEntries(
    Array.from({ length: backends }, (_, index) => {
      return [`server-${index}`, { argv: fixture("healthy"), keys: { idle_timeout: "1s" } }];
    }),
  ),
);
const startedMs = performance.now();
await Promise.all(Array.from({ length: sessions }, () => keepCalling()));
const seconds = (performance.now() - startedMs) / 1000;
await Bun.sleep(3_000); // Until the last ones sleep: what is measured then is the gateway alone.
take();
const exitCode = await gateway.stop();
report();

async function keepCalling(): Promise<void> {
  const client = new StrainedClient(`${gateway.url}/mcp`, "legacy", PATIENCE_MS);
  while (made < calls) {
    const call = made++;
    if (call % Math.ceil(calls / 10) === 0) take();
    const turn = Math.floor(call / callsPerTurn);
    const server = `server-${(turn * AWAKE + (call % AWAKE)) % backends}`;
    const text = `call ${call}`;
    const args = { server, tool: "echo", arguments: { text } };
    const outcome = await client.callTool("gateway_invoke", args);
    if (outcome.kind !== "answered" || outcome.text !== text) failures.push(JSON.stringify(outcome));
  }
}

function take(): void {
  samples.push({ calls: made, rssMb: Math.round(gateway.rssMb), descriptors: gateway.descriptors });
}

function report(): void {
  const afterTenth = samples[1];
  const last = samples.at(-1);
  const growth = afterTenth === undefined || last === undefined ? 0 : last.rssMb / afterTenth.rssMb - 1;
  const handles = (last?.descriptors ?? 0) - (afterTenth?.descriptors ?? 0);
  const violations = [
    ...(failures.length > 0 ? [`${failures.length} calls failed: ${failures.slice(0, 3).join("; ")}`] : []),
    ...(growth > GROWTH_MAX ? [`memory grew by ${Math.round(growth * 100)} %`] : []),
    ...(handles > 0 ? [`${handles} descriptors more than after the first tenth`] : []),
    ...(exitCode === 0 ? [] : [`the gateway ended with ${exitCode}`]),
    ...(gateway.children.length > 0 ? [`${gateway.children.length} processes were left behind`] : []),
  ];
  const perSecond = Math.round(calls / seconds);
  console.log(
    JSON.stringify({ calls, seconds: Math.round(seconds), perSecond, samples, violations }, null, 2),
  );
  process.exitCode = violations.length === 0 ? 0 : 1;
}
