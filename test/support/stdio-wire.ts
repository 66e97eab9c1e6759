// A StdioTransport under test, with a record of everything that came off it.

import { silentLog } from "../../src/log.ts";
import type { Id, Json, Message, Response } from "../../src/protocol/jsonrpc.ts";
import { type StdioOptions, StdioTransport } from "../../src/transport/stdio.ts";
import type { Incoming, SendError, WireEnd } from "../../src/transport/transport.ts";
import { waitFor } from "./wait-for.ts";

export interface WireOptions extends Partial<Omit<StdioOptions, "events">> {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly keepsDetached?: boolean;
}

/** Short enough for tests, long enough for a loaded machine to end a process by itself. */
const SHORT = { exitGraceMs: 1_000, killGraceMs: 1_000 };

export class StdioWire implements AsyncDisposable {
  readonly incoming: Incoming[] = [];
  readonly lost = new Map<Id, SendError>();
  readonly ends: WireEnd[] = [];
  #transport: StdioTransport | undefined;
  #nextId = 1;

  static async start(argv: readonly string[], options: WireOptions = {}): Promise<StdioWire> {
    const wire = new StdioWire();
    await wire.#open(argv, options);
    return wire;
  }

  async #open(
    argv: readonly string[],
    { env = {}, cwd, keepsDetached = false, limits, ...rest }: WireOptions,
  ): Promise<void> {
    const config = {
      kind: "stdio",
      argv,
      env,
      keepsDetached,
      ...(cwd === undefined ? {} : { cwd }),
    } as const;
    this.#transport = await StdioTransport.start(config, {
      name: "fixture",
      log: silentLog,
      ...rest,
      limits: { ...SHORT, ...limits },
      events: {
        onMessage: (incoming) => {
          if (this.ends.length > 0) throw new Error("a message came after the end");
          this.incoming.push(incoming);
        },
        onLost: (id, error) => this.lost.set(id, error),
        onEnd: (end) => this.ends.push(end),
      },
    });
  }

  get transport(): StdioTransport {
    if (this.#transport === undefined) throw new Error("not started");
    return this.#transport;
  }

  get pid(): number {
    return this.transport.pid;
  }

  get messages(): Message[] {
    return this.incoming.map(({ message }) => message);
  }

  /** Sends a request and returns its id at once. */
  async ask(method: string, params: Json = {}): Promise<number> {
    const id = this.#nextId++;
    await this.transport.send({ jsonrpc: "2.0", id, method, params });
    return id;
  }

  /** Sends a request and waits for the response with its id. */
  async request(method: string, params: Json = {}): Promise<Response> {
    const id = await this.ask(method, params);
    return waitFor(() => this.responses(id)[0], { what: `the answer to ${method}` });
  }

  responses(id: Id): Response[] {
    return this.messages.filter(
      (message): message is Response => !("method" in message) && message.id === id,
    );
  }

  /** Calls a tool and waits for the text of its answer. */
  async call(name: string, args: Json = {}): Promise<string> {
    return textOf(await this.request("tools/call", { name, arguments: args }));
  }

  ended(): Promise<WireEnd> {
    return waitFor(() => this.ends[0], { what: "the end of the wire" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport?.[Symbol.asyncDispose]();
  }
}

export function textOf(response: Response): string {
  if (!("result" in response)) throw new Error(`an error came: ${JSON.stringify(response)}`);
  const content = response.result.content as { text: string }[];
  return content.map((block) => block.text).join("");
}
