// Writes the unit files for packagers: what `mcp-gateway service install` writes, for the usual places.
// `--check` only tells whether they are stale (exit 1).

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { launchdPlist } from "../../src/commands/service-launchd.ts";
import { systemUnit, userUnit } from "../../src/commands/service-systemd.ts";

const PROGRAM = "/usr/local/bin/mcp-gateway";
const CONFIG = "/etc/mcp-gateway/servers.yaml";

export const UNITS: Readonly<Record<string, string>> = {
  "systemd/system/mcp-gateway.service": systemUnit(`${PROGRAM} --config ${CONFIG}`),
  "systemd/user/mcp-gateway.service": userUnit(
    `${PROGRAM} --config %E/mcp-gateway/servers.yaml`,
    "PATH=%h/.local/bin:/usr/local/bin:/usr/bin:/bin",
  ),
  "launchd/com.mcp.gateway.plist": launchdPlist({
    program: [PROGRAM],
    config: CONFIG,
    path: "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
  }),
};

if (import.meta.main) {
  for (const [name, content] of Object.entries(UNITS)) {
    const path = join(import.meta.dir, name);
    if (!process.argv.includes("--check")) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    } else if (readFileSync(path, "utf8") !== content) {
      console.error(`${name} is stale; run bun scripts/packaging/units.ts`);
      process.exitCode = 1;
    }
  }
}
