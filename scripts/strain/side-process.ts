// A program of this folder in a process of its own, so that it waits for nobody here.

import { join } from "node:path";

interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}

export class SideProcess implements AsyncDisposable {
  readonly firstLine: string;
  readonly #child: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly #reader: Reader;

  private constructor(child: Bun.Subprocess<"ignore", "pipe", "inherit">, reader: Reader, firstLine: string) {
    this.#child = child;
    this.#reader = reader;
    this.firstLine = firstLine;
  }

  static async start(program: string, ...args: string[]): Promise<SideProcess> {
    const path = join(import.meta.dir, `${program}.ts`);
    const child = Bun.spawn([process.execPath, path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    return new SideProcess(
      child,
      reader,
      Buffer.from(value ?? [])
        .toString()
        .trim(),
    );
  }

  /** What it prints at its end. */
  async end(): Promise<string> {
    this.#child.kill("SIGTERM");
    let text = "";
    for (let read = await this.#reader.read(); !read.done; read = await this.#reader.read()) {
      text += Buffer.from(read.value ?? []).toString();
    }
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
