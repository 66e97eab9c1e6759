// Plays cases against the stdio face: lines of all kinds into a program that must answer every request once, under its id,
// and write nothing else to its stdout.

import { isObject } from "../../src/protocol/jsonrpc.ts";
import { referenceCommand } from "../fixtures/reference/start.ts";
import { ProgramRun } from "../support/run-gateway.ts";
import { waitFor } from "../support/wait-for.ts";
import { caseRandom } from "./case-random.ts";
import { BACKEND, drawMessage } from "./client-messages.ts";
import { corruptBytes, split } from "./hostile-values.ts";
import { expect, judgeMessage } from "./judge.ts";
import type { Ledger } from "./ledger.ts";
import { Loot } from "./loot.ts";

/** After so many cases a program is asked whether it still answers, and after so many of those it is ended. */
const CASES_PER_ROUND = 25;
const ROUNDS_PER_PROGRAM = 16;
const PATIENCE_MS = 20_000;
const MANY = 2_000_000;
/** Nests deeper than any message may. */
const DEEP = /(?:\{"a":){500}|\[{500}/;

export async function playStdio(ledger: Ledger, numbers: Iterable<number>, lanes: number): Promise<void> {
  const queue = numbers[Symbol.iterator]();
  const lane = async () => {
    for (let next = take(queue, CASES_PER_ROUND * ROUNDS_PER_PROGRAM); next.length > 0; ) {
      await playProgram(ledger, next);
      next = take(queue, CASES_PER_ROUND * ROUNDS_PER_PROGRAM);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

function take(queue: Iterator<number>, count: number): number[] {
  const taken: number[] = [];
  while (taken.length < count) {
    const next = queue.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}

async function playProgram(ledger: Ledger, numbers: readonly number[]): Promise<void> {
  const [first = 0] = numbers;
  const [command, ...args] = referenceCommand("both");
  const entry = { command, args, request_timeout: "3s", question_timeout: "1s" };
  const target = first % 2 === 0 ? ["--backend", BACKEND] : [];
  await using run = await ProgramRun.start(["stdio", "--log-level", "ERROR", ...target], {
    config: { backends: { [BACKEND]: entry } },
  });
  const face = new Face(run, ledger);
  for (let at = 0; at < numbers.length && run.isRunning; at += CASES_PER_ROUND) {
    await face.playRound(numbers.slice(at, at + CASES_PER_ROUND));
  }
  await face.close();
}

class Face {
  readonly #run: ProgramRun;
  readonly #ledger: Ledger;
  readonly #loot = new Loot();
  /** How many requests of each id were sent, and how many answers came. */
  readonly #asked = new Map<unknown, number>();
  readonly #answered = new Map<unknown, number>();
  /** Those that must still be answered, and the case that asked. */
  readonly #waiting = new Map<unknown, number>();
  #read = 0;
  #isSynced: string | undefined;
  #last = 0;

  constructor(run: ProgramRun, ledger: Ledger) {
    this.#run = run;
    this.#ledger = ledger;
  }

  async playRound(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) await this.#play(number);
    const id = `sync-${this.#last}`;
    this.#run.write(`${JSON.stringify({ jsonrpc: "2.0", id, method: "ping" })}\n`);
    await this.#until(() => this.#isSynced === id, `the answer to ping after case ${this.#last}`);
  }

  /** All requests have been answered, and the program ends when its input does. */
  async close(): Promise<void> {
    await this.#until(() => this.#waiting.size === 0, "the last answers");
    if (this.#waiting.size > 0) {
      const [[id, number] = []] = this.#waiting;
      this.#problem(number ?? this.#last, `the request ${JSON.stringify(id)} was never answered`);
    }
    this.#run.endInput();
    const exitCode = await this.#run.exited();
    if (exitCode !== 0)
      this.#problem(this.#last, `ended with ${exitCode}: ${this.#run.stderr.slice(-1_000)}`);
    const [bug] = this.#run.stderr.split("\n").filter((line) => /\bbug\b/.test(line));
    if (bug !== undefined) this.#problem(this.#last, bug);
  }

  async #play(number: number): Promise<void> {
    const random = caseRandom(this.#ledger.seed, "stdio", number);
    this.#ledger.cases.stdio += 1;
    this.#last = number;
    const { text } = drawMessage(random, this.#loot);
    const long = random.chance(0.003)
      ? text.replace('"params":{', `"params":{"long":"${"é".repeat(random.below(MANY))}",`)
      : text;
    const clean = Buffer.from(long);
    const bytes = Buffer.concat([
      random.chance(0.1) ? corruptBytes(random, clean) : clean,
      Buffer.from(random.pick(["\n", "\r\n", "\n\n", " \n"])),
    ]);
    for (const line of splitLines(bytes)) this.#expect(line, number);
    for (const piece of split(random, bytes, random.chance(0.2) ? 6 : 1)) {
      this.#run.write(Uint8Array.from(piece));
      if (random.chance(0.02)) await Bun.sleep(1);
    }
  }

  #expect(line: Buffer, number: number): void {
    const { kind, ids } = expect(line);
    for (const id of ids) this.#asked.set(id, (this.#asked.get(id) ?? 0) + 1);
    const text = line.toString("utf8");
    const [id] = ids;
    if (text.includes("notifications/cancelled") || text.includes("initialize")) {
      // What was cancelled, or belongs to a session that another takes the place of, is not answered.
      this.#waiting.clear();
    } else if (
      kind === "request" &&
      !text.includes("subscriptions/") &&
      !DEEP.test(text) &&
      !text.startsWith("\ufeff")
    ) {
      this.#waiting.set(id, number);
    }
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    const isOver = () => {
      this.#listen();
      return condition() || !this.#run.isRunning;
    };
    await waitFor(isOver, { timeoutMs: PATIENCE_MS }).catch(() => this.#problem(this.#last, `no ${what}`));
    if (!this.#run.isRunning)
      this.#problem(this.#last, `the program ended: ${this.#run.stderr.slice(-1_000)}`);
  }

  #listen(): void {
    const { stdout } = this.#run;
    for (let end = stdout.indexOf("\n", this.#read); end !== -1; end = stdout.indexOf("\n", this.#read)) {
      const line = stdout.slice(this.#read, end);
      this.#read = end + 1;
      this.#hear(line);
    }
  }

  #hear(line: string): void {
    try {
      const message: unknown = JSON.parse(line);
      const malformed = judgeMessage(message);
      if (malformed !== undefined) return this.#problem(this.#last, malformed);
      if (line.includes("Internal error in the gateway")) this.#problem(this.#last, line);
      this.#loot.collect(new Map(), line);
      if (isObject(message) && !("method" in message)) this.#answer(message.id);
    } catch (thrown) {
      this.#problem(this.#last, `${String(thrown)} on stdout: ${line.slice(0, 300)}`);
    }
  }

  #answer(id: unknown): void {
    this.#waiting.delete(id);
    if (typeof id === "string" && id.startsWith("sync-")) this.#isSynced = id;
    else if (id !== null) {
      const count = (this.#answered.get(id) ?? 0) + 1;
      this.#answered.set(id, count);
      if (count > (this.#asked.get(id) ?? 0))
        this.#problem(this.#last, `one answer too many under ${JSON.stringify(id)}`);
    }
    this.#ledger.count(`stdio: ${id === null ? "refused" : "answered"}`);
  }

  #problem(number: number, problem: string): void {
    this.#ledger.reportCase("stdio", number, problem);
  }
}

function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at);
    const stop = end === -1 ? bytes.length : end;
    lines.push(bytes.subarray(at, stop));
    at = stop + 1;
  }
  return lines;
}
