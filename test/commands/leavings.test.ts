// Calls leave nothing that the engine takes for long-lived: else every third collection is a full one, and the compiled
// code that it makes the engine forget has to be compiled anew.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningReference, referenceCommand, startReference } from "../fixtures/reference/start.ts";
import { openSession, post } from "../support/post.ts";
import { findFreePort } from "../support/run-gateway.ts";
import { waitFor } from "../support/wait-for.ts";

const CALLS = 304;
const AT_ONCE = 8;
/** A collection of the engine's own takes the calls that are in flight just then for long-lived: on a busy machine often. */
const MAX_TIMES = 20;
const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};

class LeavingGateway implements AsyncDisposable {
  readonly url: string;
  readonly #folder: string;
  readonly #process: Bun.Subprocess<"pipe", "inherit", "pipe">;
  #stderr = "";

  constructor(config: object) {
    const port = findFreePort();
    this.url = `http://127.0.0.1:${port}`;
    this.#folder = mkdtempSync(join(tmpdir(), "mcp-gateway-leavings-"));
    const path = join(this.#folder, "servers.yaml");
    writeFileSync(path, JSON.stringify(config));
    const [preload, main] = ["../support/says-leavings.ts", "../../src/main.ts"].map((file) =>
      join(import.meta.dir, file),
    );
    this.#process = Bun.spawn(
      [process.execPath, "--preload", `${preload}`, `${main}`, "-c", path, "-p", `${port}`],
      { env: { ...process.env, XDG_STATE_HOME: this.#folder }, stdio: ["pipe", "inherit", "pipe"] },
    );
    void this.#read();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#process.stderr) this.#stderr += decoder.decode(chunk, { stream: true });
  }

  async listening(): Promise<void> {
    const isUp = () =>
      fetch(`${this.url}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    await waitFor(isUp, { timeoutMs: 15_000, what: "the gateway" });
  }

  /** What is left of what has been done since it was asked last. */
  async leavings(): Promise<number> {
    const before = this.#told().length;
    void this.#process.stdin.write("?\n");
    void this.#process.stdin.flush();
    await waitFor(() => this.#told().length > before, { what: "the leavings" });
    return Number(this.#told().at(-1));
  }

  #told(): string[] {
    return [...this.#stderr.matchAll(/^leavings (-?\d+)$/gm)].map(([, count]) => count ?? "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#process.exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

let remote: RunningReference;
let gateway: LeavingGateway;

beforeAll(async () => {
  remote = await startReference("http", "legacy");
  const [command, ...args] = referenceCommand("legacy");
  gateway = new LeavingGateway({ backends: { local: { command, args }, remote: { url: remote.url } } });
  await gateway.listening();
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await remote[Symbol.asyncDispose]();
});

const ECHO = { name: "echo", arguments: { message: "x" } };

describe("of calls there is nothing left", () => {
  test.each([
    ["to a process", "/mcp/local", ECHO, "legacy"],
    ["of a modern client", "/mcp/local", ECHO, "modern"],
    ["to a URL", "/mcp/remote", ECHO, "legacy"],
    [
      "by the meta-tools",
      "/mcp",
      { name: "gateway_invoke", arguments: { server: "local", tool: "echo", arguments: ECHO.arguments } },
      "modern",
    ],
  ])(
    "%s",
    async (_, path, params, era) => {
      const url = gateway.url + path;
      const headers = era === "legacy" ? await openSession(url) : {};
      const call = async (id: number) => {
        const response = await post(url, ...asked(id, params, headers));
        expect(await response.json()).toMatchObject({ id, result: {} });
      };
      const callAll = async () => {
        for (let id = 0; id < CALLS; id += AT_ONCE)
          await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => call(id + at)));
      };
      await callAll();
      await gateway.leavings();
      const isLittle = (left: number) => left < CALLS / 4;
      const left: number[] = [];
      while (left.length < MAX_TIMES && !left.some(isLittle)) {
        await callAll();
        left.push(await gateway.leavings());
      }
      expect(Math.min(...left)).toSatisfy(isLittle);
    },
    120_000,
  );
});

function asked(
  id: number,
  params: { readonly name: string },
  session: Record<string, string>,
): [object, Record<string, string>] {
  const request = { jsonrpc: "2.0", id, method: "tools/call" };
  if ("mcp-session-id" in session) return [{ ...request, params }, session];
  const headers = {
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": request.method,
    "mcp-name": params.name,
  };
  return [{ ...request, params: { ...params, _meta: ENVELOPE } }, headers];
}
