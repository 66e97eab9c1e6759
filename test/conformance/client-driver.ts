// The command that the suite starts in client mode: `bun client-driver.ts [--direct] <server-url>`.
// Puts the gateway before the suite's mock server and an SDK client before the gateway; --direct leaves the gateway out.

import { DEEDS } from "./client-scenarios.ts";
import { GatewayFolder, startGateway } from "./gateway.ts";

/** Mock servers that do not say by themselves what they speak, and what the config holds them to. */
const PINNED: Readonly<Record<string, string>> = {};

const scenario = process.env.MCP_CONFORMANCE_SCENARIO ?? "";
const revision = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION ?? "2025-11-25";
const context: unknown = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? "null");
const isDirect = process.argv.includes("--direct");
const mock = process.argv.at(-1) ?? "";

const deed = DEEDS[scenario];
if (deed === undefined) throw new Error(`No deed for the scenario "${scenario}".`);
const stand = { isModern: revision === "2026-07-28", isDirect, context };

if (isDirect) {
  await deed({ ...stand, url: mock });
} else {
  const protocol = PINNED[scenario];
  using folder = new GatewayFolder({ mock: { http_url: mock, ...(protocol !== undefined && { protocol }) } });
  await using gateway = await startGateway(folder);
  try {
    await deed({ ...stand, url: `${gateway.url}/mcp/mock` });
  } finally {
    // The suite keeps this beside the results.
    process.stderr.write(gateway.log());
  }
}
process.exit(0);
