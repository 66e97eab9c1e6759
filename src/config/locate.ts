// Where the configuration is looked for when nobody says. Reads nothing.

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { posix, win32 } from "node:path";
import type { Environment } from "./expand.ts";

export interface Lookup {
  readonly env: Environment;
  readonly cwd: string;
  readonly home: string;
  readonly exists: (path: string) => boolean;
  /** Set only by tests. */
  readonly platform: NodeJS.Platform;
}

/** The first that exists, or undefined: then there is only the demo. What was asked for by name is taken unseen. */
export function locateConfig(asked?: string, lookup: Partial<Lookup> = {}): string | undefined {
  if (asked !== undefined) return asked;
  const { env, cwd, home, exists, platform }: Lookup = {
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    exists: existsSync,
    platform: process.platform,
    ...lookup,
  };
  const { resolve } = platform === "win32" ? win32 : posix;
  return configPlaces(env, home, platform).find((path) => exists(resolve(cwd, path)));
}

/** The places in the order of the search: this folder, the user's, the machine's. */
function configPlaces(env: Environment, home: string, platform: NodeJS.Platform): string[] {
  const { join } = platform === "win32" ? win32 : posix;
  const [user, machine] = platform === "win32" ? windowsFolders(env, home) : [join(home, ".config"), "/etc"];
  const own = absolute(env.XDG_CONFIG_HOME, platform) ?? user;
  const file = join("mcp-gateway", "servers.yaml");
  return ["servers.yaml", join(own, file), join(machine, file)];
}

/** `%APPDATA%` and `%PROGRAMDATA%`, or their default places on Windows. */
function windowsFolders(env: Environment, home: string): [user: string, machine: string] {
  return [
    absolute(env.APPDATA, "win32") ?? win32.join(home, "AppData", "Roaming"),
    absolute(env.PROGRAMDATA, "win32") ?? "C:\\ProgramData",
  ];
}

/** The XDG rules: a relative path counts as none. */
function absolute(path: string | undefined, platform: NodeJS.Platform): string | undefined {
  const { isAbsolute } = platform === "win32" ? win32 : posix;
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
