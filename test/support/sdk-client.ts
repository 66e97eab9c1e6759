// The official SDK's client, connected to a URL: it answers whatever it is asked, and keeps what it was told.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  type ServerRequest,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";

export const ROOTS = [{ uri: "file:///home/someone/project", name: "project" }];

/** Answers to whatever the forms of the fixtures and of the official servers require. */
const ANSWERS = { name: "Ada", username: "Ada", email: "ada@example.com", check: true };

/** Two attempts are too few for a gateway that starts anew on a busy machine. */
const PATIENCE = {
  initialReconnectionDelay: 1_000,
  maxReconnectionDelay: 1_000,
  reconnectionDelayGrowFactor: 1,
  maxRetries: 60,
};

export class SdkClient implements AsyncDisposable {
  readonly client: Client;
  readonly questions: ServerRequest[] = [];
  readonly logged: string[] = [];
  readonly updated: string[] = [];
  listChanges = 0;
  readonly #transport: StreamableHTTPClientTransport | SSEClientTransport;

  private constructor(client: Client, transport: StreamableHTTPClientTransport | SSEClientTransport) {
    this.client = client;
    this.#transport = transport;
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
      this.logged.push(params.level);
    });
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
      this.updated.push(params.uri);
    });
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
      this.listChanges += 1;
    });
    this.#answerQuestions();
  }

  /** By HTTP+SSE where the URL ends in `/sse`, otherwise by Streamable HTTP. */
  static async connect(url: string, headers: Record<string, string> = {}): Promise<SdkClient> {
    const client = new Client(
      { name: "sdk-client", version: "1.32.2" },
      { capabilities: { sampling: {}, elicitation: { form: {}, url: {} }, roots: { listChanged: true } } },
    );
    const options = { requestInit: { headers }, reconnectionOptions: PATIENCE };
    const Transport = url.endsWith("/sse") ? SSEClientTransport : StreamableHTTPClientTransport;
    const transport = new Transport(new URL(url), options);
    const connected = new SdkClient(client, transport);
    await client.connect(transport);
    return connected;
  }

  /** Streamable HTTP, with its session. */
  get transport(): StreamableHTTPClientTransport {
    if (this.#transport instanceof SSEClientTransport) throw new Error("HTTP+SSE has no session");
    return this.#transport;
  }

  /** Without those for the roots, which some servers ask for whenever they like. */
  get questionsOfTools(): ServerRequest[] {
    return this.questions.filter(({ method }) => method !== "roots/list");
  }

  /** The text of a tool's first block. */
  async text(name: string, args: Record<string, unknown> = {}): Promise<string> {
    return textOf(await this.client.callTool({ name, arguments: args }));
  }

  /** The text of what `gateway_invoke` gives back. */
  invoke(server: string, tool: string, args: Record<string, unknown> = {}): Promise<string> {
    return this.text("gateway_invoke", { server, tool, arguments: args });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }

  #answerQuestions(): void {
    this.client.setRequestHandler(CreateMessageRequestSchema, (request) => {
      this.questions.push(request);
      return { role: "assistant", model: "test-model", content: { type: "text", text: "sampled words" } };
    });
    this.client.setRequestHandler(ElicitRequestSchema, (request) => {
      this.questions.push(request);
      return request.params.mode === "url" ? { action: "accept" } : { action: "accept", content: ANSWERS };
    });
    this.client.setRequestHandler(ListRootsRequestSchema, (request) => {
      this.questions.push(request);
      return { roots: ROOTS };
    });
  }
}

/** The text of a tool's first block. */
export function textOf(result: unknown): string {
  const [text] = textsOf(result);
  if (text === undefined) throw new Error(`no text: ${JSON.stringify(result)}`);
  return text;
}

/** The texts of all blocks. */
export function allText(result: unknown): string {
  return textsOf(result).join("\n");
}

function textsOf(result: unknown): string[] {
  const content = typeof result === "object" && result !== null && "content" in result ? result.content : [];
  const blocks: unknown[] = Array.isArray(content) ? content : [];
  return blocks.flatMap((block) =>
    typeof block === "object" && block !== null && "text" in block ? String(block.text) : [],
  );
}
