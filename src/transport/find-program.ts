// From the first word of a command line to the file that will run, found the way the child itself would look for it.
// Says what was searched when there is nothing: a PATH that lacks a directory is the usual cause.

import { access, constants, stat } from "node:fs/promises";
import { posix, win32 } from "node:path";
import { type Environment, envValue } from "./child-env.ts";
import { StartError } from "./transport.ts";

/** Where to look. `platform` is given by tests only. */
export interface Whereabouts {
  readonly cwd: string;
  readonly env: Environment;
  readonly platform?: NodeJS.Platform;
}

/** What a POSIX system searches for a child without PATH. */
const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";
const DEFAULT_PATHEXT = ".COM;.EXE;.BAT;.CMD";

/** Rejects with a permanent StartError where no such program can be run. */
export async function findProgram(name: string, where: Whereabouts): Promise<string> {
  let notExecutable: string | undefined;
  for (const candidate of candidates(name, where)) {
    const found = await look(candidate);
    if (found === "runnable") return candidate;
    if (found === "not-executable") notExecutable ??= candidate;
  }
  const reason =
    notExecutable === undefined
      ? notFound(name, where)
      : `cannot start ${notExecutable}: the file is not executable. ` +
        "Make it executable (chmod +x), or put the program that runs it first (python3, node, …).";
  throw new StartError({ reason, permanent: true });
}

/** Every file that `name` may mean, in the order of the search. */
export function candidates(name: string, where: Whereabouts): string[] {
  const { resolve } = pathsOf(where);
  const directories = isBareName(name, where) ? searchPath(where) : [""];
  const names = spellings(name, where);
  return directories.flatMap((directory) => names.map((spelling) => resolve(where.cwd, directory, spelling)));
}

function searchPath(where: Whereabouts): string[] {
  const { delimiter } = pathsOf(where);
  const path = envValue(where.env, "PATH", where.platform) ?? (isWindows(where) ? "" : DEFAULT_PATH);
  // An empty entry means the working directory on POSIX; on Windows it means nothing.
  return isWindows(where) ? path.split(delimiter).filter(Boolean) : path.split(delimiter);
}

/** On Windows only a name with a known extension runs: beside `npx.cmd` lies an `npx` that is a shell script. */
function spellings(name: string, where: Whereabouts): string[] {
  if (!isWindows(where)) return [name];
  const extensions = (envValue(where.env, "PATHEXT", where.platform) || DEFAULT_PATHEXT)
    .split(";")
    .filter(Boolean);
  const hasExtension = extensions.some((extension) => name.toLowerCase().endsWith(extension.toLowerCase()));
  return hasExtension ? [name] : extensions.map((extension) => name + extension.toLowerCase());
}

function isBareName(name: string, where: Whereabouts): boolean {
  return isWindows(where) ? !/[\\/:]/.test(name) : !name.includes("/");
}

async function look(file: string): Promise<"runnable" | "not-executable" | "absent"> {
  try {
    if (!(await stat(file)).isFile()) return "absent";
  } catch {
    return "absent"; // A directory that we may not read hides its files from the child too.
  }
  return access(file, constants.X_OK).then(
    () => "runnable",
    () => "not-executable",
  );
}

function notFound(name: string, where: Whereabouts): string {
  if (!isBareName(name, where)) {
    const hint = name.startsWith("~")
      ? "No shell reads the command, so ~ is a plain character in it: write the full path or $HOME."
      : "Check the path in `command`; a relative one starts at `cwd`.";
    return `cannot start ${name}: there is no file ${pathsOf(where).resolve(where.cwd, name)}. ${hint}`;
  }
  const searched = searchPath(where).join(pathsOf(where).delimiter);
  return (
    `cannot start ${name}: no such program on the PATH (searched ${searched}). ` +
    "Install it, write its full path in `command`, or set PATH in the `env` of this backend."
  );
}

function isWindows(where: Whereabouts): boolean {
  return (where.platform ?? process.platform) === "win32";
}

function pathsOf(where: Whereabouts): typeof posix {
  return isWindows(where) ? win32 : posix;
}
