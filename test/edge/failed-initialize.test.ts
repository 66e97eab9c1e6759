// An `initialize` that fails opens no session: nothing is left of it, and its client gets no id to go on with.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gateway } from "../../src/gateway.ts";
import { fixture } from "../support/fixture.ts";
import { post } from "../support/post.ts";

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 7,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "x", version: "1" } },
};

test.each([
  ["that cannot start", { command: "/nonexistent/program" }],
  ["that ends at once", { command: fixture("exits-at-once").join(" ") }],
  ["that nobody serves", { http_url: "http://127.0.0.1:1/mcp" }],
])(
  "of a backend %s",
  async (_, broken) => {
    const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-initialize-"));
    const [command = "", ...args] = fixture("healthy");
    const config = { port: 0, backends: { broken, healthy: { command, args } } };
    await using gateway = await Gateway.start(config, { stateFolder: folder, cacheFolder: folder });
    const sessions = async () => {
      const status: unknown = await (await fetch(`${gateway.url}/status`)).json();
      return typeof status === "object" && status !== null && "sessions" in status
        ? status.sessions
        : undefined;
    };
    for (let n = 0; n < 3; n++) {
      const response = await post(`${gateway.url}/mcp/broken`, INITIALIZE);
      expect(await response.json()).toMatchObject({
        id: 7,
        error: { message: expect.stringContaining("broken") },
      });
      expect(response.headers.get("mcp-session-id")).toBeNull();
    }
    expect(await sessions()).toBe(0);
    const opened = await post(`${gateway.url}/mcp/healthy`, INITIALIZE);
    expect(await opened.json()).toMatchObject({ id: 7, result: { protocolVersion: "2025-06-18" } });
    expect(opened.headers.get("mcp-session-id")).toBeString();
    expect(await sessions()).toBe(1);
    rmSync(folder, { recursive: true, force: true });
  },
  30_000,
);
