// The Windows binary, under Wine: that it starts, serves, and ends whole trees of processes.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixturePath } from "../support/fixture.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { Wine, type WineRun, whyNoWine } from "../support/wine.ts";

const why = whyNoWine();
if (why !== undefined) console.log(`The tests of the Windows binary are skipped: ${why}.`);

const LONG_MS = 180_000;
const SERVER = "server.mjs";
/** Arguments that Windows programs and cmd.exe each read in their own way. Wine's cmd.exe expands `%` wrongly. */
const ODD = ["plain", "a b", 'q"u&ote', "a^b|c>d", "dir\\", "!x!", "(p)", "", "ünï"];

let wine: Wine;

function stdioEntry(...args: string[]): object {
  // The compiled program runs a script as Bun does if this variable is set.
  return { command: wine.path("mcp-gateway.exe"), args: [SERVER, ...args], env: { BUN_BE_BUN: "1" } };
}

function start(name: string, backends: object): WineRun {
  wine.write(`${name}.yaml`, JSON.stringify({ backends }));
  return wine.start("-c", `${name}.yaml`, "-p", "0");
}

async function argumentsOf(url: string, backend: string): Promise<unknown> {
  await using sdk = await SdkClient.connect(`${url}/mcp/${backend}`);
  return JSON.parse(await sdk.text("arguments", {}));
}

async function stateOf(url: string, backend: string): Promise<unknown> {
  const health = (await (await fetch(`${url}/health`)).json()) as {
    backends: Record<string, { state: string }>;
  };
  return health.backends[backend]?.state;
}

describe.skipIf(why !== undefined)("the Windows binary", () => {
  beforeAll(async () => {
    wine = await Wine.open();
    copyFileSync(fixturePath("windows-server").replace(/\.ts$/, ".mjs"), join(wine.folder, SERVER));
  }, LONG_MS);
  afterAll(() => wine[Symbol.asyncDispose](), LONG_MS);

  test(
    "serves its demo where there is no configuration",
    async () => {
      await using run = wine.start("-p", "0");
      const url = await run.url();
      await using sdk = await SdkClient.connect(`${url}/mcp/demo`);
      expect(await sdk.text("roll_dice", { dice: "1d1" })).toContain("1");
    },
    LONG_MS,
  );

  test(
    "finds its configuration in %APPDATA%, and names a mistake in it",
    async () => {
      const folder = join(wine.home, "AppData/Roaming/mcp-gateway");
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "servers.yaml"), "backends: { it: { comand: nothing } }");
      try {
        const { exitCode, stdout, stderr } = await wine.run("check");
        expect(stdout + stderr).toContain("comand");
        expect(stdout + stderr).toContain("AppData\\Roaming\\mcp-gateway\\servers.yaml");
        expect(exitCode).toBe(2);
      } finally {
        writeFileSync(join(folder, "servers.yaml"), "backends: {}");
      }
    },
    LONG_MS,
  );

  test(
    "hands a program and a batch file their arguments as they are",
    async () => {
      wine.write("shim.cmd", '@ECHO off\r\n"%~dp0\\mcp-gateway.exe" "%~dp0\\server.mjs" %*\r\n');
      await using run = start("arguments", {
        program: stdioEntry(...ODD),
        batch: { command: ".\\shim.cmd", args: ODD, env: { BUN_BE_BUN: "1" } },
      });
      const url = await run.url();
      expect(await argumentsOf(url, "program")).toEqual(ODD);
      expect(await argumentsOf(url, "batch")).toEqual(ODD);
    },
    LONG_MS,
  );

  test(
    "puts a backend to sleep with all that it has started, deaf or not",
    async () => {
      await using run = start("sleeps", {
        it: { ...stdioEntry("deaf", "sleeps-marker"), idle_timeout: "1s" },
      });
      const url = await run.url();
      await argumentsOf(url, "it");
      expect(await wine.processes("sleeps-marker")).not.toEqual([]);
      await waitFor(async () => (await stateOf(url, "it")) === "asleep", { timeoutMs: 30_000 });
      expect(await wine.processes("sleeps-marker")).toEqual([]);
    },
    LONG_MS,
  );

  test.each(["SIGINT", "SIGKILL"] as const)(
    "leaves nothing behind after %s",
    async (signal) => {
      const marker = `${signal.toLowerCase()}-marker`;
      await using run = start(marker, { it: stdioEntry("deaf", marker) });
      await argumentsOf(await run.url(), "it");
      expect(await wine.processes(marker)).not.toEqual([]);
      run.signal(signal);
      const exitCode = await run.exited();
      if (signal === "SIGINT") expect(exitCode).toBe(0);
      await waitFor(async () => (await wine.processes(marker)).length === 0, { timeoutMs: 30_000 });
    },
    LONG_MS,
  );

  test(
    "shows the task that would run it as a service",
    async () => {
      wine.write("servers.yaml", "backends: {}");
      const { exitCode, stdout } = await wine.run("service", "install", "--user", "--dry-run");
      expect(stdout).toContain("schtasks /Create /F /TN mcp-gateway");
      expect(stdout).toContain("mcp-gateway.exe");
      expect(exitCode).toBe(0);
    },
    LONG_MS,
  );
});
