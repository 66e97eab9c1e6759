// A stdio MCP program, as lines of JSON both ways.

import type { Message } from "./bridge-reply.ts";

export interface Program {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export class StdioChild implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "inherit">;

  constructor({ command, env = process.env }: Program, onMessage: (message: Message) => void) {
    this.#child = Bun.spawn([...command], { stdio: ["pipe", "pipe", "inherit"], env });
    this.#read(onMessage).catch(() => {});
  }

  write(message: unknown): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
    this.#child.stdin.flush();
  }

  async #read(onMessage: (message: Message) => void): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.#child.stdout) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onMessage(JSON.parse(line));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    this.#child.kill();
    await this.#child.exited;
  }
}
