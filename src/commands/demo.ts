// The demo backend: a small MCP server over stdin and stdout, so that the gateway has something to serve on a machine
// with no other software. It reads no files and no network, and knows nothing of the gateway.

import { once } from "node:events";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  CompleteRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { VERSION } from "../version.ts";
import { countDown, currentTime } from "./demo/clock.ts";
import { rollDice } from "./demo/dice.ts";
import { Notes, noteTools } from "./demo/notes.ts";
import { queryJson, textStatistics } from "./demo/text.ts";
import { type Tool, ToolError, type ToolReply } from "./demo/tool.ts";
import { convertUnits } from "./demo/units.ts";

const NOTES_URI = "demo://notes";
const TONES = ["plain", "formal", "cheerful", "terse"];
const INSTRUCTIONS =
  "Tools to try the gateway with: the time anywhere, unit conversion, text statistics, JSON queries, dice, notes and " +
  "a slow countdown. Nothing here touches files or the network.";

/** Serves until stdin ends. */
export async function runDemo(): Promise<void> {
  const server = new Server(
    { name: "mcp-gateway-demo", title: "mcp-gateway demo", version: VERSION },
    {
      capabilities: { tools: {}, resources: { subscribe: true }, prompts: {}, completions: {} },
      instructions: INSTRUCTIONS,
    },
  );
  const notes = serveNotes(server);
  serveTools(server, [
    currentTime,
    convertUnits,
    textStatistics,
    queryJson,
    rollDice,
    ...noteTools(notes),
    countDown,
  ]);
  servePrompt(server, notes);

  const ended = Promise.race([once(process.stdin, "end"), once(process.stdin, "close")]);
  const unread = once(process.stdout, "error"); // nobody is left to read
  await server.connect(new StdioServerTransport());
  await Promise.race([ended, unread]);
  await server.close();
}

function serveTools(server: Server, tools: readonly Tool[]): void {
  const byName = new Map(tools.map((tool) => [tool.definition.name, tool]));
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: tools.map((tool) => tool.definition) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal, sendNotification }) => {
    const tool = byName.get(params.name);
    if (tool === undefined) {
      const known = [...byName.keys()].join(", ");
      throw new McpError(ErrorCode.InvalidParams, `Unknown tool "${params.name}". There are: ${known}.`);
    }
    const progressToken = params._meta?.progressToken;
    const progress = async (done: number, total: number, message: string) => {
      if (progressToken === undefined) return;
      const method = "notifications/progress";
      await sendNotification({ method, params: { progressToken, progress: done, total, message } });
    };
    try {
      return toResult(await tool.call(params.arguments ?? {}, { signal, progress }));
    } catch (thrown) {
      if (!(thrown instanceof ToolError)) throw thrown;
      return { content: [{ type: "text", text: thrown.message }], isError: true };
    }
  });
}

function toResult(reply: ToolReply): CallToolResult {
  if (typeof reply === "string") return { content: [{ type: "text", text: reply }] };
  // The same as text, for clients from before structured content.
  return { content: [{ type: "text", text: JSON.stringify(reply) }], structuredContent: reply };
}

/** One resource: all notes as Markdown. Who subscribes hears of each new one. */
function serveNotes(server: Server): Notes {
  let isSubscribed = false;
  const notes = new Notes(() => {
    if (isSubscribed) void server.sendResourceUpdated({ uri: NOTES_URI });
  });
  const resource = {
    uri: NOTES_URI,
    name: "notes",
    title: "All notes",
    description: "Every note written with the tool add_note, as one Markdown document.",
    mimeType: "text/markdown",
  };
  const check = (uri: string) => {
    if (uri === NOTES_URI) return;
    throw new McpError(-32002, `There is no resource "${uri}". There is: ${NOTES_URI}.`, { uri });
  };
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: [resource] }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: [] }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => {
    check(params.uri);
    return { contents: [{ uri: NOTES_URI, mimeType: "text/markdown", text: notes.toMarkdown() }] };
  });
  server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    check(params.uri);
    isSubscribed = true;
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    check(params.uri);
    isSubscribed = false;
    return {};
  });
  return notes;
}

/** One prompt, with an argument that completes. */
function servePrompt(server: Server, notes: Notes): void {
  const prompt = {
    name: "summarize_notes",
    title: "Summarize my notes",
    description: "Asks for a summary of all notes written with add_note.",
    arguments: [{ name: "tone", description: `How to write it: ${TONES.join(", ")} …`, required: false }],
  };
  const check = (name: string) => {
    if (name === prompt.name) return;
    throw new McpError(ErrorCode.InvalidParams, `Unknown prompt "${name}". There is: ${prompt.name}.`);
  };
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: [prompt] }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    check(params.name);
    const tone = params.arguments?.tone ?? "plain";
    const text = `Summarize the following notes in a ${tone} tone, the most important first.\n\n${notes.toMarkdown()}`;
    return { description: prompt.description, messages: [{ role: "user", content: { type: "text", text } }] };
  });
  server.setRequestHandler(CompleteRequestSchema, ({ params }) => {
    const { ref, argument } = params;
    const isTone = ref.type === "ref/prompt" && ref.name === prompt.name && argument.name === "tone";
    const values = isTone ? TONES.filter((tone) => tone.startsWith(argument.value.toLowerCase())) : [];
    return { completion: { values, total: values.length, hasMore: false } };
  });
}
