// The compiled reference backend and its stand-in say the same.

import { expect, test } from "bun:test";
import { filling } from "../../scripts/bench/calls.ts";
import { compiledReference, interpretedReference } from "../../scripts/bench/installed.ts";

const ENVELOPE = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" };
const MESSAGES = [
  { id: 1, method: "initialize", params: { protocolVersion: "2025-11-25" } },
  { id: 2, method: "server/discover", params: { _meta: ENVELOPE } },
  { method: "notifications/initialized" },
  { id: "three", method: "ping" },
  { id: 4, method: "tools/list" },
  { id: 5, method: "tools/list", params: { _meta: ENVELOPE } },
  { id: 6, method: "tools/call", params: { name: "echo", arguments: { text: 'a "quoted" line\n' } } },
  { id: 7, method: "tools/call", params: { name: "fill", arguments: { count: 1_000 } } },
  { id: 8, method: "tools/call", params: { name: "fill", arguments: { count: 70_001 }, _meta: ENVELOPE } },
  { id: 9, method: "tools/call", params: { name: "take", arguments: { text: "t".repeat(200_000) } } },
  { id: 10, method: "prompts/list" },
].map((message) => ({ jsonrpc: "2.0", ...message }));

const commands = [interpretedReference(), compiledReference()].filter((command) => command !== undefined);

async function answersOverStdio(command: readonly string[], era: string): Promise<unknown[]> {
  const child = Bun.spawn([...command, "stdio", era, "2"], { stdin: "pipe", stdout: "pipe" });
  child.stdin.write(MESSAGES.map((message) => `${JSON.stringify(message)}\n`).join(""));
  await child.stdin.end();
  const lines = (await child.stdout.text()).trimEnd().split("\n");
  return lines.map((line): unknown => JSON.parse(line));
}

async function answersOverHttp(command: readonly string[], path: string): Promise<unknown[][]> {
  const child = Bun.spawn([...command, "http"], { stdout: "pipe" });
  try {
    const { value } = await child.stdout.getReader().read();
    const url = `http://127.0.0.1:${new TextDecoder().decode(value).trim()}${path}`;
    const replies = MESSAGES.map(async (message) => {
      const response = await fetch(url, { method: "POST", body: JSON.stringify(message) });
      const text = await response.text();
      const type = response.ok && text !== "" ? response.headers.get("content-type") : null;
      return [
        response.status,
        type,
        text === "" ? null : JSON.parse(text.replace(/^event: message\ndata: /, "")),
      ];
    });
    return await Promise.all(replies);
  } finally {
    child.kill();
  }
}

test.each(["legacy", "modern"])("over stdio, %s", async (era) => {
  const [answers, ...others] = await Promise.all(commands.map((command) => answersOverStdio(command, era)));
  expect(answers).toHaveLength(MESSAGES.length - 1);
  expect(answers?.[6]).toEqual({
    jsonrpc: "2.0",
    id: 7,
    result: { content: [{ type: "text", text: filling(1_000) }] },
  });
  for (const other of others) expect(other).toEqual(answers ?? []);
});

test.each(["/legacy", "/modern", "/legacy-events", "/modern-events"])("over HTTP at %s", async (path) => {
  const [replies, ...others] = await Promise.all(commands.map((command) => answersOverHttp(command, path)));
  expect(replies?.[2]).toEqual([202, null, null]);
  const type = path.endsWith("events") ? "text/event-stream" : "application/json";
  expect(replies?.[8]?.[1]).toBe(type);
  for (const other of others) expect(other).toEqual(replies ?? []);
});
