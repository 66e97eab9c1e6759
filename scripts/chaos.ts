// Chaos: clients call tools while children crash, hang, babble and leave grandchildren, and the gateway itself is killed.
// Every call carries a word of its own, which the child writes into a ledger before anything else: what was answered
// twice, done twice or left without an answer shows there.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fixture } from "../test/support/fixture.ts";
import { waitFor } from "../test/support/wait-for.ts";
import { type Outcome, StrainedClient } from "./strain/strained-client.ts";
import { StrainedGateway } from "./strain/strained-gateway.ts";

/** In the middle of a call. */
const CALL_FAULTS = ["crash", "kill", "late", "garbage", "stderr", "grandchild", "leak", "deaf"];
/** Whenever it is started. */
const START_FAULTS: Readonly<Record<string, readonly string[]>> = {
  hangs: fixture("hangs-on-start"),
  quits: fixture("exits-at-once", "3"),
  probe: fixture("exits-before-initialize"),
};
const SERVERS = 6;
const FAULTY_SHARE = 0.4;
const START_FAULT_SHARE = 0.03;
/** Longer than any deadline of the gateway in this run: who waits longer was forgotten. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 50;
/** Longer than the longest time that a backend is left alone. */
const RECOVERY_MS = 60_000;
const END_MS = 60_000;
const COUNT_MS = 100;

const { values } = parseArgs({
  options: {
    faults: { type: "string", default: "2000" },
    kills: { type: "string", default: "20" },
    clients: { type: "string", default: "50" },
    /** No more is done to it after so long, even if there were fewer faults. */
    seconds: { type: "string", default: "3600" },
  },
});
const [faults, kills, clients] = [Number(values.faults), Number(values.kills), Number(values.clients)];

const counts = { faults: 0, answered: 0, failed: 0, cut: 0, lost: 0, wrong: 0 };
const answered = new Map<string, number>();
const [lost, wrong, unserved]: [string[], string[], string[]] = [[], [], []];

await using gateway = await startGateway();
const ledger = join(gateway.folder, "ledger");
const descriptorsBefore = gateway.descriptors;
const startedMs = performance.now();
const untilMs = startedMs + Number(values.seconds) * 1_000;
const isOver = () => counts.faults >= faults || performance.now() >= untilMs;
const counting = setInterval(countFaults, COUNT_MS);
await Promise.all([killNowAndThen(), ...Array.from({ length: clients }, (_, index) => keepCalling(index))]);
clearInterval(counting);
countFaults();
const report = await close();
console.log(JSON.stringify(report, null, 2));
process.exitCode = report.violations.length === 0 ? 0 : 1;

function startGateway(): Promise<StrainedGateway> {
  const keys = { idle_timeout: "700ms", request_timeout: "10s", start_timeout: "2s", max_concurrency: 20 };
  const servers = Array.from({ length: SERVERS }, (_, index) => {
    return [`server-${index}`, { argv: fixture("chaos-server"), keys }] as const;
  });
  const broken = Object.entries(START_FAULTS).map(([name, argv]) => [name, { argv, keys }] as const);
  return StrainedGateway.start(Object.fromEntries([...servers, ...broken]), ({ folder }) => ({
    LEDGER: join(folder, "ledger"),
  }));
}

async function keepCalling(index: number): Promise<void> {
  const era = index % 2 === 0 ? "modern" : "legacy";
  const client = new StrainedClient(`${gateway.url}/mcp`, era, PATIENCE_MS);
  for (let turn = 0; !isOver(); turn++) {
    const [server, fault] = choose();
    const word = `${fault}-${index}-${turn}`;
    const isStart = server in START_FAULTS;
    const given = isStart ? { text: word } : { word, fault };
    const outcome = await client.callTool("gateway_invoke", {
      server,
      tool: isStart ? "echo" : "note",
      arguments: given,
    });
    keepBooks(word, outcome);
    if (outcome.kind === "cut") await Bun.sleep(RETRY_MS);
  }
  await callInPeace(client, index);
}

/** Whatever was done to the gateway, each of its clients is served once that is over. */
async function callInPeace(client: StrainedClient, index: number): Promise<void> {
  let outcome: Outcome | undefined;
  const isServed = async (turn: number) => {
    const word = `none-${index}-in-peace-${turn}`;
    const args = { server: `server-${index % SERVERS}`, tool: "note", arguments: { word, fault: "none" } };
    outcome = await client.callTool("gateway_invoke", args);
    keepBooks(word, outcome);
    if (outcome.kind !== "answered") await Bun.sleep(RETRY_MS);
    return outcome.kind === "answered";
  };
  let turn = 0;
  await waitFor(() => isServed(turn++), { timeoutMs: RECOVERY_MS }).catch(() =>
    unserved.push(JSON.stringify(outcome)),
  );
}

/** Only what a child has read has hurt: a call that was refused, or cut off on its way, is no fault. */
function countFaults(): void {
  const hurt = ledgerLines().filter((word) => !word.startsWith("none-"));
  counts.faults = hurt.length + gateway.kills;
}

function ledgerLines(): string[] {
  return existsSync(ledger) ? readFileSync(ledger, "utf8").trimEnd().split("\n") : [];
}

function choose(): [server: string, fault: string] {
  const dice = Math.random();
  if (dice < START_FAULT_SHARE) return [pick(Object.keys(START_FAULTS)), "start"];
  return [`server-${Math.floor(Math.random() * SERVERS)}`, dice < FAULTY_SHARE ? pick(CALL_FAULTS) : "none"];
}

function pick(from: readonly string[]): string {
  return from[Math.floor(Math.random() * from.length)] ?? "";
}

function keepBooks(word: string, outcome: Outcome): void {
  counts[outcome.kind] += 1;
  if (outcome.kind === "lost") lost.push(`${word}: ${outcome.reason}`);
  if (outcome.kind === "wrong") wrong.push(`${word}: ${outcome.reason}`);
  if (outcome.kind !== "answered") return;
  if (outcome.text !== word) {
    counts.wrong += 1;
    wrong.push(`${word}: ${outcome.text}`);
  }
  answered.set(word, (answered.get(word) ?? 0) + 1);
}

/** Evenly over the run. */
async function killNowAndThen(): Promise<void> {
  for (let kill = 1; kill <= kills; kill++) {
    const due = (faults * kill) / (kills + 1);
    await waitFor(() => counts.faults >= due || isOver(), { timeoutMs: Number.POSITIVE_INFINITY });
    if (performance.now() >= untilMs) return;
    await gateway.killAndRestart();
  }
}

async function close() {
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  // Everything has gone to sleep when no child is left that the gateway owns.
  const isQuiet = () => gateway.children.filter(({ pid }) => pid !== gateway.pid).length === 0;
  const asleep = await waitFor(isQuiet, { timeoutMs: END_MS }).catch(() => false);
  const descriptorsAfter = gateway.descriptors;
  const exitCode = await gateway.stop();
  await waitFor(() => gateway.children.length === 0, { timeoutMs: END_MS }).catch(() => undefined);
  const orphans = gateway.children.map(({ command }) => command);
  const doneTwice = wordsDoneTwice();
  const undone = [...answered.keys()].filter(
    (word) => !doneTwice.all.has(word) && !word.startsWith("start-"),
  );
  const violations = [
    ...(counts.lost > 0 ? [`${counts.lost} calls were never answered: ${lost.slice(0, 3).join("; ")}`] : []),
    ...(counts.wrong > 0 ? [`${counts.wrong} answers were wrong: ${wrong.slice(0, 3).join("; ")}`] : []),
    ...(doneTwice.words.length > 0 ? [`done twice: ${doneTwice.words.slice(0, 5).join(", ")}`] : []),
    ...(undone.length > 0 ? [`answered without being done: ${undone.slice(0, 5).join(", ")}`] : []),
    ...(unserved.length > 0 ? [`${unserved.length} clients were served no more: ${unserved[0]}`] : []),
    ...(orphans.length > 0 ? [`left behind: ${[...new Set(orphans)].join("; ")}`] : []),
    ...(asleep ? [] : ["children were still there when all should have slept"]),
    ...(exitCode === 0 ? [] : [`the gateway ended with ${exitCode}`]),
    ...(descriptorsAfter > descriptorsBefore + clients + 10
      ? [`descriptors grew from ${descriptorsBefore} to ${descriptorsAfter}`]
      : []),
  ];
  return {
    seconds,
    clients,
    kills: gateway.kills,
    ...counts,
    written: doneTwice.all.size,
    descriptorsBefore,
    descriptorsAfter,
    violations,
  };
}

function wordsDoneTwice(): { all: ReadonlySet<string>; words: string[] } {
  const lines = ledgerLines();
  const all = new Set<string>();
  const words = lines.filter((word) => all.has(word) || !all.add(word));
  return { all, words };
}
