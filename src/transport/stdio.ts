// A backend as a child process: messages are lines on its stdin and stdout, stderr is its log.
// Owns the process and everything that it starts; knows no JSON-RPC ids beyond what a lost answer needs.

import type { StdioConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import type { MemoryBudget } from "../memory-budget.ts";
import { type Id, type Message, writeMessage } from "../protocol/jsonrpc.ts";
import type { ChildOutput } from "./child-pipes.ts";
import { releaseChild, strayMarkOf } from "./held-children.ts";
import { LastWords } from "./last-words.ts";
import { LineReader, type OversizedLine } from "./line-reader.ts";
import { idOfResponse, MessageLines } from "./message-lines.ts";
import { endGroup, within } from "./process-group.ts";
import { type Child, spawnChild } from "./spawn-child.ts";
import { StdinWriter } from "./stdin-writer.ts";
import { SendError, type Transport, type TransportEvents } from "./transport.ts";

export interface StdioLimits {
  /** One message from the child. */
  readonly messageBytes: number;
  /** What may wait for a child that does not read. */
  readonly queuedBytes: number;
  /** How long a child may take to end after its stdin has ended. */
  readonly exitGraceMs: number;
  /** How long its group may take to obey SIGTERM, and then SIGKILL. */
  readonly killGraceMs: number;
}

export interface StdioOptions {
  /** The backend's name, for the log. */
  readonly name: string;
  readonly log: Log;
  readonly events: TransportEvents;
  /** Ends the start, not the wire. */
  readonly signal?: AbortSignal;
  readonly limits?: Partial<StdioLimits>;
  /** Counts unfinished messages and what waits for the child. */
  readonly memory?: MemoryBudget | undefined;
}

const DEFAULT_LIMITS: StdioLimits = {
  messageBytes: 64 * 1024 * 1024,
  queuedBytes: 64 * 1024 * 1024,
  exitGraceMs: 2_000,
  killGraceMs: 2_000,
};

const STDERR_LINE_BYTES = 64 * 1024;
/** After the first sign of the end: how long the other signs (exit code, last answer, last words) may take. */
const SETTLE_MS = 250;

export class StdioTransport implements Transport {
  readonly kind = "stdio";
  readonly hasSharedChannel = true;
  readonly #child: Child;
  readonly #log: Log;
  readonly #events: TransportEvents;
  readonly #limits: StdioLimits;
  readonly #stdin: StdinWriter;
  readonly #messages: MessageLines;
  readonly #stderrLines: LineReader;
  readonly #lastWords = new LastWords();
  readonly #memory: MemoryBudget | undefined;
  #isOver = false;
  #ending: Promise<void> | undefined;

  private constructor(child: Child, options: StdioOptions) {
    this.#child = child;
    this.#log = options.log.with({ backend: options.name, pid: child.process.pid });
    this.#events = options.events;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#memory = options.memory;
    this.#stdin = new StdinWriter(child, this.#limits.queuedBytes, options.memory);
    this.#messages = new MessageLines(
      this.#log,
      (incoming) => this.#events.onMessage(incoming),
      (text) => void this.#lastWords.add(text.slice(0, STDERR_LINE_BYTES)),
    );
    this.#stderrLines = new LineReader(STDERR_LINE_BYTES, {
      onLine: (line) => this.#hear(line),
      onOversized: ({ head }) => this.#hear(head),
    });
  }

  /**
   * Rejects with a StartError where no process came to be, or with the signal's reason.
   * A process that ends at once is no failed start: `onEnd` tells of it, with its last words.
   */
  static async start(config: StdioConfig, options: StdioOptions): Promise<StdioTransport> {
    const transport = new StdioTransport(await spawnChild(config, options.signal), options);
    transport.#log.debug("started a process", { program: config.argv[0] });
    void transport.#watch();
    return transport;
  }

  get pid(): number {
    return this.#child.process.pid;
  }

  /** Stays pending while the child does not read its stdin. */
  send(message: Message): Promise<void> {
    return this.#stdin.write(writeMessage(message));
  }

  /** One channel for all: the answer may come late, and nobody will be waiting for it. */
  abandon(_id: Id): void {
    return;
  }

  /** The revision stands in no header here. */
  negotiated(_revision: string): void {
    return;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stdin.flush();
    return this.#end(this.#reason("the gateway ended the process"));
  }

  /** Lives as long as the wire: whichever sign of its end comes first, the end is told and the group is ended. */
  async #watch(): Promise<void> {
    const sink = {
      onLine: (line: string) => {
        if (!this.#isOver) this.#tell(() => this.#messages.read(line));
      },
      onOversized: (line: OversizedLine) => this.#tell(() => this.#lose(line)),
    };
    const messageLines = new LineReader(this.#limits.messageBytes, sink, this.#memory);
    const stdout = readLines(this.#child.stdout, messageLines);
    const stderr = readLines(this.#child.stderr, this.#stderrLines);
    const { exited } = this.#child.process;
    await Promise.race([exited, stdout, this.#stdin.broken]);
    // Not longer: a grandchild may hold the pipes open for good.
    if (!this.#isOver) await within(SETTLE_MS, Promise.all([exited, stdout, stderr]));
    // If the event loop was blocked, this time may be over before the waiting input was read.
    await afterReading();
    await this.#end(this.#reason("the process closed its stdin or stdout but still ran"));
  }

  #hear(line: string): void {
    const shown = this.#lastWords.add(line);
    if (shown !== "") this.#log.debug(`stderr: ${shown}`);
  }

  /** A message over the cap fails the one call that it answers; where that call is unknown, the wire. */
  #lose(line: OversizedLine): void {
    if (this.#isOver) return;
    const size = `${(line.bytes / 1024 / 1024).toFixed(1)} MiB`;
    const cap = `over the limit of ${(this.#limits.messageBytes / 1024 / 1024).toFixed(1)} MiB`;
    const why =
      line.bytes > this.#limits.messageBytes
        ? cap
        : "too much while the gateway holds as much as memory_limit allows";
    const reason = `the process sent a message of ${size}, which is ${why}`;
    const id = idOfResponse(line);
    this.#log.warning(`${reason}; skipped`, { id });
    if (id === undefined) void this.#end(reason);
    else this.#tell(() => this.#events.onLost(id, new SendError(reason, { maybeDelivered: true })));
  }

  #reason(whileItRuns: string): string {
    const { exitCode, signalCode } = this.#child.process;
    if (signalCode !== null) return `the process was ended by signal ${signalCode}`;
    if (exitCode !== null) return `the process ended with exit code ${exitCode}`;
    return whileItRuns;
  }

  /** Tells the end once; resolves when nothing of the process is left. */
  #end(reason: string): Promise<void> {
    this.#ending ??= this.#finish(reason);
    return this.#ending;
  }

  async #finish(reason: string): Promise<void> {
    this.#isOver = true;
    this.#stderrLines.end();
    this.#messages.close();
    const end = { reason, permanent: false, lastWords: this.#lastWords.lines() };
    this.#stdin.stop(end);
    this.#child.stdin.end();
    // A send that was refused is told first: it knows better than the end whether its message was delivered.
    await new Promise((resolve) => setImmediate(resolve));
    this.#tell(() => this.#events.onEnd(end));
    const { exitGraceMs, killGraceMs } = this.#limits;
    const { process, stdin, stdout, stderr } = this.#child;
    const grace = { exitMs: exitGraceMs, killMs: killGraceMs };
    const isGone = await endGroup(process, strayMarkOf(process), grace);
    if (isGone) releaseChild(process);
    else this.#log.warning("the process, or something that it started, could not be ended");
    // Processes that were kept or could not be ended may still hold the pipes, so we close our ends.
    stdin.close();
    await Promise.all([stdout.close(), stderr.close()]);
    this.#log.debug("ended a process", { reason });
  }

  /** A bug in whoever listens must neither stop the reading nor the ending. */
  #tell(event: () => void): void {
    try {
      event();
    } catch (bug) {
      this.#log.error("a message or the end of a process could not be taken in: a bug in the gateway", {
        error: bug,
      });
    }
  }
}

/** Resolves when the event loop has polled for input once. */
async function afterReading(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function readLines(output: ChildOutput, lines: LineReader): Promise<void> {
  await output.drain((bytes) => lines.push(bytes));
  lines.end();
}
