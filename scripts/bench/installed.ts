// The programs that the gateway is measured with, brought to this machine on demand and kept in the user's cache folder:
// the compiled reference backend, and pinned peers from npm, which are nobody's dependency.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../src/folders.ts";

const PEERS = {
  "mcp-proxy": { version: "6.7.19", program: "dist/bin/mcp-proxy.mjs" },
  supergateway: { version: "4.0.0", program: "dist/index.js" },
} as const;

export type PeerName = keyof typeof PEERS;

/** The command line of the reference backend, without its arguments. */
export function referenceCommand(): string[] {
  return compiledReference() ?? interpretedReference();
}

export function interpretedReference(): string[] {
  return [process.execPath, join(import.meta.dir, "reference.ts")];
}

/** Undefined where there is no C compiler. */
export function compiledReference(): string[] | undefined {
  const source = join(import.meta.dir, "reference.c");
  const program = join(benchFolder(), `reference-${digest(readFileSync(source, "utf8"))}`);
  if (existsSync(program)) return [program];
  const compiler = Bun.which("cc") ?? Bun.which("gcc") ?? Bun.which("clang");
  if (compiler === null) return undefined;
  const unfinished = `${program}.${process.pid}`;
  const { success, stderr } = Bun.spawnSync([compiler, "-O2", "-o", unfinished, source]);
  if (!success) throw new Error(`reference.c does not compile:\n${stderr.toString()}`);
  renameSync(unfinished, program);
  return [program];
}

/** The command line of a peer, which is Node's to run. Throws where it cannot be installed. */
export function peerCommand(name: PeerName): string[] {
  const node = Bun.which("node");
  if (node === null) throw new Error(`${name} needs Node.js, which is not on the PATH`);
  return [node, join(installPeers(), "node_modules", name, PEERS[name].program)];
}

function installPeers(): string {
  const dependencies = Object.fromEntries(
    Object.entries(PEERS).map(([name, { version }]) => [name, version]),
  );
  const manifest = JSON.stringify({ private: true, dependencies });
  const folder = join(benchFolder(), `peers-${digest(manifest)}`);
  const stamp = join(folder, ".installed");
  if (existsSync(stamp)) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), manifest);
  console.error(`Installing ${Object.keys(dependencies).join(", ")} into ${folder} ...`);
  const command = [process.execPath, "install", "--ignore-scripts", "--no-progress"];
  const { success, stderr } = Bun.spawnSync(command, { cwd: folder });
  if (!success) throw new Error(`the peers could not be installed: ${stderr.toString().trim()}`);
  writeFileSync(stamp, "");
  return folder;
}

function benchFolder(): string {
  const folder = join(cacheFolder(), "bench");
  mkdirSync(folder, { recursive: true });
  return folder;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
