// The version that npx, bunx and uvx have in their caches, laid out as these programs lay them out.

import { describe, expect, test } from "bun:test";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { packageSpec, readPackage } from "../../src/backend/package-version.ts";
import { callTool, configOf, makeBackend, TestFolder } from "./rig.ts";

function put(path: string, content = ""): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

const manifest = (version: string) => JSON.stringify({ name: "x", version });

describe("the package of a command line is", () => {
  test.each([
    ["-y @scope/server-x@1.2.3 --flag", "@scope/server-x@1.2.3"],
    ["server-x", "server-x"],
    ["-y -p server-x bin", "server-x"],
    ["--package=server-x bin", "server-x"],
    ["--from git-thing serve", "git-thing"],
    ["-y", undefined],
  ])("%s", (line, spec) => {
    expect(packageSpec(line.split(" "))).toBe(spec);
  });
});

describe("the version is read from the cache of", () => {
  test.each(["npx", "/usr/bin/npx", "C:\\nodejs\\npx.cmd"])("%s", async (command) => {
    using folder = new TestFolder();
    put(join(folder.path, ".npm/_npx/0123/node_modules/@s/x/package.json"), manifest("1.2.3"));
    const config = configOf("it", { command, args: ["-y", "@s/x@latest"], env: { HOME: folder.path } });
    expect(await readPackage(config)).toEqual({ name: "@s/x", version: "1.2.3" });
  });

  test.each([
    [".bun/install/cache/.bunx-0/x@latest", "x"],
    [".bun/install/cache/.bunx-0/x@4", "x@4"],
    ["tmp/bunx-0-x@latest", "x"],
  ])("bunx: %s", async (folderOfIt, spec) => {
    using folder = new TestFolder();
    const inside = "node_modules/x/package.json";
    put(join(folder.path, folderOfIt, inside), manifest("4.5.6"));
    put(join(folder.path, folderOfIt.replace(/@.*/, "@9"), inside), manifest("9.0.0"));
    const env = { HOME: folder.path, TMPDIR: join(folder.path, "tmp") };
    const config = configOf("it", { command: "bunx", args: [spec], env });
    expect(await readPackage(config)).toEqual({ name: "x", version: "4.5.6" });
  });

  test("uvx", async () => {
    using folder = new TestFolder();
    const site = "archive-v0/abc/lib/python3.13/site-packages";
    put(join(folder.path, site, "mcp_server_x-7.8.9.dist-info/METADATA"));
    const config = configOf("it", {
      command: "uvx",
      args: ["mcp-server-x[all]==7"],
      env: { UV_CACHE_DIR: folder.path },
    });
    expect(await readPackage(config)).toEqual({ name: "mcp-server-x", version: "7.8.9" });
  });

  test("nothing else, and nothing where there is none", async () => {
    using folder = new TestFolder();
    const env = { HOME: folder.path, TMPDIR: folder.path, UV_CACHE_DIR: folder.path };
    for (const command of ["npx", "bunx", "uvx", "node"]) {
      expect(await readPackage(configOf("it", { command, args: ["x"], env }))).toBeUndefined();
    }
    expect(await readPackage(configOf("it", { url: "http://127.0.0.1:1/mcp" }))).toBeUndefined();
  });
});

test("a start that fails after a release says which was the last good one, and how to go back", async () => {
  using folder = new TestFolder();
  const bin = join(folder.path, "npx");
  const release = join(folder.path, "release.json");
  const fixture = join(import.meta.dir, "../fixtures/tools-from-file.ts");
  put(bin, `#!/bin/sh\nexec "${process.execPath}" "${fixture}" "${release}"\n`);
  await Bun.$`chmod +x ${bin}`.quiet();
  const entry = { command: bin, args: ["-y", "x"], env: { HOME: folder.path } };
  const cacheFolder = join(folder.path, "cache");
  const publish = (version: string, isBroken: boolean) => {
    put(join(folder.path, `.npm/_npx/${version}/node_modules/x/package.json`), manifest(version));
    utimesSync(join(folder.path, `.npm/_npx/${version}/node_modules/x/package.json`), 1, 1);
    put(release, JSON.stringify({ version, tools: {}, isBroken }));
  };

  publish("1.0.0", false);
  {
    await using backend = makeBackend(entry, { cacheFolder });
    await callTool(backend, "echo", { text: "well" });
    await backend.whenCompared();
  }
  await Bun.sleep(10); // The newest in the cache is told by its time, in milliseconds.
  publish("2.0.0", true);
  await using backend = makeBackend(entry, { cacheFolder });
  await expect(callTool(backend, "echo")).rejects.toThrow(
    /exit code 5[\s\S]*changed since the last good start on \d{4}-\d\d-\d\d: package x 1\.0\.0 → 2\.0\.0\. To go back, pin it: x@1\.0\.0/,
  );
});
