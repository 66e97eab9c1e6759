// Which functions a gateway uses to start and to answer. A build lays its bytecode out by that, so that a start reads a
// few pages of it and not all. The engine knows a function by its text: what one machine has recorded fits all targets.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { echo, invoked, type ToolCall } from "./bench/calls.ts";
import { interpretedReference } from "./bench/installed.ts";
import {
  checkAnswer,
  type Endpoint,
  type Era,
  resultText,
  Session,
  searchRequest,
} from "./bench/mcp-client.ts";
import { freePort, Program } from "./bench/program.ts";
import { gatewayEnv, serveArguments } from "./bench/subjects.ts";
import { Wire } from "./bench/wire.ts";

/** What was recorded, in files that go with disposal; the start to be fastest first. */
export class BytecodeOrder implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "mcp-gateway-order-"));
  readonly files: string[] = [];

  /** Runs a binary twice: the second time it finds what the first has learnt of its backends. */
  static async record(binary: string): Promise<BytecodeOrder> {
    using stack = new DisposableStack();
    const order = stack.use(new BytecodeOrder());
    for (const run of ["first", "again"]) order.files.unshift(await order.#record(binary, run));
    stack.move();
    return order;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #record(binary: string, run: string): Promise<string> {
    const file = join(this.#folder, `${run}.order`);
    const [command, ...args] = interpretedReference();
    const config = { backends: { reference: { command, args: [...args, "stdio", "legacy"] } } };
    const port = await freePort();
    const words = [binary, ...serveArguments(config, this.#folder), "--port", String(port)];
    const env = { ...gatewayEnv(this.#folder), BUN_BYTECODE_ORDER_OUT: file };
    // Written when the gateway ends.
    await using _gateway = await Program.start("the gateway", words, { listensOn: port }, env);
    await useGateway(port);
    return file;
  }
}

/** What clients do first, in both eras. */
async function useGateway(port: number): Promise<void> {
  const wire = await Wire.connect(port);
  const meta = { port, path: "/mcp" };
  await wire.exchange(`GET /health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  resultText(await wire.exchange(searchRequest(meta, 1, "echo a text")), 1);
  for (const era of ["modern", "legacy"] as const) {
    await callOnce(wire, meta, era, invoked(echo(100), "reference"));
    await callOnce(wire, { port, path: "/mcp/reference" }, era, echo(100));
  }
  wire.close();
}

async function callOnce(wire: Wire, endpoint: Endpoint, era: Era, call: ToolCall): Promise<void> {
  const session = await Session.open(wire, endpoint, era);
  checkAnswer(await wire.exchange(session.request(1, call)), 1, call);
  await session.end(wire);
}
