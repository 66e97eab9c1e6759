// The demo backend as the official SDK's client sees it, and as a plain child process.

import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import {
  ProgressNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { VERSION } from "../../src/version.ts";
import { fixture, fixturePath } from "../support/fixture.ts";
import { waitFor } from "../support/wait-for.ts";

const NOTES = "demo://notes";

let client: Client;

beforeEach(async () => {
  const [command = "", ...args] = fixture("runs-demo");
  client = new Client({ name: "test", version: "1" });
  await client.connect(new StdioClientTransport({ command, args }));
  await client.listTools(); // from here on the client checks every result against the output schemas
});

afterEach(() => client.close());

/** The structured result of a tool, or its text; an error's text is thrown. */
async function call(name: string, args: Record<string, unknown> = {}): Promise<unknown> {
  const result = await client.callTool({ name, arguments: args });
  const [block] = Array.isArray(result.content) ? result.content : [];
  if (result.isError === true) throw new Error(block.text);
  if (result.structuredContent === undefined) return block.text;
  expect(JSON.parse(block.text)).toEqual(result.structuredContent);
  return result.structuredContent;
}

describe("as a server", () => {
  test("says who it is, and promises only what it does", () => {
    expect(client.getServerVersion()).toMatchObject({ name: "mcp-gateway-demo", version: VERSION });
    expect(client.getServerCapabilities()).toEqual({
      tools: {},
      resources: { subscribe: true },
      prompts: {},
      completions: {},
    });
    expect(client.getInstructions()).toContain("Nothing here touches files or the network");
  });

  test("lists its tools with all that a model and a policy need", async () => {
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name).toSorted()).toEqual([
      "add_note",
      "convert_units",
      "count_down",
      "current_time",
      "find_notes",
      "query_json",
      "roll_dice",
      "text_statistics",
    ]);
    for (const { title, description, inputSchema, annotations } of tools) {
      expect(title).toBeString();
      expect(description?.length).toBeGreaterThan(40);
      expect(inputSchema.additionalProperties).toBe(false);
      for (const property of Object.values(inputSchema.properties ?? {})) {
        expect(property).toMatchObject({ type: expect.any(String), description: expect.any(String) });
      }
      expect(annotations?.openWorldHint).toBe(false);
    }
    const writing = tools.filter((tool) => tool.annotations?.readOnlyHint !== true);
    expect(writing.map((tool) => [tool.name, tool.annotations?.destructiveHint])).toEqual([
      ["add_note", false],
    ]);
    expect(tools.filter((tool) => tool.outputSchema !== undefined)).toHaveLength(6);
  });

  test("answers what it does not have with what it has", async () => {
    await expect(client.callTool({ name: "tell_time" })).rejects.toThrow(/-32602.*"tell_time".*current_time/);
    await expect(client.readResource({ uri: "file:///etc/passwd" })).rejects.toThrow(
      /-32002.*demo:\/\/notes/,
    );
    await expect(client.subscribeResource({ uri: "demo://other" })).rejects.toThrow(/-32002.*demo:\/\/notes/);
    await expect(client.getPrompt({ name: "other" })).rejects.toThrow(/-32602.*summarize_notes/);
  });
});

describe("arguments", () => {
  test("that are wrong are all named at once, with what the tool takes", async () => {
    const wrong = call("convert_units", { value: "ten", from: "km", too: "mi" });
    await expect(wrong).rejects.toThrow(
      [
        'Wrong arguments for convert_units: "to" is missing; "too" is not an argument of it; "value" is wrong: expected number.',
        "It takes:",
        "- value (number): The number to convert",
        "- from (string): Unit of the number, symbol or English name",
        "- to (string): Unit to convert to, of the same kind",
      ].join("\n"),
    );
    await expect(call("count_down", { from: 61 })).rejects.toThrow(
      /"from" is wrong: .*60.*\n(.*\n)*.*step_ms \(integer, optional\)/,
    );
    await expect(call("add_note", { title: "", text: "x", tags: ["ok", 1] })).rejects.toThrow(
      /"title".*"tags\/1"/,
    );
  });

  test("may be left out where all are optional", async () => {
    expect(await client.callTool({ name: "current_time" })).toMatchObject({
      structuredContent: { time_zone: "UTC", utc_offset: "+00:00" },
    });
  });
});

test("every tool with an output schema keeps to it", async () => {
  const text = "Hello, world.";
  expect(await call("current_time", { time_zone: "Asia/Tokyo" })).toMatchObject({ utc_offset: "+09:00" });
  expect(await call("convert_units", { value: 1, from: "mile", to: "km" })).toMatchObject({
    result: 1.609344,
  });
  expect(await call("text_statistics", { text })).toMatchObject({ characters: 13, words: 2 });
  expect(await call("roll_dice", { dice: "3d6" })).toMatchObject({ dice: "3d6" });
  expect(await call("add_note", { title: "a", text })).toMatchObject({ id: 1 });
  expect(await call("find_notes", { query: "world" })).toMatchObject({ notes: [{ id: 1 }] });
  expect(await call("query_json", { json: "[1, 2]", pointer: "/1" })).toBe("2");
});

describe("notes", () => {
  test("are found again by word and by tag, newest first", async () => {
    const first = await call("add_note", { title: "Milk", text: "two litres", tags: ["shopping"] });
    const second = await call("add_note", { title: "Bread", text: "for MILK soup" });
    expect(second).toEqual({ id: 2, title: "Bread", text: "for MILK soup", tags: [] });
    expect(await call("find_notes")).toEqual({ notes: [second, first] });
    expect(await call("find_notes", { query: "milk litres" })).toEqual({ notes: [first] });
    expect(await call("find_notes", { query: "shop" })).toEqual({ notes: [first] });
    expect(await call("find_notes", { tag: "shop" })).toEqual({ notes: [] });
    expect(await call("find_notes", { tag: "shopping" })).toEqual({ notes: [first] });
  });

  test("are a resource, and who subscribed hears of new ones", async () => {
    const updates: string[] = [];
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
      updates.push(params.uri);
    });
    expect((await client.listResources()).resources).toMatchObject([
      { uri: NOTES, mimeType: "text/markdown" },
    ]);
    expect((await client.listResourceTemplates()).resourceTemplates).toEqual([]);
    expect((await client.readResource({ uri: NOTES })).contents[0]).toMatchObject({
      text: "There are no notes yet. The tool add_note writes one.\n",
    });
    await client.subscribeResource({ uri: NOTES });
    await call("add_note", { title: "One", text: "first", tags: ["a", "b"] });
    await waitFor(() => updates.length === 1);
    await client.unsubscribeResource({ uri: NOTES });
    await call("add_note", { title: "Two", text: "second" });
    await client.ping();
    expect(updates).toEqual([NOTES]);
    expect((await client.readResource({ uri: NOTES })).contents).toEqual([
      { uri: NOTES, mimeType: "text/markdown", text: "## One\n\nfirst\n\nTags: a, b\n\n## Two\n\nsecond\n" },
    ]);
  });

  test("end at a bound, and say so", async () => {
    for (let index = 0; index < 200; index++) await call("add_note", { title: `${index}`, text: "" });
    await expect(call("add_note", { title: "one more", text: "" })).rejects.toThrow("200 notes already");
  });

  test("go into the prompt, whose argument completes", async () => {
    await call("add_note", { title: "Milk", text: "two litres" });
    const { prompts } = await client.listPrompts();
    expect(prompts).toMatchObject([
      { name: "summarize_notes", arguments: [{ name: "tone", required: false }] },
    ]);
    const { messages } = await client.getPrompt({ name: "summarize_notes", arguments: { tone: "formal" } });
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ role: "user", content: { type: "text" } });
    expect(JSON.stringify(messages)).toMatch(/formal tone.*## Milk/);
    const ref = { type: "ref/prompt" as const, name: "summarize_notes" };
    const complete = (name: string, value: string) => client.complete({ ref, argument: { name, value } });
    expect((await complete("tone", "F")).completion.values).toEqual(["formal"]);
    expect((await complete("tone", "")).completion.values).toHaveLength(4);
    expect((await complete("other", "f")).completion.values).toEqual([]);
  });
});

describe("count_down", () => {
  test("reports each step, then its end", async () => {
    // Not by `onprogress`: with it the client forgets a last step that comes in one read with the answer.
    const seen: unknown[] = [];
    client.setNotificationHandler(ProgressNotificationSchema, ({ params }) => {
      seen.push([params.progressToken, params.progress, params.total, params.message]);
    });
    const result = await client.callTool({
      name: "count_down",
      arguments: { from: 4, step_ms: 20 },
      _meta: { progressToken: "t" },
    });
    expect(result.content).toEqual([{ type: "text", text: "Lift-off after 4 steps of 20 ms." }]);
    expect(seen).toEqual([
      ["t", 1, 4, "3 to go"],
      ["t", 2, 4, "2 to go"],
      ["t", 3, 4, "1 to go"],
      ["t", 4, 4, "Lift-off"],
    ]);
  });

  test("ends when cancelled, without holding up anybody", async () => {
    const abort = new AbortController();
    let steps = 0;
    const options = { signal: abort.signal, onprogress: () => steps++ };
    const long = client.callTool(
      { name: "count_down", arguments: { from: 60, step_ms: 10 } },
      undefined,
      options,
    );
    const ended = long.catch((thrown: unknown) => String(thrown));
    await waitFor(() => steps >= 3);
    expect(await call("roll_dice", { dice: "d6" })).toMatchObject({ dice: "d6" }); // meanwhile
    abort.abort("enough");
    expect(await ended).toContain("enough");
    const before = steps;
    await call("count_down", { from: 5, step_ms: 10 });
    expect(steps).toBe(before);
  });
});

describe("as a process", () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  const initialize = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
  };
  const slow = { name: "count_down", arguments: { from: 60, step_ms: 5000 } };
  const input = [
    initialize,
    { jsonrpc: "2.0", method: "notifications/initialized" },
    { jsonrpc: "2.0", id: 2, method: "tools/call", params: slow },
    {
      jsonrpc: "2.0",
      id: 3,
      method: "tools/call",
      params: { name: "roll_dice", arguments: { dice: "2d6" } },
    },
  ];

  /** Sends the input, ends stdin once the last answer is there, and waits for the end. */
  async function run(argv: string[]): Promise<{ ids: unknown[]; stderr: string; exitCode: number }> {
    const child = Bun.spawn(argv, { stdin: "pipe", stdout: "pipe", stderr: "pipe", env: {} });
    const stderr = child.stderr.text();
    child.stdin.write(
      `this line is no JSON\n${input.map((message) => `${JSON.stringify(message)}\n`).join("")}`,
    );
    child.stdin.flush();
    let output = "";
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      output += decoder.decode(chunk, { stream: true });
      if (output.includes('"id":3')) child.stdin.end();
    }
    const ids = output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).id);
    return { ids, stderr: await stderr, exitCode: await child.exited };
  }

  test("ends with stdin, a slow call notwithstanding; stdout carries messages only, stderr nothing", async () => {
    expect(await run(fixture("runs-demo"))).toEqual({ ids: [1, 3], stderr: "", exitCode: 0 });
  });

  test("ends when nobody reads its answers any more", async () => {
    const child = Bun.spawn(fixture("runs-demo"), { stdin: "pipe", stdout: "pipe", stderr: "ignore" });
    const reader = child.stdout.getReader();
    child.stdin.write(`${JSON.stringify(initialize)}\n`);
    await reader.read();
    await reader.cancel();
    const ping = `${JSON.stringify({ jsonrpc: "2.0", id: 2, method: "ping" })}\n`;
    await waitFor(() => {
      if (child.exitCode === null) child.stdin.write(ping);
      return child.exitCode !== null;
    });
    expect(child.exitCode).toBe(0);
  });

  test("works compiled, minified and in bytecode", async () => {
    const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-demo-"));
    folders.push(folder);
    const binary = join(folder, "demo");
    const flags = ["build", "--compile", "--minify", "--bytecode", "--format=esm"];
    const built = Bun.spawn([process.execPath, ...flags, "--outfile", binary, fixturePath("runs-demo")], {
      cwd: folder,
      stdout: "ignore",
      stderr: "inherit",
    });
    expect(await built.exited).toBe(0);
    expect(await run([binary])).toEqual({ ids: [1, 3], stderr: "", exitCode: 0 });
  });
});
