// Clients that write requests as text and keep the text of all that comes back: over Streamable HTTP in either era, over
// HTTP+SSE, and over the stdio face of the program.

import { EventStreamParser } from "../../src/protocol/event-stream.ts";
import { openSession } from "../support/post.ts";
import type { ProgramRun } from "../support/run-gateway.ts";
import { waitFor } from "../support/wait-for.ts";

const ANSWER_MS = 60_000;
const LEGACY = "2025-11-25";
const CAPABILITIES = '{"elicitation":{"form":{}}}';
const ENVELOPE =
  '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"text","version":"1"},' +
  `"io.modelcontextprotocol/clientCapabilities":${CAPABILITIES},"io.modelcontextprotocol/logLevel":"debug"`;

export interface TextRequest {
  /** As it is written; a notification has none. */
  readonly id?: string;
  readonly method: string;
  /** The name of the tool, where one is called. */
  readonly name?: string;
  /** Members of params, as they stand in its braces. */
  readonly params: string;
  /** The progress token, as it is written. */
  readonly token?: string;
}

export interface TextClient {
  readonly era: "modern" | "legacy";
  /** The texts of all messages that came for this request, its answer last. Questions are answered with `answer`. */
  ask(request: TextRequest, answer?: string): Promise<string[]>;
  /** Sends a notification. */
  tell(notification: TextRequest): Promise<void>;
}

function write(era: TextClient["era"], { id, method, params, token }: TextRequest): string {
  const meta = [
    ...(era === "modern" ? [ENVELOPE] : []),
    ...(token === undefined ? [] : [`"progressToken":${token}`]),
    '"vendor/n":1.0',
  ];
  const members = [`"_meta":{${meta.join(",")}}`, ...(params === "" ? [] : [params])];
  const end = id === undefined ? "" : `,"id":${id}`;
  return `{"method":"${method}","params":{${members.join(",")}},"jsonrpc":"2.0"${end}}`;
}

function answerTo(question: string, result: string): string | undefined {
  if (!question.includes('"method":"elicitation/create"')) return undefined;
  const id = /"id":("[^"]*"|[-+.\dEe]+)/.exec(question)?.[1] ?? "null";
  return `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
}

export class HttpTextClient implements TextClient {
  readonly era: TextClient["era"];
  readonly #url: string;
  readonly #headers: Record<string, string>;

  private constructor(era: TextClient["era"], url: string, headers: Record<string, string>) {
    this.era = era;
    this.#url = url;
    this.#headers = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    };
  }

  static async open(era: TextClient["era"], url: string): Promise<HttpTextClient> {
    if (era === "modern") return new HttpTextClient(era, url, { "mcp-protocol-version": "2026-07-28" });
    return new HttpTextClient(era, url, await openSession(url, LEGACY, { elicitation: { form: {} } }));
  }

  async ask(request: TextRequest, answer = "{}"): Promise<string[]> {
    const texts: string[] = [];
    const response = await this.#post(write(this.era, request), request);
    if (response.headers.get("content-type") !== "text/event-stream") return [await response.text()];
    const parser = new EventStreamParser();
    for await (const bytes of response.body ?? []) {
      for (const { data } of parser.push(bytes)) {
        if (data === "") continue;
        const reply = answerTo(data, answer);
        texts.push(data);
        if (reply !== undefined) await (await this.#post(reply)).text();
      }
    }
    return texts;
  }

  async tell(notification: TextRequest): Promise<void> {
    const response = await this.#post(write(this.era, notification), notification);
    await response.text();
    if (response.status !== 202) throw new Error(`a notification was refused with ${response.status}`);
  }

  #post(body: string, request?: TextRequest): Promise<Response> {
    const mirror: Record<string, string> = {};
    if (this.era === "modern" && request !== undefined) {
      mirror["mcp-method"] = request.method;
      if (request.name !== undefined) mirror["mcp-name"] = request.name;
    }
    const headers = { ...this.#headers, ...mirror };
    return fetch(this.#url, { method: "POST", headers, body, signal: AbortSignal.timeout(ANSWER_MS) });
  }
}

/** One channel for everything, on which this client asks one thing at a time. */
abstract class ChannelTextClient implements TextClient {
  readonly era: TextClient["era"];
  protected readonly texts: string[] = [];

  constructor(era: TextClient["era"]) {
    this.era = era;
  }

  async ask(request: TextRequest, answer = "{}"): Promise<string[]> {
    const first = this.texts.length;
    let next = first;
    await this.send(write(this.era, request));
    const isAnswer = (text: string) => text.startsWith(`{"jsonrpc":"2.0","id":${request.id},`);
    await waitFor(
      async () => {
        for (; next < this.texts.length; next++) {
          const reply = answerTo(this.texts[next] ?? "", answer);
          if (reply !== undefined) await this.send(reply);
        }
        return this.texts.slice(first).some(isAnswer);
      },
      { timeoutMs: ANSWER_MS, what: `the answer to ${request.id}` },
    );
    return this.texts.splice(0);
  }

  async tell(notification: TextRequest): Promise<void> {
    await this.send(write(this.era, notification));
  }

  async initialize(): Promise<void> {
    if (this.era === "modern") return;
    const params = `"protocolVersion":"${LEGACY}","capabilities":${CAPABILITIES},"clientInfo":{"name":"text","version":"1"}`;
    await this.ask({ id: '"initialize"', method: "initialize", params });
    await this.send('{"jsonrpc":"2.0","method":"notifications/initialized","params":null}');
  }

  protected abstract send(text: string): Promise<void>;
}

export class StdioTextClient extends ChannelTextClient {
  readonly #run: ProgramRun;
  #read = 0;

  constructor(era: TextClient["era"], run: ProgramRun) {
    super(era);
    this.#run = run;
  }

  override async ask(request: TextRequest, answer?: string): Promise<string[]> {
    const timer = setInterval(() => this.#take(), 1);
    try {
      return await super.ask(request, answer);
    } finally {
      clearInterval(timer);
    }
  }

  protected override async send(text: string): Promise<void> {
    this.#run.write(`${text}\n`);
  }

  #take(): void {
    const { stdout } = this.#run;
    const end = stdout.lastIndexOf("\n") + 1;
    if (end <= this.#read) return;
    this.texts.push(...stdout.slice(this.#read, end - 1).split("\n"));
    this.#read = end;
  }
}

export class SseTextClient extends ChannelTextClient implements Disposable {
  readonly #closed = new AbortController();
  readonly #endpoint = Promise.withResolvers<string>();

  static async open(url: string): Promise<SseTextClient> {
    const client = new SseTextClient("legacy");
    const { signal } = client.#closed;
    const response = await fetch(url, { headers: { accept: "text/event-stream" }, signal });
    void client.#read(response, url).catch((thrown: unknown) => {
      if (!signal.aborted) throw thrown;
    });
    await client.#endpoint.promise;
    return client;
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
  }

  async #read(response: Response, url: string): Promise<void> {
    const parser = new EventStreamParser();
    for await (const bytes of response.body ?? []) {
      for (const { event, data } of parser.push(bytes)) {
        if (event === "endpoint") this.#endpoint.resolve(new URL(data, url).href);
        else if (data !== "") this.texts.push(data);
      }
    }
  }

  protected override async send(text: string): Promise<void> {
    const response = await fetch(await this.#endpoint.promise, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: text,
    });
    await response.text();
    if (response.status !== 202) throw new Error(`a message was refused with ${response.status}`);
  }
}
