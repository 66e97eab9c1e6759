// A short soak, so that what a long one looks for is looked for each time: calls that fail, and what sleeping, waking and
// calling leave behind. Of memory a run this short says nothing; objects it counts exactly.

import { expect, test } from "bun:test";
import { join } from "node:path";

const SESSIONS = 10;
const BACKENDS = 8;
const TIMEOUT_MS = 180_000;

async function run(program: string, ...args: string[]): Promise<{ output: string; exitCode: number }> {
  const child = Bun.spawn([process.execPath, program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const [output, exitCode] = await Promise.all([child.stdout.text(), child.exited]);
  return { output, exitCode };
}

interface Report {
  readonly starts: number;
  readonly samples: readonly { readonly descriptors: number }[];
  readonly violations: readonly string[];
}

test(
  "calls through backends that sleep and wake all come back, and no descriptor and no process is left",
  async () => {
    const soak = join(import.meta.dir, "../../scripts/soak.ts");
    const size = ["--calls", "1500", "--backends", String(BACKENDS), "--sessions", String(SESSIONS)];
    const { output } = await run(soak, ...size, "--rest-ms", "100");
    const { starts, samples, violations }: Report = JSON.parse(output);
    // How many connections the clients keep is theirs to say, and what memory is held, the collector's.
    expect(violations.filter((text) => !/memory grew|descriptors more/.test(text))).toEqual([]);
    // Each sleeps in the rest after each tenth.
    expect(starts).toBeGreaterThan(2 * BACKENDS);
    const [first, last] = [samples[0]?.descriptors ?? 0, samples.at(-1)?.descriptors ?? 0];
    expect(samples).toHaveLength(10);
    expect(last).toBeLessThanOrEqual(first + SESSIONS);
  },
  TIMEOUT_MS,
);

/** Made for each start, each session or each call: what is left of one in each round is a leak. */
const KINDS = [
  ...["Object", "Function", "Promise", "Map", "Set", "Array", "JSLexicalEnvironment", "AsyncFunction"],
  ...["Timeout", "Immediate", "AbortController", "AbortSignal", "Request", "Response", "Headers"],
  ...["FileSink", "ReadableStream", "FileInternalReadableStreamSource", "TCPSocket", "Uint8Array"],
];
/** A leak for each start would be of twelve in these rounds, one for each call of six hundred. */
const FEW = 8;

test(
  "nothing is alive after many wakes that was not after the first, and no timer or handle holds the program",
  async () => {
    const { output, exitCode } = await run(join(import.meta.dir, "soaked-gateway.ts"));
    expect(exitCode).toBe(0);
    const rounds = output
      .trim()
      .split("\n")
      .map((line): Record<string, number> => JSON.parse(line));
    expect(rounds).toHaveLength(5);
    // The first round also makes what is made once.
    const [, second = {}, , , last = {}] = rounds;
    const grown = KINDS.filter((kind) => (last[kind] ?? 0) - (second[kind] ?? 0) >= FEW);
    expect(grown).toEqual([]);
    // The prototype of all; none of an ended child that a sleeping backend still holds.
    expect(last.Subprocess).toBeLessThanOrEqual(1);
  },
  TIMEOUT_MS,
);
