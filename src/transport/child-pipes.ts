// A child's stdin and stdout as we have them, whatever they are made of: text goes in, bytes come out.

import type { FileSink } from "bun";

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

/** Bun's own pipe out of a child. */
export class StreamOutput implements ChildOutput {
  readonly #reader: ByteReader;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader();
  }

  async drain(onBytes: (bytes: Uint8Array) => void): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read().catch(() => ({ done: true, value: undefined }));
      if (value !== undefined) onBytes(value);
      if (done) return;
    }
  }

  async close(): Promise<void> {
    await this.#reader.cancel().catch(ignoreBrokenPipe);
  }
}
