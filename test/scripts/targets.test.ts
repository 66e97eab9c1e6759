import { expect, test } from "bun:test";
import { binaryName, bunTarget, hostTarget, TARGETS } from "../../scripts/targets.ts";

test("there is a binary for each machine, named by system, processor and libc", () => {
  expect(TARGETS.map(binaryName)).toEqual([
    "mcp-gateway-linux-x64",
    "mcp-gateway-linux-arm64",
    "mcp-gateway-linux-x64-musl",
    "mcp-gateway-linux-arm64-musl",
    "mcp-gateway-macos-x64",
    "mcp-gateway-macos-arm64",
    "mcp-gateway-windows-x64.exe",
    "mcp-gateway-windows-arm64.exe",
  ]);
});

test("this machine is one of them, and Bun calls it by its platform and processor", () => {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  expect(bunTarget(hostTarget())).toStartWith(`bun-${platform}-${process.arch}`);
});
