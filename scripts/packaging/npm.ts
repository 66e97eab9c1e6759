// Makes the npm packages out of the binaries in dist/: one for each machine, which npm picks by `os`, `cpu` and `libc`,
// and the one that people name, which depends on all of them and starts the one that is there. No script downloads.
//   bun scripts/packaging/npm.ts [--dist <folder>] [--out <folder>] [--name <package>]

import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "../../package.json" with { type: "json" };
import { binaryName, TARGETS, type Target } from "../targets.ts";
import { repositoryUrl } from "./repository.ts";

const root = join(import.meta.dir, "../..");

export interface NpmOptions {
  readonly dist: string;
  readonly out: string;
  readonly name: string;
}

/** Returns the folders, the packages of the machines first: that is the order to publish them in. */
export function makePackages({ dist, out, name }: NpmOptions): string[] {
  const targets = TARGETS.filter((target) => existsSync(join(dist, binaryName(target))));
  if (targets.length === 0) throw new Error(`There are no binaries in ${dist}; run scripts/build.`);
  rmSync(out, { recursive: true, force: true });
  const folders = targets.map((target) => makeTargetPackage({ dist, out, name }, target));
  return [...folders, makeMainPackage({ dist, out, name }, targets)];
}

function makeTargetPackage({ dist, out, name }: NpmOptions, target: Target): string {
  const [system = "", cpu = "", libc] = target.split("-");
  const isWindows = system === "windows";
  const program = isWindows ? "mcp-gateway.exe" : "mcp-gateway";
  const folder = startPackage(out, `${name}-${target}`, {
    description: `The binary of ${name} for ${target}.`,
    os: [{ macos: "darwin", windows: "win32" }[system] ?? system],
    cpu: [cpu],
    ...(system === "linux" ? { libc: [libc ?? "glibc"] } : {}),
    files: [program],
    preferUnplugged: true,
  });
  link(join(dist, binaryName(target)), join(folder, program));
  chmodSync(join(folder, program), 0o755); // an artifact of a workflow comes without it
  return folder;
}

function makeMainPackage({ out, name }: NpmOptions, targets: readonly Target[]): string {
  const { description, version } = packageJson;
  const folder = startPackage(out, name, {
    description,
    type: "module",
    keywords: ["mcp", "model-context-protocol", "gateway", "proxy"],
    bin: { "mcp-gateway": "bin/mcp-gateway.mjs" },
    files: ["bin"],
    engines: { node: ">=18" },
    optionalDependencies: Object.fromEntries(targets.map((target) => [`${name}-${target}`, version])),
  });
  mkdirSync(join(folder, "bin"));
  copyFileSync(join(import.meta.dir, "npm/launcher.mjs"), join(folder, "bin/mcp-gateway.mjs"));
  const readme = join(root, "README.md");
  if (existsSync(readme)) copyFileSync(readme, join(folder, "README.md"));
  return folder;
}

function startPackage(out: string, name: string, own: Readonly<Record<string, unknown>>): string {
  const folder = join(out, name);
  mkdirSync(folder, { recursive: true });
  const { version, license } = packageJson;
  const url = repositoryUrl();
  const repository = url === undefined ? {} : { repository: { type: "git", url: `git+${url}.git` } };
  const manifest = { name, version, license, ...repository, ...own };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(folder, "LICENSE"), readFileSync(join(root, "LICENSE")));
  return folder;
}

/** A hundred megabytes each: no second copy where the file system can do without. */
function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { dist: { type: "string" }, out: { type: "string" }, name: { type: "string" } },
  });
  const dist = values.dist ?? join(root, "dist");
  const options = { dist, out: values.out ?? join(dist, "npm"), name: values.name ?? packageJson.name };
  for (const folder of makePackages(options)) console.log(folder);
}
