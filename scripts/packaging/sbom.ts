// Writes the software bill of materials of the binaries, CycloneDX: what bun.lock puts into a production install, as
// `npm sbom` sees it there, and the Bun that is in every binary.
//   bun scripts/packaging/sbom.ts [--out <file>]

import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "../../package.json" with { type: "json" };

const root = join(import.meta.dir, "../..");

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly "bom-ref": string;
  readonly licenses: readonly object[];
}

interface Bom {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
}

export function makeSbom(): Bom {
  const folder = mkdtempSync(join(tmpdir(), "sbom-"));
  try {
    for (const name of ["package.json", "bun.lock"]) copyFileSync(join(root, name), join(folder, name));
    run([process.execPath, "install", "--frozen-lockfile", "--production", "--ignore-scripts"], folder);
    // What only development needs is not in the binaries, whatever a package manager calls it.
    const { name, version, license, dependencies, optionalDependencies } = packageJson;
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name, version, license, dependencies }));
    for (const tool of Object.keys(optionalDependencies)) {
      rmSync(join(folder, "node_modules", tool), { recursive: true, force: true });
    }
    const bom: Bom = JSON.parse(run(["npm", "sbom", "--sbom-format=cyclonedx"], folder));
    const { metadata, components } = bom;
    const component = { ...metadata.component, name, type: "application" };
    return { ...bom, metadata: { ...metadata, component }, components: [...components, bunRuntime()] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function bunRuntime(): Component {
  const version = packageJson.engines.bun;
  return {
    type: "framework",
    name: "bun",
    version,
    purl: `pkg:github/oven-sh/bun@bun-v${version}`,
    "bom-ref": `bun@${version}`,
    licenses: [{ license: { id: "MIT" } }],
  };
}

function run(command: readonly string[], cwd: string): string {
  const { stdout, stderr, success } = Bun.spawnSync([...command], { cwd });
  if (!success) throw new Error(`${command.join(" ")} failed:\n${stderr.toString()}`);
  return stdout.toString();
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: "string" } } });
  writeFileSync(values.out ?? join(root, "dist/sbom.cdx.json"), `${JSON.stringify(makeSbom(), null, 2)}\n`);
}
