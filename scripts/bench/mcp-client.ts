// The measuring client's MCP: the text of each request in both eras, and a look at every answer.

import type { ToolCall } from "./calls.ts";
import type { Reply } from "./http-response.ts";
import type { Wire } from "./wire.ts";

export type Era = "legacy" | "modern";

/** Where a client connects to. */
export interface Endpoint {
  readonly port: number;
  readonly path: string;
}

const LEGACY_VERSION = "2025-11-25";
const MODERN_VERSION = "2026-07-28";
const CLIENT = '{"name":"bench","version":"1"}';
const ENVELOPE =
  `"_meta":{"io.modelcontextprotocol/protocolVersion":"${MODERN_VERSION}",` +
  `"io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":${CLIENT}}`;
const INITIALIZE =
  '{"jsonrpc":"2.0","id":0,"method":"initialize","params":' +
  `{"protocolVersion":"${LEGACY_VERSION}","capabilities":{},"clientInfo":${CLIENT}}}`;
const INITIALIZED = '{"jsonrpc":"2.0","method":"notifications/initialized"}';

/** What a client knows after it has connected: enough to write any request. A modern one agrees on nothing. */
export class Session {
  readonly era: Era;
  readonly #endpoint: Endpoint;
  /** The headers of every POST, up to the value of Content-Length. */
  readonly #head: string;

  private constructor(endpoint: Endpoint, era: Era, headers: string) {
    this.era = era;
    this.#endpoint = endpoint;
    this.#head = `${postHead(endpoint)}${headers}Content-Length: `;
  }

  static async open(wire: Wire, endpoint: Endpoint, era: Era): Promise<Session> {
    if (era === "modern") return Session.modern(endpoint);
    const head = `${postHead(endpoint)}Content-Length: `;
    const reply = await wire.exchange(`${head}${INITIALIZE.length}\r\n\r\n${INITIALIZE}`);
    readResult(reply, 0);
    const id = /\r\nmcp-session-id: *([^\r]+)/i.exec(reply.head)?.[1];
    const named = id === undefined ? "" : `Mcp-Session-Id: ${id}\r\n`;
    const session = new Session(endpoint, era, `MCP-Protocol-Version: ${LEGACY_VERSION}\r\n${named}`);
    const { status } = await wire.exchange(session.#post(INITIALIZED));
    if (status !== 202) throw new Error(`notifications/initialized was answered with ${status}`);
    return session;
  }

  static modern(endpoint: Endpoint): Session {
    return new Session(endpoint, "modern", `MCP-Protocol-Version: ${MODERN_VERSION}\r\n`);
  }

  /** The whole text of one request. */
  request(id: number, call: ToolCall): string {
    const params = this.era === "modern" ? `${call.params(id)},${ENVELOPE}` : call.params(id);
    return this.#post(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{${params}}}`, call.name);
  }

  /** Ends a legacy session, as a client should that has no more use for it. */
  async end(wire: Wire): Promise<void> {
    const { port, path } = this.#endpoint;
    const headers = this.#head.slice(this.#head.indexOf("MCP-Protocol-Version"), -"Content-Length: ".length);
    await wire.exchange(`DELETE ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${headers}\r\n`);
  }

  #post(body: string, name?: string): string {
    const mirrored =
      this.era === "modern" && name !== undefined ? `\r\nMcp-Method: tools/call\r\nMcp-Name: ${name}` : "";
    return `${this.#head}${body.length}${mirrored}\r\n\r\n${body}`;
  }
}

function postHead({ port, path }: Endpoint): string {
  return (
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
    "Accept: application/json, text/event-stream\r\n"
  );
}

/** A search by way of the meta-tools, which needs no session in the modern era. */
export function searchRequest(endpoint: Endpoint, id: number, query: string): string {
  const call = {
    name: "gateway_search_tools",
    params: () => `"name":"gateway_search_tools","arguments":{"query":"${query}"}`,
    expected: () => "",
  };
  return Session.modern(endpoint).request(id, call);
}

/** Throws where the reply is not the answer to this very call. */
export function checkAnswer(reply: Reply, id: number, call: ToolCall): void {
  const text = resultText(reply, id);
  const expected = call.expected(id);
  if (text === expected) return;
  const show = (whole: string) => `"${whole.slice(0, 60)}" (${whole.length} characters)`;
  throw new Error(`wrong content for ${call.name} ${id}: ${show(text)} instead of ${show(expected)}`);
}

/** The text of a tool's result. Throws where the reply is another one, or an error. */
export function resultText(reply: Reply, id: number): string {
  const { content, isError } = readResult(reply, id);
  const [block] = Array.isArray(content) ? content : [];
  if (isError !== true && isObject(block) && typeof block.text === "string") return block.text;
  throw new Error(`no text in the answer to ${id}: ${reply.text.slice(0, 300)}`);
}

function readResult(reply: Reply, id: number): Record<string, unknown> {
  const message: unknown = reply.status === 200 ? readMessage(reply, id) : undefined;
  if (isObject(message) && message.id === id && isObject(message.result)) return message.result;
  throw new Error(`wrong answer to ${id}: ${reply.status} ${reply.text.slice(0, 300)}`);
}

/** Both forms that an answer may have: JSON, or an event stream with other messages before it. */
function readMessage(reply: Reply, id: number): unknown {
  if (!/\r\ncontent-type: *text\/event-stream/i.test(reply.head)) return JSON.parse(reply.text);
  return reply.text
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:") && line.length > "data: ".length)
    .map((line): unknown => JSON.parse(line.slice("data:".length)))
    .find((message) => isObject(message) && message.id === id);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
