// Gathers the files of a GitHub release from dist/ into dist/release/: binaries, installers that know where they came
// from, the formula, the bill of materials, and SHA256SUMS over all of it; beside it, the notes from the changelog.
//   GITHUB_REPOSITORY=owner/name bun scripts/packaging/release.ts

import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { binaryName, TARGETS } from "../targets.ts";
import { formula } from "./formula.ts";
import { repositoryName, repositoryUrl } from "./repository.ts";

const root = join(import.meta.dir, "../..");
const INSTALLERS = ["install.sh", "install.ps1"];

/** The part of the changelog that tells of one version. */
export function releaseNotes(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => text.split(/[\s\]]/, 1)[0] === version);
  if (section === undefined) throw new Error(`.github/CHANGELOG.md says nothing of ${version}.`);
  return `${section.slice(section.indexOf("\n")).trim()}\n`;
}

/** The tag names the version that package.json has, and so does the changelog. */
export function checkTag(tag: string | undefined, version: string): void {
  if (tag === undefined || tag === `v${version}`) return;
  throw new Error(`The tag ${tag} is not v${version}, which is the version in package.json.`);
}

export function gatherRelease(dist: string, repository: string): string {
  const out = join(dist, "release");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const name of TARGETS.map(binaryName)) place(join(dist, name), join(out, name));
  place(join(dist, "sbom.cdx.json"), join(out, "sbom.cdx.json"));
  for (const name of INSTALLERS) {
    const text = readFileSync(join(import.meta.dir, name), "utf8");
    writeFileSync(join(out, name), text.replaceAll("@REPOSITORY@", repository));
  }
  const release = { version: packageJson.version, url: `https://github.com/${repository}` };
  writeFileSync(join(out, "mcp-gateway.rb"), formula({ ...release, sums: checksums(out) }));
  writeFileSync(join(out, "SHA256SUMS"), checksums(out));
  return out;
}

function place(from: string, to: string): void {
  if (!existsSync(from))
    throw new Error(`There is no ${from}: a release takes scripts/build and sbom.ts first.`);
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

function checksums(folder: string): string {
  return readdirSync(folder)
    .toSorted()
    .map((name) => {
      const hash = new Bun.CryptoHasher("sha256").update(readFileSync(join(folder, name))).digest("hex");
      return `${hash}  ${name}\n`;
    })
    .join("");
}

if (import.meta.main) {
  const repository = repositoryName();
  if (repository === undefined)
    throw new Error("Set GITHUB_REPOSITORY to the owner/name that the release is for.");
  const { version } = packageJson;
  checkTag(process.env.GITHUB_REF_TYPE === "tag" ? process.env.GITHUB_REF_NAME : undefined, version);
  const notes = releaseNotes(readFileSync(join(root, ".github/CHANGELOG.md"), "utf8"), version);
  const out = gatherRelease(join(root, "dist"), repository);
  writeFileSync(join(root, "dist/release-notes.md"), notes);
  console.log(`${readdirSync(out).length} files of ${repositoryUrl()}/releases/tag/v${version} in ${out}`);
}
