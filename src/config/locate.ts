// Where the configuration is looked for when nobody says. Reads nothing.

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import type { Environment } from "./expand.ts";

export interface Lookup {
  readonly env: Environment;
  readonly cwd: string;
  readonly home: string;
  readonly exists: (path: string) => boolean;
}

/** The first that exists, or undefined: then there is only the demo. What was asked for by name is taken unseen. */
export function locateConfig(asked?: string, lookup: Partial<Lookup> = {}): string | undefined {
  if (asked !== undefined) return asked;
  const { env, cwd, home, exists }: Lookup = {
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    exists: existsSync,
    ...lookup,
  };
  return configPlaces(env, home).find((path) => exists(resolve(cwd, path)));
}

/** In the order of the search; also what "no configuration found" can tell a person. */
export function configPlaces(env: Environment, home: string): string[] {
  const xdg = env.XDG_CONFIG_HOME;
  // The XDG rules: a relative path there counts as none.
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, ".config");
  return ["servers.yaml", join(base, "mcp-gateway", "servers.yaml"), "/etc/mcp-gateway/servers.yaml"];
}
