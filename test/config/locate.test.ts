// The order in which a configuration is looked for.

import { describe, expect, test } from "bun:test";
import { locateConfig } from "../../src/config/locate.ts";

const XDG = "/xdg/mcp-gateway/servers.yaml";
const HOME = "/home/me/.config/mcp-gateway/servers.yaml";
const ETC = "/etc/mcp-gateway/servers.yaml";
const HERE = "/here/servers.yaml";

function locate(existing: string[], env: Record<string, string> = {}, asked?: string): string | undefined {
  return locateConfig(asked, {
    env,
    cwd: "/here",
    home: "/home/me",
    exists: (path) => existing.includes(path),
  });
}

describe("a configuration", () => {
  test.each([
    [[HERE, XDG, ETC], { XDG_CONFIG_HOME: "/xdg" }, "servers.yaml"],
    [[XDG, HOME, ETC], { XDG_CONFIG_HOME: "/xdg" }, XDG],
    [[HOME, ETC], { XDG_CONFIG_HOME: "/xdg" }, ETC],
    [[HOME, ETC], {}, HOME],
    [[HOME, ETC], { XDG_CONFIG_HOME: "" }, HOME],
    [[HOME, ETC], { XDG_CONFIG_HOME: "relative" }, HOME],
    [[ETC], {}, ETC],
    [[], {}, undefined],
  ])("among %p with %p is %p", (existing, env, found) => {
    expect(locate(existing, env)).toBe(found);
  });

  test("that was asked for is taken, even if it is missing: loading it says so", () => {
    expect(locate([HERE], {}, "other.yaml")).toBe("other.yaml");
  });

  test.each([
    [{ APPDATA: "C:\\Users\\me\\Roaming" }, "C:\\Users\\me\\Roaming\\mcp-gateway\\servers.yaml"],
    [{}, "C:\\Users\\me\\AppData\\Roaming\\mcp-gateway\\servers.yaml"],
    [{ XDG_CONFIG_HOME: "D:\\xdg", APPDATA: "C:\\other" }, "D:\\xdg\\mcp-gateway\\servers.yaml"],
    [{ PROGRAMDATA: "D:\\All" }, "D:\\All\\mcp-gateway\\servers.yaml"],
  ])("on Windows with %p is looked for at %p", (env, place) => {
    const home = "C:\\Users\\me";
    const lookup = { env, cwd: "C:\\here", home, platform: "win32" } as const;
    expect(locateConfig(undefined, { ...lookup, exists: (path) => path === place })).toBe(place);
  });
});
