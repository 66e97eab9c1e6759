#!/usr/bin/env node
// The `mcp-gateway` of the npm package: becomes the binary that npm has put beside it for this machine.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { arch, platform, report } from "node:process";

const require = createRequire(import.meta.url);
const { name, optionalDependencies } = require("../package.json");

const binary = findBinary();
if (binary === undefined) {
  console.error(
    `${name} has no binary here for ${targets().join(" or ")}. npm leaves it out with --omit=optional, and where a lockfile ` +
      `was made on another system. These are built: ${Object.keys(optionalDependencies).join(", ")}.\n` +
      `To get it: npm install --include=optional ${name}`,
  );
  process.exitCode = 1;
} else if (typeof process.execve === "function" && platform !== "win32") {
  process.execve(binary, [binary, ...process.argv.slice(2)], process.env);
} else {
  run(binary);
}

function findBinary() {
  for (const target of targets()) {
    try {
      return require.resolve(`${name}-${target}/mcp-gateway${platform === "win32" ? ".exe" : ""}`);
    } catch {
      // not the one that npm has installed
    }
  }
}

/** The first is the right one; older npm versions install the other libc's as well. */
function targets() {
  const system = { darwin: "macos", win32: "windows" }[platform] ?? platform;
  const target = `${system}-${arch}`;
  if (system !== "linux") return [target];
  const isGlibc = report.getReport().header.glibcVersionRuntime !== undefined;
  return isGlibc ? [target] : [`${target}-musl`];
}

/** For a Node that cannot replace itself: stays in between, and passes signals on. */
function run(program) {
  const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) {
    process.on(signal, () => {
      // Ctrl-C reaches the gateway by itself, and a second one would end it at once.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    console.error(`${program} cannot be started: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
