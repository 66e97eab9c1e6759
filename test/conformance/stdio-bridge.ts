// Lets the suite, which speaks Streamable HTTP alone, play against a stdio program. Adds what stdio does not have
// (sessions, statuses, the check of Host and of the version header) and passes every message on as it is.

import { BridgeReply, type Message } from "./bridge-reply.ts";
import { type Program, StdioChild } from "./stdio-child.ts";

const SESSION_HEADER = "mcp-session-id";
const META = "io.modelcontextprotocol/";
const STATUS_OF_CODE: Readonly<Record<number, number>> = {
  [-32601]: 404,
  [-32020]: 400,
  [-32021]: 400,
  [-32022]: 400,
};

export interface Bridge extends AsyncDisposable {
  readonly url: string;
}

export function startBridge(program: Program): Bridge {
  const sessions = new Map<string, LegacySession>();
  let modern: ModernConnection | undefined;

  async function answer(request: Request): Promise<Response> {
    if (!/^(?:127\.0\.0\.1|localhost):/.test(request.headers.get("host") ?? ""))
      return new Response(null, { status: 403 });
    const sessionId = request.headers.get(SESSION_HEADER);
    if (sessionId !== null) return answerSession(request, sessionId);
    if (request.method !== "POST") return new Response(null, { status: 405, headers: { Allow: "POST" } });
    const message = asMessage(await request.json());
    if (message.method === "initialize" && metaOf(message) === undefined) return openSession(message);
    modern ??= new ModernConnection(program);
    return modern.answer(message, request);
  }

  function openSession(message: Message): Promise<Response> {
    const id = crypto.randomUUID();
    const session = new LegacySession(program, id);
    sessions.set(id, session);
    return session.answer(message);
  }

  async function answerSession(request: Request, id: string): Promise<Response> {
    const session = sessions.get(id);
    if (session === undefined) return new Response(null, { status: 404 });
    if (request.method === "GET") return session.listen();
    if (request.method === "POST") return session.answer(asMessage(await request.json()));
    sessions.delete(id);
    await session[Symbol.asyncDispose]();
    return new Response(null, { status: 200 });
  }

  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 0, fetch: answer });
  return {
    url: `http://127.0.0.1:${server.port}/mcp`,
    async [Symbol.asyncDispose]() {
      await Promise.all(
        [...sessions.values(), modern].map((connection) => connection?.[Symbol.asyncDispose]()),
      );
      await server.stop(true);
    },
  };
}

/** One child, one session: ids need no rewriting. What belongs to no call goes to the call that came last. */
class LegacySession implements AsyncDisposable {
  readonly #child: StdioChild;
  readonly #replies = new Map<unknown, BridgeReply>();
  readonly #headers: Readonly<Record<string, string>>;
  #listener: BridgeReply | undefined;

  constructor(program: Program, id: string) {
    this.#headers = { [SESSION_HEADER]: id };
    this.#child = new StdioChild(program, (message) => this.#route(message));
  }

  answer(message: Message): Promise<Response> {
    this.#child.write(message);
    if (!isRequest(message)) return Promise.resolve(new Response(null, { status: 202 }));
    const reply = new BridgeReply(() => this.#replies.delete(message.id), this.#headers);
    this.#replies.set(message.id, reply);
    return reply.response;
  }

  listen(): Promise<Response> {
    this.#listener = new BridgeReply(() => {}, this.#headers);
    this.#listener.open();
    return this.#listener.response;
  }

  #route(message: Message): void {
    const reply = this.#replies.get(message.id);
    if (message.method === undefined && reply !== undefined) {
      this.#replies.delete(message.id);
      reply.finish(message, 200);
    } else {
      ([...this.#replies.values()].at(-1) ?? this.#listener)?.send(message);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }
}

interface ModernCall {
  readonly reply: BridgeReply;
  readonly id: unknown;
  readonly token: unknown;
}

/** One child for all requests: ids, progress tokens and subscription ids are the bridge's own on the pipe. */
class ModernConnection implements AsyncDisposable {
  readonly #child: StdioChild;
  readonly #calls = new Map<number, ModernCall>();
  #lastId = 0;

  constructor(program: Program) {
    this.#child = new StdioChild(program, (message) => this.#route(message));
  }

  answer(message: Message, request: Request): Promise<Response> | Response {
    const refusal = refuseVersion(message, request);
    if (refusal !== undefined) return Response.json(refusal, { status: 400 });
    const id = ++this.#lastId;
    const reply = new BridgeReply(() => this.#cancel(id));
    this.#calls.set(id, { reply, id: message.id, token: metaOf(message)?.progressToken });
    this.#child.write(withId(message, id));
    return reply.response;
  }

  #cancel(id: number): void {
    this.#calls.delete(id);
    this.#child.write({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: id } });
  }

  #route(message: Message): void {
    if (message.method !== undefined) return this.#routeNotification(message);
    const call = this.#calls.get(Number(message.id));
    if (call === undefined) return;
    this.#calls.delete(Number(message.id));
    call.reply.finish({ ...message, id: call.id }, statusOf(message));
  }

  #routeNotification(message: Message): void {
    const params = asObject(message.params);
    const meta = asObject(params._meta);
    const subscription = meta[`${META}subscriptionId`];
    const id = Number(subscription ?? params.progressToken ?? [...this.#calls.keys()].at(-1));
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const restored = {
      ...params,
      ...(params.progressToken !== undefined && { progressToken: call.token }),
      ...(subscription !== undefined && { _meta: { ...meta, [`${META}subscriptionId`]: call.id } }),
    };
    call.reply.send({ ...message, params: restored });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }
}

/** The header has no place on stdio, so the bridge compares it, as every HTTP server must. */
function refuseVersion(message: Message, request: Request): Message | undefined {
  const meta = metaOf(message);
  const version = meta?.[`${META}protocolVersion`];
  if (version === undefined || meta?.[`${META}clientCapabilities`] === undefined) {
    return failure(message, -32602, "params._meta lacks its required keys");
  }
  return version === request.headers.get("mcp-protocol-version")
    ? undefined
    : failure(message, -32020, "MCP-Protocol-Version and the body name different versions");
}

function failure(message: Message, code: number, text: string): Message {
  return { jsonrpc: "2.0", id: message.id, error: { code, message: text } };
}

function withId(message: Message, id: number): Message {
  const params = asObject(message.params);
  const meta = asObject(params._meta);
  const renamed = meta.progressToken === undefined ? meta : { ...meta, progressToken: id };
  return { ...message, id, params: { ...params, _meta: renamed } };
}

function statusOf(message: Message): number {
  return STATUS_OF_CODE[Number(asObject(message.error).code)] ?? 200;
}

function isRequest(message: Message): boolean {
  return message.method !== undefined && message.id !== undefined;
}

function metaOf(message: Message): Message | undefined {
  const meta = asObject(message.params)._meta;
  return meta === undefined ? undefined : asObject(meta);
}

function asMessage(value: unknown): Message {
  return asObject(value);
}

function asObject(value: unknown): Message {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Message) : {};
}
