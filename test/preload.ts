// Loaded before every test file.

import { setDefaultTimeout } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// What a gateway keeps is not the user's while tests run.
const home = mkdtempSync(join(tmpdir(), "mcp-gateway-home-"));
process.env.XDG_CACHE_HOME = join(home, "cache");
process.env.XDG_STATE_HOME = join(home, "state");
process.on("exit", () => rmSync(home, { recursive: true, force: true }));

// Real processes on a loaded machine take their time.
setDefaultTimeout(30_000);
