// A client that keeps asking, whatever happens, and says of each call what became of it. In either era.

export type Era = "legacy" | "modern";

/**
 * `failed`: told so in words. `cut`: the connection broke, as when the gateway was killed. `lost`: nothing came.
 * `wrong`: more came than the one answer to this call.
 */
export type Outcome =
  | { readonly kind: "answered"; readonly text: string }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "cut" | "lost" | "wrong"; readonly reason: string };

const LEGACY = "2025-11-25";
const MODERN = "2026-07-28";
const META = "io.modelcontextprotocol/";

interface Params {
  readonly name?: string;
  readonly [more: string]: unknown;
}

export class StrainedClient {
  readonly #url: string;
  readonly #era: Era;
  readonly #patienceMs: number;
  #session: string | undefined;
  #nextId = 1;

  constructor(url: string, era: Era, patienceMs: number) {
    this.#url = url;
    this.#era = era;
    this.#patienceMs = patienceMs;
  }

  async callTool(name: string, args: object): Promise<Outcome> {
    try {
      if (this.#era === "legacy" && this.#session === undefined) await this.#open();
      const id = this.#nextId++;
      const response = await this.#post(id, "tools/call", { name, arguments: args });
      return readOutcome(await response.text(), id);
    } catch (thrown) {
      const isLate = thrown instanceof Error && thrown.name === "TimeoutError";
      return { kind: isLate ? "lost" : "cut", reason: String(thrown) };
    }
  }

  async #open(): Promise<void> {
    const clientInfo = { name: "strain", version: "1" };
    const params = { protocolVersion: LEGACY, capabilities: {}, clientInfo };
    const response = await this.#post(0, "initialize", params);
    await response.text();
    this.#session = response.headers.get("mcp-session-id") ?? undefined;
  }

  #post(id: number, method: string, params: Params): Promise<Response> {
    const isModern = this.#era === "modern";
    const clientInfo = { name: "strain", version: "1" };
    const envelope = {
      [`${META}protocolVersion`]: MODERN,
      [`${META}clientCapabilities`]: {},
      [`${META}clientInfo`]: clientInfo,
    };
    const sent = isModern ? { ...params, _meta: envelope } : params;
    return fetch(this.#url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...(isModern ? { "mcp-protocol-version": MODERN, "mcp-method": method } : {}),
        ...(isModern && params.name !== undefined ? { "mcp-name": params.name } : {}),
        ...(this.#session === undefined ? {} : { "mcp-session-id": this.#session }),
      },
      body: JSON.stringify({ jsonrpc: "2.0", id, method, params: sent }),
      signal: AbortSignal.timeout(this.#patienceMs),
    });
  }
}

function readOutcome(body: string, id: number): Outcome {
  const texts = body.startsWith("{")
    ? [body]
    : [...body.matchAll(/^data: *(.+)$/gm)].map(([, text = ""]) => text);
  const messages = texts.map((text): unknown => JSON.parse(text)).filter(isResponse);
  const [message] = messages;
  if (message === undefined) return { kind: "lost", reason: `no answer in: ${body.slice(0, 200)}` };
  if (messages.length > 1 || message.id !== id) {
    return { kind: "wrong", reason: `not one answer to ${id}: ${body.slice(0, 500)}` };
  }
  const text = textOf(message.result);
  if (text === undefined) return { kind: "failed", reason: JSON.stringify(message.error ?? message.result) };
  return { kind: "answered", text };
}

interface ResponseLike {
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

function isResponse(value: unknown): value is ResponseLike {
  return isObject(value) && "id" in value && !("method" in value);
}

function textOf(result: unknown): string | undefined {
  if (!isObject(result) || result.isError === true || !Array.isArray(result.content)) return undefined;
  const [block]: unknown[] = result.content;
  return isObject(block) && typeof block.text === "string" ? block.text : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
