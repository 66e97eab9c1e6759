// A program that serves HTTP on a port that it is told by the environment, as many MCP servers do.

import { findFreePort } from "./run-gateway.ts";
import { waitFor } from "./wait-for.ts";

export class UrlServer implements AsyncDisposable {
  readonly origin: string;
  readonly #process: Bun.Subprocess;

  private constructor(origin: string, child: Bun.Subprocess) {
    this.origin = origin;
    this.#process = child;
  }

  /** Resolves when the port accepts connections. */
  static async start(argv: readonly string[]): Promise<UrlServer> {
    const port = findFreePort();
    const child = Bun.spawn([...argv], {
      env: { ...process.env, PORT: String(port) },
      stdio: ["ignore", "ignore", "ignore"],
    });
    const server = new UrlServer(`http://127.0.0.1:${port}`, child);
    await waitFor(() => isListening(port), { what: `a server on port ${port}` });
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}

async function isListening(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}
