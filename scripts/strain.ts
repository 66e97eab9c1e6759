// Strain: each kind of hostile input against a gateway of its own, with honest clients beside it. Prints what the honest
// clients saw, the most memory, how long the gateway took to end, and the longest time that a request to it waited beside
// that of an empty server on the same machine at the same time. Exit code 1 if a promise was broken.

import { parseArgs } from "node:util";
import { fixture } from "../test/support/fixture.ts";
import { ATTACKS, type Attack, Sockets } from "./strain/attacks.ts";
import { SideProcess } from "./strain/side-process.ts";
import { StrainedClient } from "./strain/strained-client.ts";
import { StrainedGateway } from "./strain/strained-gateway.ts";

const PATIENCE_MS = 60_000;
const MOST_MB = 600;
const END_MS = 15_000;
/** How much longer than to the empty server a request may wait. Told, and a broken promise with `--gaps`. */
const MOST_GAP_MS = 100;
const SAMPLE_MS = 20;
const PAGE_BYTES = 20_000_000;

const { values } = parseArgs({
  options: {
    /** Part of the name of the attacks to run; all unless given. */
    only: { type: "string", default: "" },
    clients: { type: "string", default: "10" },
    /** 1 for the whole of each attack. */
    share: { type: "string", default: "1" },
    gaps: { type: "boolean", default: false },
  },
});
const share = Number(values.share);

const broken: string[] = [];
for (const [name, attack] of Object.entries(ATTACKS)) {
  if (name.includes(values.only)) await strain(name, attack);
}
for (const promise of broken) console.error(promise);
process.exitCode = broken.length === 0 ? 0 : 1;

async function strain(name: string, attack: Attack): Promise<void> {
  await using gateway = await StrainedGateway.start({
    honest: { argv: fixture("healthy") },
    strains: { argv: fixture("strains") },
    endless: { argv: fixture("strains", "pages", String(PAGE_BYTES * share)) },
  });
  await using empty = await SideProcess.start("empty-server");
  const urls = [`${gateway.url}/health`, `http://127.0.0.1:${empty.firstLine}/`];
  const clients = Array.from({ length: Number(values.clients) }, (_, index) => {
    return new StrainedClient(
      `${gateway.url}/mcp/honest`,
      index % 2 === 0 ? "modern" : "legacy",
      PATIENCE_MS,
    );
  });
  // What is started only once is no part of it.
  await Promise.all(clients.map((client) => client.callTool("echo", { text: "first" })));
  await using probe = await SideProcess.start("gap-probe", ...urls);
  const sampling = sampleMemory(gateway);
  let isOver = false;
  const calling = clients.map((client) => keepCalling(client, () => isOver));
  const port = Number(new URL(gateway.url).port);
  {
    using sockets = new Sockets(port);
    await attack({ url: gateway.url, port, share }, sockets);
    isOver = true;
  }
  const outcomes = (await Promise.all(calling)).flat();
  const [gapMs = 0, emptyMs = 0] = JSON.parse(await probe.end()) as number[];
  const mostMb = sampling.stop();
  const startedMs = performance.now();
  const exitCode = await gateway.stop();
  const endMs = Math.round(performance.now() - startedMs);
  judge(name, { outcomes, mostMb, exitCode, endMs, gapMs, emptyMs });
}

interface Seen {
  readonly outcomes: readonly string[];
  readonly mostMb: number;
  readonly exitCode: number;
  readonly endMs: number;
  readonly gapMs: number;
  readonly emptyMs: number;
}

function judge(name: string, { outcomes, mostMb, exitCode, endMs, gapMs, emptyMs }: Seen): void {
  const lost = outcomes.filter((outcome) => outcome !== "answered");
  const longerMs = gapMs - emptyMs;
  console.log(
    JSON.stringify({
      attack: name,
      calls: outcomes.length,
      lost: lost.length,
      mostMb,
      endMs,
      gapMs,
      emptyMs,
    }),
  );
  const promises: [isKept: boolean, words: string][] = [
    [lost.length === 0, `${lost.length} honest calls went wrong, such as ${lost[0]}`],
    [outcomes.length > 0, "no honest call was made"],
    [mostMb < MOST_MB, `the gateway took ${mostMb} MB`],
    [exitCode === 0, `the gateway ended with ${exitCode}`],
    [endMs < END_MS, `the gateway took ${endMs} ms to end`],
    [!values.gaps || longerMs <= MOST_GAP_MS, `a request waited ${longerMs} ms longer than elsewhere`],
  ];
  for (const [isKept, words] of promises) if (!isKept) broken.push(`${name}: ${words}`);
}

async function keepCalling(client: StrainedClient, isOver: () => boolean): Promise<string[]> {
  const outcomes: string[] = [];
  do {
    const text = `call ${outcomes.length}`;
    const outcome = await client.callTool("echo", { text });
    const isRight = outcome.kind === "answered" && outcome.text === text;
    outcomes.push(isRight ? "answered" : JSON.stringify(outcome));
    await Bun.sleep(SAMPLE_MS);
  } while (!isOver());
  return outcomes;
}

function sampleMemory(gateway: StrainedGateway): { stop: () => number } {
  let mostMb = 0;
  const sampling = setInterval(() => {
    mostMb = Math.max(mostMb, gateway.rssMb);
  }, SAMPLE_MS);
  return {
    stop: () => {
      clearInterval(sampling);
      return Math.round(Math.max(mostMb, gateway.rssMb));
    },
  };
}
