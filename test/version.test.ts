import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { COMMIT, TARGET, VERSION } from "../src/version.ts";

const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-version-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("run from source it knows its version, and that it was not built", () => {
  expect([VERSION, COMMIT, TARGET]).toEqual([packageJson.version, "unknown", "source"]);
});

test("built, it carries the commit and the target, and needs no package.json", async () => {
  await Bun.build({
    entrypoints: [join(import.meta.dir, "../src/version.ts")],
    outdir: folder,
    define: { BUILD_COMMIT: '"abc123"', BUILD_TARGET: '"linux-x64"' },
  });
  const built = await import(join(folder, "version.js"));
  expect(built).toMatchObject({ VERSION: packageJson.version, COMMIT: "abc123", TARGET: "linux-x64" });
});
