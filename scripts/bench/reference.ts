// The reference backend where no C compiler is at hand: does what reference.c does, and costs more.

import { filling } from "./calls.ts";

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly arguments?: Arguments; readonly _meta?: object };
}

interface Arguments {
  readonly text?: string;
  readonly count?: number;
}

const SERVER_INFO = { name: "reference", version: "1" };

const [kind, era, extra] = process.argv.slice(2);
if (kind === "stdio") await serveStdio(era === "modern", Number(extra ?? 0));
else serveHttp();

async function serveStdio(isModern: boolean, extraTools: number): Promise<void> {
  const out = Bun.stdout.writer();
  let pieces: Buffer[] = [];
  for await (const chunk of Bun.stdin.stream()) {
    const last = chunk.lastIndexOf(0x0a);
    if (last === -1) {
      pieces.push(Buffer.from(chunk));
      continue;
    }
    const lines = Buffer.concat([...pieces, chunk.subarray(0, last)]).toString();
    pieces = [Buffer.from(chunk.subarray(last + 1))];
    for (const line of lines.split("\n")) {
      const text = answer(JSON.parse(line), isModern, extraTools);
      if (text !== undefined) out.write(`${text}\n`);
    }
    await out.flush();
  }
}

function serveHttp(): void {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      if (request.method !== "POST")
        return new Response(null, { status: request.method === "DELETE" ? 200 : 405 });
      const { pathname } = new URL(request.url);
      const isModern = pathname.includes("modern");
      const message: Message = JSON.parse(await request.text());
      if (message.method === "server/discover" && !isModern) return new Response(null, { status: 400 });
      const text = answer(message, isModern, 0);
      if (text === undefined) return new Response(null, { status: 202 });
      const hasEvents = pathname.includes("events");
      return new Response(hasEvents ? `event: message\ndata: ${text}\n\n` : text, {
        headers: {
          "content-type": hasEvents ? "text/event-stream" : "application/json",
          "mcp-session-id": "reference",
        },
      });
    },
  });
  console.log(server.port);
}

/** The answer to one message; undefined where none is due. */
function answer({ id, method, params }: Message, isModern: boolean, extraTools: number): string | undefined {
  if (id === undefined || method === undefined) return undefined;
  const result =
    resultOf(method, params?.name, params?.arguments ?? {}, isModern) ?? listOf(method, extraTools);
  if (result === undefined) {
    return JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32601, message: "Method not found" } });
  }
  const claimsModern =
    params?._meta !== undefined && "io.modelcontextprotocol/protocolVersion" in params._meta;
  const isCacheable = method !== "tools/call" && method !== "ping";
  const added = claimsModern
    ? { resultType: "complete", ...(isCacheable ? { ttlMs: 60_000, cacheScope: "public" } : {}) }
    : {};
  return JSON.stringify({ jsonrpc: "2.0", id, result: { ...added, ...result } });
}

function resultOf(
  method: string,
  tool: string | undefined,
  { text = "", count = 0 }: Arguments,
  isModern: boolean,
): object | undefined {
  if (method === "ping") return {};
  if (method === "tools/call") {
    return { content: [{ type: "text", text: said(tool, text, count) }] };
  }
  if (method === "server/discover" && isModern) {
    return {
      supportedVersions: ["2026-07-28"],
      capabilities: { tools: {} },
      _meta: { "io.modelcontextprotocol/serverInfo": SERVER_INFO },
    };
  }
  if (method === "initialize" && !isModern) {
    return { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: SERVER_INFO };
  }
  return undefined;
}

function said(tool: string | undefined, text: string, count: number): string {
  if (tool === "fill") return filling(count);
  return tool === "take" ? String(text.length) : text;
}

function listOf(method: string, extra: number): object | undefined {
  if (method !== "tools/list") return undefined;
  const text = { text: { type: "string" } };
  const tools = [
    tool("echo", "Says the text again.", text),
    tool("fill", "Gives a text of that many characters.", { count: { type: "integer" } }),
    tool("take", "Takes a text and says how long it is.", text),
  ];
  const record = {
    path: { type: "string", description: "Where the record lies" },
    limit: { type: "integer" },
  };
  for (let i = 1; i <= extra; i++) {
    tools.push(tool(`read_record_${i}`, `Reads record ${i} of the archive and returns its fields.`, record));
  }
  return { tools };
}

/** The first of its arguments is the one that it cannot do without. */
function tool(name: string, description: string, properties: object): object {
  const required = Object.keys(properties).slice(0, 1);
  return { name, description, inputSchema: { type: "object", properties, required } };
}
