// The gateway as a library, by the name that programs import it by.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, ConfigError, ConfigFileError, createLog, Gateway, loadConfig } from "mcp-gateway";
import { fixture } from "./support/fixture.ts";
import { asBackend } from "./support/npm-programs.ts";
import { descendants } from "./support/process-table.ts";
import { SdkClient } from "./support/sdk-client.ts";

setDefaultTimeout(30_000);

const healthy = asBackend(fixture("healthy"));

function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-library-"));
  return use(folder).finally(() => rmSync(folder, { recursive: true }));
}

describe("a gateway in a program", () => {
  test("serves an object, and ends with its block: no port, no child is left", () =>
    withFolder(async (stateFolder) => {
      let url: string;
      {
        await using gateway = await Gateway.start({ port: 0, backends: { healthy } }, { stateFolder });
        url = gateway.url;
        expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
        await using sdk = await SdkClient.connect(`${url}/mcp`);
        expect(await sdk.invoke("healthy", "echo", { text: "embedded" })).toBe("embedded");
        expect(fixturesRunning()).toBe(1);
      }
      await expect(fetch(`${url}/health`)).rejects.toThrow();
      expect(fixturesRunning()).toBe(0);
    }));

  test("serves a file", () =>
    withFolder(async (stateFolder) => {
      const path = join(stateFolder, "servers.yaml");
      writeFileSync(path, JSON.stringify({ enable_meta_mcp: false, backends: { healthy } }));
      const config: Config = loadConfig(path, { port: 0 });
      expect(config).toMatchObject({ path, port: 0, host: "127.0.0.1", enableMetaMcp: false });
      await using gateway = await Gateway.start(config, { stateFolder });
      await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
      expect(await sdk.text("healthy__echo", { text: "from a file" })).toBe("from a file");
    }));

  test("can be closed early, and twice", () =>
    withFolder(async (stateFolder) => {
      await using gateway = await Gateway.start({ port: 0, backends: { healthy } }, { stateFolder });
      await Promise.all([gateway.close(), gateway.close()]);
      await expect(fetch(gateway.url)).rejects.toThrow();
    }));

  test("stands beside another one", () =>
    withFolder(async (stateFolder) => {
      await using one = await Gateway.start({ port: 0, backends: { healthy } }, { stateFolder });
      await using two = await Gateway.start({ port: 0, backends: { healthy } }, { stateFolder });
      expect(one.url).not.toBe(two.url);
      await two.close();
      await using sdk = await SdkClient.connect(`${one.url}/mcp`);
      expect(await sdk.invoke("healthy", "echo", { text: "still here" })).toBe("still here");
    }));

  test("is silent unless it is given a log", () =>
    withFolder(async (stateFolder) => {
      const lines: string[] = [];
      const log = createLog({ level: "DEBUG", format: "json", write: (line) => lines.push(line) });
      await using gateway = await Gateway.start({ port: 0, backends: { healthy } }, { log, stateFolder });
      await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
      await sdk.invoke("healthy", "pid");
      expect(lines.map((line) => JSON.parse(line))).toContainEqual(
        expect.objectContaining({ backend: "healthy", to: "ready" }),
      );
    }));
});

describe("what cannot be started is refused with", () => {
  test("every problem of the configuration", async () => {
    const wrong = { port: 0, backends: { bad: { command: "x", url: "http://127.0.0.1/mcp" } }, prot: 1 };
    const refusal = await Gateway.start(wrong).catch((thrown: unknown) => thrown);
    if (!(refusal instanceof ConfigError)) throw new Error(`not a ConfigError: ${refusal}`);
    expect(refusal.problems).toMatchObject([
      { path: "prot", suggestion: "port" },
      { path: "backends.bad.url" },
    ]);
  });

  test("the path of a file that is not there", () => {
    expect(() => loadConfig("/no/such/servers.yaml")).toThrow(ConfigFileError);
    expect(() => loadConfig("/no/such/servers.yaml")).toThrow("Config file not found: /no/such/servers.yaml");
  });

  test("a word on strangers, where they could come in", async () => {
    await expect(Gateway.start({ host: "0.0.0.0", port: 0, backends: {} })).rejects.toThrow("auth.disabled");
  });

  test("what the socket says, where the port is taken", () =>
    withFolder(async (stateFolder) => {
      await using gateway = await Gateway.start({ port: 0, backends: {} }, { stateFolder });
      const port = Number(new URL(gateway.url).port);
      await expect(Gateway.start({ port, backends: {} }, { stateFolder })).rejects.toThrow(String(port));
    }));
});

function fixturesRunning(): number {
  return descendants(process.pid).filter(({ command }) => command.includes("fixtures/healthy.ts")).length;
}
