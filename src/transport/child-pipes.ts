// The pipes of a child: text goes in, bytes come out. They are real pipes, not the sockets that Bun makes, because a program
// may open its own streams by name (/dev/stdin, /dev/stdout, /dev/stderr), and a socket cannot be opened by name.

import { closeSync, writeSync } from "node:fs";
import type { FileSink } from "bun";
import { type Libc, libc, type Pipe } from "./libc.ts";

export interface ChildInput {
  /**
   * Hands over a text of so many bytes, one at a time: at once, or, where the child does not read, by and by. "refused"
   * where nobody reads any more; the promise rejects where that shows later. Never throws.
   */
  write(text: string, bytes: number): "taken" | "refused" | Promise<unknown>;
  /** Lets the child see the end, once it has read what was written. */
  end(): void;
  /** Lets go of what the child has not read. */
  close(): void;
}

export interface ChildOutput {
  /** Hands on all that comes, and resolves at the end. A stream that breaks is at its end too. */
  drain(onBytes: (bytes: Uint8Array) => void): Promise<void>;
  /** Lets go of a stream that somebody else may hold open for good. */
  close(): Promise<void>;
}

/** Pipes that the gateway makes before it starts the child. */
export class ChildPipes {
  readonly stdin: PipeInput;
  readonly stdout: PipeOutput;
  readonly stderr: PipeOutput;
  /** The ends for the child, as file descriptors. */
  readonly theirs: { readonly stdin: number; readonly stdout: number; readonly stderr: number };

  private constructor(stdin: Pipe, stdout: Pipe, stderr: Pipe, resize: Libc["resizePipe"]) {
    this.stdin = new PipeInput(new PipeEnd(stdin.writeEnd, resize));
    this.stdout = new PipeOutput(new PipeEnd(stdout.readEnd, resize));
    this.stderr = new PipeOutput(new PipeEnd(stderr.readEnd));
    this.theirs = { stdin: stdin.readEnd, stdout: stdout.writeEnd, stderr: stderr.writeEnd };
  }

  /** Undefined on Windows, and if no file descriptor is left. */
  static async open(): Promise<ChildPipes | undefined> {
    const calls = await libc();
    return calls === undefined ? undefined : ChildPipes.#open(calls);
  }

  static #open({ openPipe, setNonBlocking, resizePipe }: Libc): ChildPipes | undefined {
    const opened = [openPipe(), openPipe(), openPipe()];
    const [stdin, stdout, stderr] = opened;
    // Only our end is non-blocking: each end has flags of its own, and few programs expect a non-blocking stdin.
    if (
      stdin !== undefined &&
      stdout !== undefined &&
      stderr !== undefined &&
      setNonBlocking(stdin.writeEnd)
    ) {
      return new ChildPipes(stdin, stdout, stderr, resizePipe);
    }
    for (const pipe of opened) {
      if (pipe === undefined) continue;
      closeSync(pipe.readEnd);
      closeSync(pipe.writeEnd);
    }
    return undefined;
  }

  /** Closes the child's ends in this process, after the child was started or could not be. */
  releaseTheirs(): void {
    for (const end of Object.values(this.theirs)) closeSync(end);
  }

  /** Closes everything, if the child could not be started. */
  close(): void {
    this.stdin.close();
    for (const output of [this.stdout, this.stderr]) void output.close();
  }
}

/** The wait before the next attempt to write into a full pipe: it doubles from the first value to the last. */
const FIRST_RETRY_MS = 1;
const LAST_RETRY_MS = 64;

/** A pipe holds so much at first. */
const PIPE_BYTES = 64 * 1024;
/** The largest pipe that Linux lets every user have. */
const LARGE_PIPE_BYTES = 1024 * 1024;
/** The pipes of one user may hold 64 MiB in all. Beyond that, Linux gives each new one of any program two pages only. */
const MAX_LARGE_PIPES = 16;
let largePipes = 0;

/** Our end of a pipe. A large message goes through a small pipe in many pieces, and each piece costs a wait. */
class PipeEnd {
  readonly #resize: Libc["resizePipe"] | undefined;
  #fd: number | undefined;
  #isLarge = false;

  /** Without `resize` the pipe stays as small as it is. */
  constructor(fd: number, resize?: Libc["resizePipe"]) {
    this.#fd = fd;
    this.#resize = resize;
  }

  /** Undefined once it is closed. */
  get fd(): number | undefined {
    return this.#fd;
  }

  /** To be called if a message is larger than the pipe. */
  enlarge(): void {
    const resize = this.#resize;
    if (this.#isLarge || this.#fd === undefined || resize === undefined) return;
    if (largePipes >= MAX_LARGE_PIPES || !resize(this.#fd, LARGE_PIPE_BYTES)) return;
    this.#isLarge = true;
    largePipes += 1;
  }

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    if (this.#isLarge) largePipes -= 1;
  }
}

/**
 * Writes synchronously, in one system call. If the pipe is full, it tries again after a pause: Bun can wait for a pipe, but
 * it cannot cancel that wait while the pipe is full.
 */
export class PipeInput implements ChildInput {
  readonly #end: PipeEnd;
  #waiting: { rest: Uint8Array; readonly drained: PromiseWithResolvers<void> } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retryMs = FIRST_RETRY_MS;
  #isEnding = false;

  constructor(end: PipeEnd) {
    this.#end = end;
  }

  write(text: string, bytes: number): "taken" | "refused" | Promise<unknown> {
    if (bytes > PIPE_BYTES) this.#end.enlarge();
    const taken = this.#write(text);
    if (taken >= bytes) return "taken";
    if (taken < 0) return "refused";
    const drained = Promise.withResolvers<void>();
    this.#waiting = { rest: Buffer.from(text).subarray(taken), drained };
    setImmediate(() => this.#goOn());
    return drained.promise;
  }

  end(): void {
    this.#isEnding = true;
    if (this.#waiting === undefined) this.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#end.close();
    this.#waiting?.drained.reject(new Error("the pipe broke"));
    this.#waiting = undefined;
  }

  /** How many bytes were written; less than 0 if nobody reads the pipe any more. */
  #write(data: string | Uint8Array): number {
    const { fd } = this.#end;
    if (fd === undefined) return -1;
    try {
      return typeof data === "string" ? writeSync(fd, data) : writeSync(fd, data);
    } catch (thrown) {
      return thrown instanceof Error && "code" in thrown && thrown.code === "EAGAIN" ? 0 : -1;
    }
  }

  #goOn(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const taken = this.#write(waiting.rest);
    if (taken < 0) return this.close();
    waiting.rest = waiting.rest.subarray(taken);
    if (waiting.rest.length > 0) return this.#retry(taken > 0);
    this.#waiting = undefined;
    this.#retryMs = FIRST_RETRY_MS;
    waiting.drained.resolve();
    if (this.#isEnding) this.close();
  }

  #retry(hasMoved: boolean): void {
    if (hasMoved) {
      this.#retryMs = FIRST_RETRY_MS;
      setImmediate(() => this.#goOn());
      return;
    }
    this.#timer = setTimeout(() => this.#goOn(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }
}

/** Reads with a stream of Bun, which uses a file descriptor of its own. */
export class PipeOutput implements ChildOutput {
  readonly #end: PipeEnd;
  #output: StreamOutput | undefined;

  constructor(end: PipeEnd) {
    this.#end = end;
  }

  async drain(onBytes: (bytes: Uint8Array) => void): Promise<void> {
    if (this.#end.fd === undefined) return;
    this.#output = new StreamOutput(Bun.file(this.#end.fd).stream(), () => this.#end.enlarge());
    await this.#output.drain(onBytes);
    this.#end.close();
  }

  async close(): Promise<void> {
    this.#end.close();
    await this.#output?.close();
  }
}

/** Bun's own pipe into a child. When it breaks, it throws, rejects or says nothing. */
export class SinkInput implements ChildInput {
  readonly #sink: FileSink;

  constructor(sink: FileSink) {
    this.#sink = sink;
  }

  write(text: string): "taken" | "refused" | Promise<unknown> {
    try {
      // The type says number, but a full or a broken pipe gives a promise.
      const written: unknown = this.#sink.write(text);
      const result = written instanceof Promise ? written : this.#sink.flush();
      if (!(result instanceof Promise)) return "taken";
      result.catch(ignoreBrokenPipe);
      return Bun.peek.status(result) === "rejected" ? "refused" : result;
    } catch {
      return "refused";
    }
  }

  end(): void {
    try {
      Promise.resolve(this.#sink.end()).catch(ignoreBrokenPipe);
    } catch {
      // Closed already.
    }
  }

  /** Its end is the end of it. */
  close(): void {
    return;
  }
}

/** Whoever needs to know is told by the next write. */
function ignoreBrokenPipe(): void {
  return;
}

interface ByteReader {
  read(): Promise<{ done: boolean; value?: Uint8Array<ArrayBuffer> | undefined }>;
  cancel(): Promise<void>;
}

/** So that a child that writes without a pause does not block the event loop. */
const TURN_MS = 10;
const PIECE_BYTES = 16 * 1024;
const MUCH_BYTES = PIPE_BYTES / 2;

/** Bun's own pipe out of a child. */
export class StreamOutput implements ChildOutput {
  readonly #reader: ByteReader;
  readonly #onMuch: (() => void) | undefined;

  /** `onMuch` is called if so much comes at once that the pipe was full, or nearly. */
  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>, onMuch?: () => void) {
    this.#reader = stream.getReader();
    this.#onMuch = onMuch;
  }

  async drain(onBytes: (bytes: Uint8Array) => void): Promise<void> {
    let turnEndsMs = performance.now() + TURN_MS;
    for (;;) {
      const { done, value } = await this.#reader.read().catch(() => ({ done: true, value: undefined }));
      if (value !== undefined && value.length > MUCH_BYTES) this.#onMuch?.();
      for (let at = 0; value !== undefined && at < value.length; at += PIECE_BYTES) {
        if (performance.now() > turnEndsMs) {
          await new Promise((resolve) => setImmediate(resolve));
          turnEndsMs = performance.now() + TURN_MS;
        }
        onBytes(value.subarray(at, at + PIECE_BYTES));
      }
      if (done) return;
    }
  }

  async close(): Promise<void> {
    await this.#reader.cancel().catch(ignoreBrokenPipe);
  }
}
