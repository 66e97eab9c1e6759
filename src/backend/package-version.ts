// Which version of a package npx, bunx or uvx has put into its cache: what runs when a command names no version.
// Reads folders only; where nothing is found, nothing is known.

import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import type { BackendConfig } from "../config/config.ts";
import { readSmallText } from "../small-file.ts";

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
}

const MAX_PACKAGE_BYTES = 1024 * 1024;

type Env = Readonly<Record<string, string | undefined>>;

/** The package that this backend's command runs, as it was last installed. */
export async function readPackage({ wire }: BackendConfig): Promise<InstalledPackage | undefined> {
  if (wire.kind !== "stdio") return undefined;
  const [program = "", ...args] = wire.argv;
  const runner = /(?:^|[\\/])(npx|bunx|uvx)(?:\.cmd|\.exe)?$/i.exec(program)?.[1]?.toLowerCase();
  const spec = runner === undefined ? undefined : packageSpec(args);
  if (runner === undefined || spec === undefined) return undefined;
  const env = { ...process.env, ...wire.env };
  try {
    return runner === "uvx" ? await fromUv(spec, env) : await fromNode(runner, spec, env);
  } catch {
    return undefined; // A cache that cannot be read says nothing, and is not ours to mend.
  }
}

/** `-p x`, `--package=x`, `--from x`, or the first word that is no option. */
export function packageSpec(args: readonly string[]): string | undefined {
  for (const [index, arg] of args.entries()) {
    const named = /^--(?:package|from)=(.+)$/.exec(arg)?.[1];
    if (named !== undefined) return named;
    if (["-p", "--package", "--from"].includes(arg)) return args[index + 1];
    if (!arg.startsWith("-")) return arg;
  }
  return undefined;
}

async function fromNode(runner: string, spec: string, env: Env): Promise<InstalledPackage | undefined> {
  const name = spec.replace(/(?<=.)@[^/]*$/, "");
  const found = await (runner === "npx" ? inNpx(name, env) : inBunx(name, env));
  const bunxFolder = spec === name ? `${name}@latest` : spec;
  const own = `${runner === "npx" ? npxFolder(spec) : bunxFolder}/node_modules/`;
  const exact = found.filter((path) => path.includes(own));
  const newest = await newestOf(exact.length > 0 ? exact : found);
  if (newest === undefined) return undefined;
  const read: unknown = JSON.parse(readSmallText(newest, MAX_PACKAGE_BYTES));
  const version = typeof read === "object" && read !== null && "version" in read ? read.version : undefined;
  return typeof version === "string" ? { name, version } : undefined;
}

function inNpx(name: string, env: Env): Promise<string[]> {
  const cache = env.npm_config_cache ?? join(homeOf(env), ".npm");
  return scan(join(cache, "_npx"), `*/node_modules/${name}/package.json`);
}

/** Bun 1.4 and later, or those before. */
async function inBunx(name: string, env: Env): Promise<string[]> {
  const bun = env.BUN_INSTALL ?? join(homeOf(env), ".bun");
  const cache = env.BUN_INSTALL_CACHE_DIR ?? join(bun, "install", "cache");
  const inside = `${name}@*/node_modules/${name}/package.json`;
  const found = await Promise.all([
    scan(cache, `.bunx-*/${inside}`),
    scan(env.TMPDIR ?? tmpdir(), `bunx-*-${inside}`),
  ]);
  return found.flat();
}

function homeOf(env: Env): string {
  return env.HOME ?? homedir();
}

/** npx keeps each set of packages in a folder of this name. */
function npxFolder(spec: string): string {
  return new Bun.CryptoHasher("sha512").update(spec).digest("hex").slice(0, 16);
}

async function fromUv(spec: string, env: Env): Promise<InstalledPackage | undefined> {
  const name = spec.replace(/[[@=<>~!;].*$/, "");
  const stem = name.toLowerCase().replaceAll(/[-_.]+/g, "_");
  const cache = env.UV_CACHE_DIR ?? join(env.XDG_CACHE_HOME ?? join(homeOf(env), ".cache"), "uv");
  const archive = join(cache, "archive-v0");
  const inside = `${stem}-*.dist-info/METADATA`;
  // A package of its own, or one in an environment.
  const found = [
    ...(await scan(archive, `*/${inside}`)),
    ...(await scan(archive, `*/lib/python*/site-packages/${inside}`)),
  ];
  const newest = await newestOf(found);
  const version = /-([^-/\\]+)\.dist-info[/\\]METADATA$/.exec(newest ?? "")?.[1];
  return version === undefined ? undefined : { name, version };
}

/** Nothing where there is no such folder. */
async function scan(folder: string, pattern: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  return Array.fromAsync(new Bun.Glob(pattern).scan({ cwd: folder, absolute: true, dot: true }));
}

async function newestOf(paths: readonly string[]): Promise<string | undefined> {
  const dated = await Promise.all(paths.map(async (path) => ({ path, atMs: (await stat(path)).ctimeMs })));
  return dated.sort((a, b) => b.atMs - a.atMs)[0]?.path;
}
