// A child's stdin and stdout as sockets of ours. Bun's own pipes arm epoll anew for every message, read until there is
// nothing, and hand out streams: to a small call that is a tenth of its time. Knows no lines and no messages.

import { closeSync } from "node:fs";
import type { Socket } from "bun";
import type { ChildInput, ChildOutput } from "./child-pipes.ts";
import { openSocketPair } from "./socket-pair.ts";

export class ChildSockets {
  readonly stdin: SocketInput;
  readonly stdout: SocketOutput;
  /** The ends for the child, as file descriptors. */
  readonly theirs: { readonly stdin: number; readonly stdout: number };

  private constructor(
    stdin: SocketInput,
    stdout: SocketOutput,
    theirs: { readonly stdin: number; readonly stdout: number },
  ) {
    this.stdin = stdin;
    this.stdout = stdout;
    this.theirs = theirs;
  }

  /** Undefined where there are none to be had: on Windows, or with no descriptor left. */
  static async open(): Promise<ChildSockets | undefined> {
    const input = await openSocketPair();
    if (input === undefined) return undefined;
    const output = await openSocketPair();
    if (output === undefined) {
      for (const end of [input.ours, input.theirs]) closeSync(end);
      return undefined;
    }
    const stdin = await SocketInput.open(input.ours);
    const stdout = await SocketOutput.open(output.ours);
    return new ChildSockets(stdin, stdout, { stdin: input.theirs, stdout: output.theirs });
  }

  /** The child has its ends now. Where there is none, ours see that nobody holds the others, and close. */
  releaseTheirs(): void {
    for (const end of [this.theirs.stdin, this.theirs.stdout]) closeSync(end);
  }
}

/** What came of a message is told by the next write, or by the close. */
function ignore(): void {
  return;
}

class SocketInput implements ChildInput {
  #socket: Socket | undefined;
  /** What the child has still to read before more may be written. */
  #waiting: { readonly rest: Uint8Array; readonly drained: PromiseWithResolvers<void> } | undefined;
  #isEnding = false;

  static async open(fd: number): Promise<SocketInput> {
    const input = new SocketInput();
    await input.#connect(fd);
    return input;
  }

  async #connect(fd: number): Promise<void> {
    const drain = () => this.#goOn();
    const close = () => this.#break();
    this.#socket = await Bun.connect({ fd, socket: { drain, close, data: ignore, error: ignore } });
  }

  write(text: string, bytes: number): "taken" | "refused" | Promise<unknown> {
    const taken = this.#socket?.write(text) ?? -1;
    if (taken >= bytes) return "taken";
    if (taken < 0) return "refused";
    const drained = Promise.withResolvers<void>();
    this.#waiting = { rest: Buffer.from(text).subarray(taken), drained };
    return drained.promise;
  }

  end(): void {
    this.#isEnding = true;
    if (this.#waiting === undefined) this.#socket?.end();
  }

  close(): void {
    this.#socket?.terminate();
  }

  #goOn(): void {
    if (this.#waiting === undefined) return;
    const { rest, drained } = this.#waiting;
    const taken = this.#socket?.write(rest) ?? -1;
    if (taken < 0) return this.#break();
    this.#waiting = taken < rest.length ? { rest: rest.subarray(taken), drained } : undefined;
    if (this.#waiting !== undefined) return;
    drained.resolve();
    if (this.#isEnding) this.#socket?.end();
  }

  #break(): void {
    this.#waiting?.drained.reject(new Error("the pipe broke"));
    this.#waiting = undefined;
  }
}

class SocketOutput implements ChildOutput {
  readonly #ended = Promise.withResolvers<void>();
  /** What came before anybody wanted it. */
  readonly #early: Uint8Array[] = [];
  #socket: Socket | undefined;
  #onBytes = (bytes: Uint8Array): void => void this.#early.push(bytes);

  static async open(fd: number): Promise<SocketOutput> {
    const output = new SocketOutput();
    await output.#connect(fd);
    return output;
  }

  async #connect(fd: number): Promise<void> {
    const data = (_: Socket, bytes: Uint8Array) => this.#onBytes(bytes);
    const close = () => this.#ended.resolve();
    this.#socket = await Bun.connect({ fd, socket: { data, close, error: ignore } });
  }

  drain(onBytes: (bytes: Uint8Array) => void): Promise<void> {
    this.#onBytes = onBytes;
    for (const bytes of this.#early.splice(0)) onBytes(bytes);
    return this.#ended.promise;
  }

  async close(): Promise<void> {
    this.#socket?.terminate();
  }
}
