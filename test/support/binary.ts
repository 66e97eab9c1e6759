// The compiled binary, as a person downloads it. Built here when it is missing or older than its sources.

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { binaryName, hostTarget } from "../../scripts/targets.ts";

const root = join(import.meta.dir, "../..");
const path = join(root, "dist", binaryName(hostTarget()));
let built: Promise<string> | undefined;

export function findBinary(): Promise<string> {
  built ??= isFresh() ? Promise.resolve(path) : build();
  return built;
}

function isFresh(): boolean {
  if (!existsSync(path)) return false;
  const builtMs = statSync(path).mtimeMs;
  const sources = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return [...sources, join(root, "package.json")].every((source) => statSync(source).mtimeMs < builtMs);
}

async function build(): Promise<string> {
  const command = [process.execPath, join(root, "scripts/build.ts"), "host"];
  const run = Bun.spawn(command, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors, exitCode] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  if (exitCode !== 0) throw new Error(`The binary could not be built:\n${output}${errors}`);
  return path;
}
