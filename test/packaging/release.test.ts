// What a release consists of: every file checked by its sum, installers that know their repository, notes for people,
// and a bill of materials that names what is in the binaries.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { checkTag, gatherRelease, releaseNotes } from "../../scripts/packaging/release.ts";
import { makeSbom } from "../../scripts/packaging/sbom.ts";
import { binaryName, TARGETS } from "../../scripts/targets.ts";

const root = join(import.meta.dir, "../..");
const dist = mkdtempSync(join(tmpdir(), "release-"));
let out: string;

beforeAll(() => {
  mkdirSync(dist, { recursive: true });
  for (const target of TARGETS) writeFileSync(join(dist, binaryName(target)), `binary for ${target}`);
  writeFileSync(join(dist, "sbom.cdx.json"), "{}");
  out = gatherRelease(dist, "someone/their-gateway");
});
afterAll(() => rmSync(dist, { recursive: true }));

describe("the files of a release", () => {
  test("are the binaries, the installers, the formula, the bill of materials", () => {
    const others = ["SHA256SUMS", "install.ps1", "install.sh", "mcp-gateway.rb", "sbom.cdx.json"];
    expect(readdirSync(out).toSorted()).toEqual([...TARGETS.map(binaryName), ...others].toSorted());
  });

  test("are all in SHA256SUMS, with the sums that they have", () => {
    const sums = readFileSync(join(out, "SHA256SUMS"), "utf8").trimEnd().split("\n");
    expect(sums).toHaveLength(readdirSync(out).length - 1);
    for (const line of sums) {
      const [sum, name = ""] = line.split("  ");
      expect(sum).toBe(new Bun.CryptoHasher("sha256").update(readFileSync(join(out, name))).digest("hex"));
    }
  });

  test("know which repository they come from", () => {
    for (const name of ["install.sh", "install.ps1"]) {
      const text = readFileSync(join(out, name), "utf8");
      expect(text).toContain("someone/their-gateway");
      expect(text).not.toContain("@REPOSITORY@");
    }
    const url = `https://github.com/someone/their-gateway/releases/download/v${packageJson.version}/`;
    expect(readFileSync(join(out, "mcp-gateway.rb"), "utf8").split(`url "${url}mcp-gateway-`)).toHaveLength(
      5,
    );
  });

  test("are not gathered where one is missing", () => {
    const empty = join(dist, "empty");
    mkdirSync(empty);
    expect(() => gatherRelease(empty, "a/b")).toThrow("mcp-gateway-linux-x64: a release takes scripts/build");
  });
});

describe("a version", () => {
  test("is told of in the changelog", () => {
    const changelog = readFileSync(join(root, ".github/CHANGELOG.md"), "utf8");
    expect(releaseNotes(changelog, packageJson.version).length).toBeGreaterThan(200);
  });

  test("has notes that are its own", () => {
    const changelog = "# Changes\n\n## 2.1.0 - 2026-02-01\n\n- new\n\n## 2.0.0 - 2026-01-01\n\n- old\n";
    expect(releaseNotes(changelog, "2.1.0")).toBe("- new\n");
    expect(releaseNotes(changelog, "2.0.0")).toBe("- old\n");
    expect(() => releaseNotes(changelog, "2.0")).toThrow("says nothing of 2.0.");
  });

  test("is the one that the tag names", () => {
    expect(() => checkTag("v2.0.0", "2.0.0")).not.toThrow();
    expect(() => checkTag(undefined, "2.0.0")).not.toThrow();
    expect(() => checkTag("v2.0.1", "2.0.0")).toThrow("The tag v2.0.1 is not v2.0.0");
  });
});

test("the bill of materials names what is in the binaries, and not what only made them", () => {
  if (Bun.which("npm") === null) {
    console.warn("NOT CHECKED HERE: the bill of materials (this machine has no npm)");
    return;
  }
  const bom = makeSbom();
  expect(bom).toMatchObject({ bomFormat: "CycloneDX", metadata: { component: { type: "application" } } });
  const lock = readFileSync(join(root, "bun.lock"), "utf8");
  const named = new Map(bom.components.map(({ name, version }) => [name, version]));
  for (const name of Object.keys(packageJson.dependencies)) {
    expect(lock).toContain(`"${name}": ["${name}@${named.get(name)}"`);
  }
  expect(named.get("bun")).toBe(packageJson.engines.bun);
  for (const name of ["@biomejs/biome", "fast-check", ...Object.keys(packageJson.optionalDependencies)]) {
    expect(named.has(name)).toBe(false);
  }
  for (const { purl } of bom.components) expect(purl).toMatch(/^pkg:(?:npm|github)\/.+@.+/);
});
