// The compiled binary, as a person downloads it. Built here when it is missing or older than its sources.

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { binaryName, hostTarget, type Target } from "../../scripts/targets.ts";

const root = join(import.meta.dir, "../..");
const built = new Map<Target, Promise<string>>();

/** The binary of this machine, unless another target is named. */
export function findBinary(target: Target = hostTarget()): Promise<string> {
  const path = join(root, "dist", binaryName(target));
  const known = built.get(target) ?? (isFresh(path) ? Promise.resolve(path) : build(target, path));
  built.set(target, known);
  return known;
}

function isFresh(path: string): boolean {
  if (!existsSync(path)) return false;
  const builtMs = statSync(path).mtimeMs;
  const sources = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return [...sources, join(root, "package.json")].every((source) => statSync(source).mtimeMs < builtMs);
}

async function build(target: Target, path: string): Promise<string> {
  const command = [process.execPath, join(root, "scripts/build.ts"), target];
  const run = Bun.spawn(command, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors, exitCode] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  if (exitCode !== 0) throw new Error(`The binary could not be built:\n${output}${errors}`);
  return path;
}
