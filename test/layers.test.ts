// The layer rules that the linter holds, proven pair by pair: every file of the plan imports every other one,
// in one run of Biome over a made-up tree, and each import is refused or let through as the table says.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dir, "..");

const BOTTOM = ["log.ts", "memory-budget.ts", "shown.ts", "small-file.ts", "version.ts"];
const CONFIG = ["protocol/x.ts", ...BOTTOM];
const PURE_CONFIG = CONFIG.filter((file) => file !== "small-file.ts" && file !== "memory-budget.ts");
const TRANSPORT = ["config/config.ts", "config/x.ts", ...CONFIG];
const BACKEND = ["transport/x.ts", ...TRANSPORT];
const TARGET = ["discovery/x.ts", "backend/x.ts", ...TRANSPORT];
const OPS = ["target/x.ts", "discovery/x.ts", "backend/x.ts", ...BACKEND];
const EDGE = ["ops/x.ts", ...OPS];

/** What each file may import, besides its own folder. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "shown.ts": [],
  "log.ts": ["shown.ts"],
  "memory-budget.ts": ["log.ts"],
  "small-file.ts": [],
  "version.ts": [],
  "folders.ts": [],
  "protocol/x.ts": ["shown.ts"],
  "config/config.ts": CONFIG,
  "config/x.ts": CONFIG,
  "transport/x.ts": TRANSPORT,
  "backend/x.ts": BACKEND,
  "discovery/x.ts": ["config/config.ts", ...PURE_CONFIG],
  "target/x.ts": TARGET,
  "ops/x.ts": OPS,
  "edge/x.ts": EDGE,
  "edge/http.ts": ["elysia", "node:fs", ...EDGE],
  "gateway.ts": ["folders.ts", "edge/x.ts", "edge/http.ts", ...EDGE],
  "commands/x.ts": ["gateway.ts", "folders.ts", "ops/x.ts", "config/config.ts", "config/x.ts", ...BOTTOM],
  "index.ts": ["gateway.ts", "config/config.ts", "config/x.ts", "log.ts", "version.ts"],
  "main.ts": ["commands/x.ts", "log.ts", "version.ts"],
};
const PURE = ["protocol/x.ts", "discovery/x.ts"];
const PACKAGES = ["elysia", "node:fs", "yaml"];
const EVERYTHING = [...Object.keys(MAY_IMPORT), ...PACKAGES];

let refused: Map<string, Set<string>>;
let tree: string;

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), "mcp-gateway-layers-"));
  copyFileSync(join(root, ".biome.jsonc"), join(tree, ".biome.jsonc"));
  for (const file of Object.keys(MAY_IMPORT)) {
    const path = join(tree, "src", file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, EVERYTHING.map((name) => `import "${specifier(file, name)}";\n`).join(""));
  }
  refused = lint();
});

afterAll(() => rmSync(tree, { recursive: true }));

function specifier(from: string, name: string): string {
  if (PACKAGES.includes(name)) return name;
  const path = relative(dirname(from), name);
  return path.startsWith(".") ? path : `./${path}`;
}

/** The imports that Biome refuses, by the file they stand in. */
function lint(): Map<string, Set<string>> {
  const biome = join(root, "node_modules/.bin/biome");
  const flags = ["--only=style/noRestrictedImports", "--vcs-enabled=false", "--reporter=json"];
  const run = Bun.spawnSync([process.execPath, biome, "lint", ...flags, "--max-diagnostics=none", "."], {
    cwd: tree,
    stderr: "ignore",
  });
  const found = new Map<string, Set<string>>();
  for (const { location } of JSON.parse(run.stdout.toString()).diagnostics) {
    const file = relative("src", location.path);
    const names = found.get(file) ?? new Set();
    found.set(file, names.add(EVERYTHING[location.start.line - 1] ?? "?"));
  }
  return found;
}

for (const [file, allowed] of Object.entries(MAY_IMPORT)) {
  test(`${file} imports only from below`, () => {
    const folder = dirname(file);
    const mayImport = (name: string) => {
      if (name === "yaml" || name === file || allowed.includes(name)) return true;
      if (name === "node:fs") return !PURE.includes(file);
      return folder !== "." && dirname(name) === folder;
    };
    const expected = EVERYTHING.filter((name) => !mayImport(name));
    const actual = EVERYTHING.filter((name) => refused.get(file)?.has(name) && name !== file);
    expect(actual).toEqual(expected);
  });
}
