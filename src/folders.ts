// Where a gateway keeps what outlives it (XDG Base Directory; the usual places on macOS and Windows come by the same variables).

import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

type Env = Readonly<Record<string, string | undefined>>;

/** Keys and records of this machine: `$XDG_STATE_HOME/mcp-gateway`; systemd's STATE_DIRECTORY comes first. */
export function stateFolder(env: Env = process.env): string {
  return env.STATE_DIRECTORY ?? join(base(env, "XDG_STATE_HOME", ".local", "state"), "mcp-gateway");
}

/** What can be asked for again: `$XDG_CACHE_HOME/mcp-gateway`; systemd's CACHE_DIRECTORY comes first. */
export function cacheFolder(env: Env = process.env): string {
  return env.CACHE_DIRECTORY ?? join(base(env, "XDG_CACHE_HOME", ".cache"), "mcp-gateway");
}

function base(env: Env, variable: string, ...fallback: string[]): string {
  const set = env[variable];
  return set !== undefined && isAbsolute(set) ? set : join(env.HOME ?? homedir(), ...fallback);
}
