// A backend under test, with real processes, and the calls that clients would make.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Backend, type BackendOptions } from "../../src/backend/backend.ts";
import type { BackendConfig } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { silentLog } from "../../src/log.ts";
import type { Answer, Call, Caller, Subscriber } from "../../src/protocol/call.ts";
import type { Json } from "../../src/protocol/jsonrpc.ts";

export type Entry = Record<string, unknown>;

export function configOf(name: string, entry: Entry): BackendConfig {
  const [config] = loadConfig({ backends: { [name]: entry } }).backends;
  if (config === undefined) throw new Error("no backend");
  return config;
}

/** `argv` as command and args. */
export function program([command = "", ...args]: readonly string[]): Entry {
  return { command, args };
}

export function makeBackend(entry: Entry, options: Partial<BackendOptions> = {}): Backend {
  const identity = { name: "mcp-gateway", version: "test" };
  return new Backend(configOf("it", entry), { identity, log: silentLog, ...options });
}

export function caller(key = "session-1", more: Partial<Caller> = {}): Caller {
  return { era: "legacy", revision: "2025-11-25", capabilities: {}, principal: "local", key, ...more };
}

export function makeCall(method: string, params: Json = {}, more: Partial<Call> = {}): Call {
  return {
    method,
    params,
    caller: caller(),
    signal: new AbortController().signal,
    notify: () => undefined,
    ask: () => Promise.reject(new Error("nobody is asked here")),
    ...more,
  };
}

export function callTool(
  backend: Backend,
  name: string,
  args: Json = {},
  more: Partial<Call> = {},
): Promise<string> {
  const call = makeCall("tools/call", { name, arguments: args }, more);
  return backend.call(call).then(textOf);
}

function textOf({ result }: Answer): string {
  const [block]: unknown[] = Array.isArray(result.content) ? result.content : [];
  if (typeof block === "object" && block !== null && "text" in block) return String(block.text);
  return JSON.stringify(result);
}

/** A client that keeps the names of what it was told. */
export function listener(key = "session-1"): { subscriber: Subscriber; heard: string[] } {
  const heard: string[] = [];
  const deliver: Subscriber["deliver"] = ({ method }) => void heard.push(method);
  return { heard, subscriber: { key, wants: () => true, deliver } };
}

/** A folder that goes away with the scope. */
export class TestFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "mcp-gateway-backend-"));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
