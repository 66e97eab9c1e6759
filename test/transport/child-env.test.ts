import { describe, expect, test } from "bun:test";
import { childEnv, envValue } from "../../src/transport/child-env.ts";

describe("the environment of a child", () => {
  const ours = {
    PATH: "/bin",
    HOME: "/home/ada",
    LC_TIME: "de_DE.UTF-8",
    https_proxy: "http://proxy:3128",
    DISPLAY: ":0",
    MCP_GATEWAY_TOKEN: "t0ps3cret",
    AWS_SECRET_ACCESS_KEY: "t0ps3cret",
    GITHUB_TOKEN: "t0ps3cret",
    SSH_AUTH_SOCK: "/run/agent",
    NODE_OPTIONS: "--inspect",
    Path: "/not/posix",
  };

  test("holds what a program needs and nothing else of ours", () => {
    const env = childEnv({}, ours, "linux");
    expect(env).toEqual({
      PATH: "/bin",
      HOME: "/home/ada",
      LC_TIME: "de_DE.UTF-8",
      https_proxy: "http://proxy:3128",
      DISPLAY: ":0",
    });
    expect(JSON.stringify(env)).not.toContain("t0ps3cret");
  });

  test("holds the backend's own env, which wins", () => {
    const env = childEnv({ PATH: "/opt/bin", GITHUB_TOKEN: "its own", EMPTY: "" }, ours, "linux");
    expect(env).toMatchObject({ PATH: "/opt/bin", GITHUB_TOKEN: "its own", EMPTY: "" });
  });

  test("never spells a variable in two ways on Windows", () => {
    const windows = {
      Path: "C:\\Windows",
      SystemRoot: "C:\\Windows",
      "ProgramFiles(x86)": "C:\\P",
      Secret: "x",
    };
    expect(childEnv({}, windows, "win32")).toEqual({
      Path: "C:\\Windows",
      SystemRoot: "C:\\Windows",
      "ProgramFiles(x86)": "C:\\P",
    });
    expect(childEnv({ PATH: "D:\\bin" }, windows, "win32")).toMatchObject({ PATH: "D:\\bin" });
    expect(childEnv({ PATH: "D:\\bin" }, windows, "win32")).not.toHaveProperty("Path");
  });

  test("is read by the platform's rule for names", () => {
    expect(envValue({ Path: "a" }, "PATH", "win32")).toBe("a");
    expect(envValue({ Path: "a" }, "PATH", "linux")).toBeUndefined();
  });
});
