// Writes the Homebrew formula of a release from the release's own checksums, for a tap.
//   GITHUB_REPOSITORY=owner/name bun scripts/packaging/formula.ts [--dist <folder>]

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "../../package.json" with { type: "json" };
import { binaryName, type Target } from "../targets.ts";
import { repositoryUrl } from "./repository.ts";

const SYSTEMS = [
  { block: "on_macos", arm: "macos-arm64", intel: "macos-x64" },
  { block: "on_linux", arm: "linux-arm64", intel: "linux-x64" },
] as const;

export interface Release {
  readonly version: string;
  /** Of the repository. */
  readonly url: string;
  /** The text of SHA256SUMS. */
  readonly sums: string;
}

export function formula({ version, url, sums }: Release): string {
  const source = (target: Target) => {
    const name = binaryName(target);
    const sum = new RegExp(`^([0-9a-f]{64})  ${RegExp.escape(name)}$`, "m").exec(sums)?.[1];
    if (sum === undefined) throw new Error(`SHA256SUMS has no ${name}; run scripts/build.`);
    return `      url "${url}/releases/download/v${version}/${name}"\n      sha256 "${sum}"`;
  };
  const systems = SYSTEMS.map(
    ({ block, arm, intel }) => `  ${block} do
    on_arm do
${source(arm)}
    end
    on_intel do
${source(intel)}
    end
  end
`,
  );
  return `class McpGateway < Formula
  desc "One port for all your MCP servers"
  homepage "${url}"
  version "${version}"
  license "MIT"

${systems.join("\n")}
${REST}`;
}

const REST = `  def install
    bin.install Dir["mcp-gateway-*"].first => "mcp-gateway"

    config = etc/"mcp-gateway/servers.yaml"
    return if config.exist?

    config.dirname.mkpath
    config.write <<~YAML
      # backends:
      #   time: { command: "uvx mcp-server-time", description: "Time zones" }
      backends: {}
    YAML
  end

  def caveats
    <<~EOS
      Write your MCP servers into #{etc}/mcp-gateway/servers.yaml, then:
        brew services restart mcp-gateway
    EOS
  end

  service do
    run [opt_bin/"mcp-gateway", "--config", etc/"mcp-gateway/servers.yaml"]
    keep_alive true
    environment_variables PATH: std_service_path_env
    log_path var/"log/mcp-gateway.log"
    error_log_path var/"log/mcp-gateway.log"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/mcp-gateway --version")

    port = free_port
    pid = spawn "#{bin}/mcp-gateway", "--port", port.to_s
    begin
      sleep 3
      assert_match "is healthy", shell_output("#{bin}/mcp-gateway health --url http://127.0.0.1:#{port}")
    ensure
      Process.kill "TERM", pid
      Process.wait pid
    end
  end
end
`;

if (import.meta.main) {
  const { values } = parseArgs({ options: { dist: { type: "string" } } });
  const dist = values.dist ?? join(import.meta.dir, "../../dist");
  const url = repositoryUrl();
  if (url === undefined) throw new Error("Set GITHUB_REPOSITORY to the owner/name that the release is in.");
  const sums = readFileSync(join(dist, "SHA256SUMS"), "utf8");
  writeFileSync(join(dist, "mcp-gateway.rb"), formula({ version: packageJson.version, url, sums }));
}
