// The machines that binaries are built for, by the names that the files in dist/ carry.

import { closeSync, openSync, readSync } from "node:fs";

const BUN_TARGETS = {
  "linux-x64": "bun-linux-x64",
  "linux-arm64": "bun-linux-arm64",
  "linux-x64-musl": "bun-linux-x64-musl",
  "linux-arm64-musl": "bun-linux-arm64-musl",
  "macos-x64": "bun-darwin-x64",
  "macos-arm64": "bun-darwin-arm64",
  "windows-x64": "bun-windows-x64",
  "windows-arm64": "bun-windows-arm64",
} as const satisfies Record<string, Bun.Build.CompileTarget>;

export type Target = keyof typeof BUN_TARGETS;

export const TARGETS = Object.keys(BUN_TARGETS).filter(isTarget);

export function isTarget(name: string): name is Target {
  return Object.hasOwn(BUN_TARGETS, name);
}

export function bunTarget(target: Target): Bun.Build.CompileTarget {
  return BUN_TARGETS[target];
}

export function binaryName(target: Target): string {
  return `mcp-gateway-${target}${target.startsWith("windows") ? ".exe" : ""}`;
}

/** The target that runs here. */
export function hostTarget(): Target {
  const os = process.platform.replace("darwin", "macos").replace("win32", "windows");
  const name = `${os}-${process.arch}${runsOnMusl() ? "-musl" : ""}`;
  if (!isTarget(name)) throw new Error(`No binary is built for this machine (${name}).`);
  return name;
}

/** Which libc the running Bun was linked to: its ELF header names the loader. */
function runsOnMusl(): boolean {
  if (process.platform !== "linux") return false;
  const header = Buffer.alloc(4096);
  const file = openSync(process.execPath, "r");
  try {
    readSync(file, header);
  } finally {
    closeSync(file);
  }
  return header.includes("/ld-musl-");
}
