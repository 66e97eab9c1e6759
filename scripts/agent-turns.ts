// An agent without a model: for each task one search, then the first hit that it can fill in, and one call. It sees nothing
// but the answers of gateway_search_tools and gateway_invoke.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { fillArguments } from "./agent-arguments.ts";
import { readSignature } from "./agent-signature.ts";
import type { Task } from "./agent-tasks.ts";

export interface Turns {
  readonly task: Task;
  /** The tool that was called, and its place among the hits; undefined where no hit could be filled in. */
  readonly called: string | undefined;
  readonly place: number;
  readonly isDone: boolean;
  /** What the search answered, or what the call did. */
  readonly answer: string;
}

export async function doTasks(url: string, tasks: readonly Task[]): Promise<Turns[]> {
  const client = new Client({ name: "scripted-agent", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  try {
    const all: Turns[] = [];
    for (const task of tasks) all.push(await doTask(client, task));
    return all;
  } finally {
    await client.close();
  }
}

async function doTask(client: Client, task: Task): Promise<Turns> {
  const found = await call(client, "gateway_search_tools", { query: task.wish });
  for (const [place, line] of found.text.split("\n").entries()) {
    const signature = readSignature(line);
    const args = signature === undefined ? undefined : fillArguments(signature.parameters, task.knows);
    if (signature === undefined || args === undefined) continue;
    const { server, tool } = signature;
    const { text, isError } = await call(client, "gateway_invoke", { server, tool, arguments: args });
    const isDone = !isError && task.done.test(text);
    return { task, called: `${server}.${tool}`, place: place + 1, isDone, answer: text };
  }
  return { task, called: undefined, place: 0, isDone: false, answer: found.text };
}

/** Of what is no text, its kind. */
async function call(client: Client, name: string, args: object): Promise<{ text: string; isError: boolean }> {
  const { content, isError } = await client.callTool({ name, arguments: { ...args } });
  const blocks: unknown[] = Array.isArray(content) ? content : [];
  const texts = blocks.map((block) => {
    const { text, mimeType } = Object(block);
    return String(text ?? mimeType ?? "");
  });
  return { text: texts.join("\n"), isError: isError === true };
}
