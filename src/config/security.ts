// Whether a configuration may listen where it wants to. Knows no sockets and no requests.

import { isLoopback } from "./addresses.ts";
import type { Config } from "./config.ts";
import type { ConfigProblem } from "./problem.ts";

/** Listening beyond this machine takes a token, or the words `auth.disabled: true`. */
export function checkBind({
  host,
  auth,
  path,
}: Pick<Config, "host" | "auth" | "path">): ConfigProblem | undefined {
  if (isLoopback(host) || auth.token !== undefined || auth.disabled) return undefined;
  const expected = "a token where other machines can connect";
  const message =
    `the host ${host} lets other machines connect, and no token is set; set auth.token or the environment variable ` +
    "MCP_GATEWAY_TOKEN, listen on 127.0.0.1, or write auth.disabled: true to let everyone in";
  return { ...(path === undefined ? {} : { file: path }), path: "host", message, found: host, expected };
}
