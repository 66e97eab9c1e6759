// What a sound configuration becomes: every key of the top level observed in the finished values.

import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigFileError } from "../../src/config/problem.ts";
import { Folder, load, only } from "./written.ts";

describe("the top level", () => {
  test("has the defaults that the issue names", () => {
    expect(load("backends: {a: {command: x}}")).toMatchObject({
      host: "127.0.0.1",
      port: 39400,
      enableMetaMcp: true,
      logLevel: "INFO",
      prewarm: true,
      auth: { disabled: false },
      backends: [
        {
          idleTimeoutMs: 300_000,
          requestTimeoutMs: 60_000,
          startTimeoutMs: 60_000,
          questionTimeoutMs: 600_000,
          warm: false,
          keepAlive: false,
          scope: "shared",
          maxInstances: 10,
          maxConcurrency: 0,
        },
      ],
      notes: [],
    });
  });

  test.each([
    ["host: 0.0.0.0", { host: "0.0.0.0" }],
    ["host: localhost", { host: "localhost" }],
    ['host: "[::1]"', { host: "::1" }],
    ['host: "::"', { host: "::" }],
    ["port: 1", { port: 1 }],
    ["port: 65535", { port: 65535 }],
    ["enable_meta_mcp: false", { enableMetaMcp: false }],
    ["prewarm: false", { prewarm: false }],
    ["log_level: debug", { logLevel: "DEBUG" }],
    ["log_level: Warning", { logLevel: "WARNING" }],
    ["log_level: ERROR", { logLevel: "ERROR" }],
    ["auth: {disabled: true}", { auth: { disabled: true } }],
    ["auth: {token: abcdef}", { auth: { disabled: false, token: "abcdef" } }],
    ["host:\nport:\nauth:\nlog_level:", { host: "127.0.0.1", port: 39400, logLevel: "INFO" }],
  ])("%p", (line, expected) => {
    expect(load(`${line}\nbackends: {a: {command: x}}`)).toMatchObject(expected);
  });

  test("durations are every backend's, unless it has its own", () => {
    const { backends } = load(`
request_timeout: 2m
start_timeout: 1h30m
idle_timeout: 0
backends:
  plain: {command: x}
  own: {command: x, request_timeout: 500ms, start_timeout: "90", idle_timeout: 5m}
`);
    expect(backends).toMatchObject([
      { requestTimeoutMs: 120_000, startTimeoutMs: 5_400_000, idleTimeoutMs: 0 },
      { requestTimeoutMs: 500, startTimeoutMs: 90_000, idleTimeoutMs: 300_000 },
    ]);
  });

  test.each(["backends", "servers", "mcpServers"])(
    "%s holds the backends, in the order of the file",
    (key) => {
      const { backends } = load(
        `${key}:\n  zeta: {command: a}\n  "7": {command: b}\n  1.0: {command: c}\n  alpha: {command: d}`,
      );
      expect(backends.map(({ name }) => name)).toEqual(["zeta", "7", "1.0", "alpha"]);
    },
  );

  test.each(["tavily", "a.b", "A_b-9", "x".repeat(64), "...", "Mcp", "health2", "__proto__", "constructor"])(
    "%s is a name",
    (name) => {
      expect(only(load(`backends: {"${name}": {command: x}}`)).name).toBe(name);
    },
  );
});

describe("the token", () => {
  test("comes from the file, whose variables are filled in", () => {
    const { auth } = load(`auth: {token: "\${GATE}-x"}`, { env: { GATE: "gate-token" } });
    expect(auth.token).toBe("gate-token-x");
  });

  test("comes from the environment where the file has none; the file wins", () => {
    const env = { MCP_GATEWAY_TOKEN: "from-env" };
    expect(load("port: 1", { env }).auth.token).toBe("from-env");
    expect(load("auth: {token: the-files-own}", { env }).auth.token).toBe("the-files-own");
    expect(load("port: 1", { env: { MCP_GATEWAY_TOKEN: "" } }).auth).toEqual({ disabled: false });
  });
});

describe("a token that lets nobody in is refused, with the reason", () => {
  test.each([
    "correct horse",
    " lead",
    "trail ",
    "sekret\n",
    "t\tok",
    "\u00e9-tok\u00e9n",
    "tok\u00a0en",
    "\u65e5\u672c\u8a9e",
  ])("%j", (token) => {
    const words = "HTTP cannot carry others";
    expect(() => loadConfig({ auth: { token } })).toThrow(words);
    expect(() => loadConfig({ auth: { token } })).not.toThrow(token.trim());
    expect(() => load("port: 1", { env: { MCP_GATEWAY_TOKEN: token } })).toThrow(
      `the environment variable MCP_GATEWAY_TOKEN must be letters, digits`,
    );
  });

  test("and a short one is noted", () => {
    const notes = (token: string) => loadConfig({ auth: { token } }).notes?.join("\n") ?? "";
    expect(notes("only-fifteen-ch")).toContain("auth.token is short enough to be guessed");
    expect(notes("sixteen-chars-ab")).not.toContain("auth.token");
  });
});

test("names and origins of a reverse proxy come from the file", () => {
  const text = `
public_url: https://mcp.example.com/gw/
allowed_hosts: [box.example, 10.0.0.1, "[fd00::1]"]
allowed_origins: [https://app.example.com, "vscode-webview://*", "null"]`;
  expect(load(text)).toMatchObject({
    publicUrl: "https://mcp.example.com/gw/",
    allowedHosts: ["box.example", "10.0.0.1", "[fd00::1]"],
    allowedOrigins: ["https://app.example.com", "vscode-webview://*", "null"],
  });
  expect(load("port: 1")).toMatchObject({ allowedHosts: [], allowedOrigins: [] });
});

test("the session key comes from the file, whose variables are filled in", () => {
  const { auth } = load(`auth: {session_key: "\${REPLICAS}-replica-key"}`, {
    env: { REPLICAS: "shared-by" },
  });
  expect(auth.sessionKey).toBe("shared-by-replica-key");
});

describe("the command line", () => {
  test("beats the file", () => {
    const overrides = { host: "[::]", port: 0, logLevel: "ERROR", enableMetaMcp: false } as const;
    const config = load("host: localhost\nport: 1\nlog_level: DEBUG\nenable_meta_mcp: true", { overrides });
    expect(config).toMatchObject({ host: "::", port: 0, logLevel: "ERROR", enableMetaMcp: false });
  });

  test("leaves alone what it does not say", () => {
    const overrides = { host: undefined, port: undefined, logLevel: undefined, enableMetaMcp: undefined };
    expect(load("host: localhost\nport: 1", { overrides })).toMatchObject({ host: "localhost", port: 1 });
  });
});

describe("a program", () => {
  test("passes an object with the keys of the file", () => {
    const surroundings = { env: { K: "v" }, cwd: "/", home: "/home/someone" };
    const config = loadConfig(
      {
        port: 0,
        backends: { b: { command: "npx -y x", env: { A: "$K", N: 1 } }, a: { url: "http://x/mcp" } },
      },
      {},
      surroundings,
    );
    expect(config).toMatchObject({ port: 0, host: "127.0.0.1", backends: [{ name: "b" }, { name: "a" }] });
    expect(config).not.toHaveProperty("path");
    expect(config.backends[0]?.wire).toEqual({
      kind: "stdio",
      argv: ["npx", "-y", "x"],
      env: { A: "v", N: "1" },
    });
  });

  test("is told the key of an unset variable, without a line", () => {
    const config = loadConfig({ backends: { b: { command: "x $NONE" } } }, {}, { env: {} });
    expect(only(config).problem).toStartWith("backends.b.command needs the environment variable NONE");
  });

  test("may ask for any free port, and the command line still beats it", () => {
    expect(loadConfig({ port: 0 }, { port: 8080 }).port).toBe(8080);
  });
});

describe("notes", () => {
  test.each([
    ["", ['servers.yaml: there are no backends yet; add one under "backends"']],
    ["# nothing\n", ['servers.yaml: there are no backends yet; add one under "backends"']],
    ["backends:\n", ['servers.yaml:1: there are no backends yet; add one under "backends"']],
    [
      "health_check_interval: 60\nbackends:\n  a:\n    command: x\n    health_check_interval: 5m",
      [
        "servers.yaml:1: health_check_interval has no effect: the state of a backend is watched, not polled",
        "servers.yaml:5: backends.a.health_check_interval has no effect: the state of a backend is watched, not polled",
      ],
    ],
    [
      "backends:\n  a:\n    url: http://x\n    env: {A: b}\n    args: [x]\n  b:\n    command: x\n    headers: {A: b}",
      [
        "servers.yaml:5: backends.a.args has no effect on a backend with a URL",
        "servers.yaml:4: backends.a.env has no effect on a backend with a URL",
        "servers.yaml:8: backends.b.headers has no effect on a backend with a command",
      ],
    ],
  ])("on %p", (content, notes) => {
    expect(load(content).notes).toEqual(notes);
  });
});

describe("a file that cannot be read", () => {
  test("is missing: the words that version 1 had", () => {
    expect(() => loadConfig("/no/such/servers.yaml")).toThrow(
      new ConfigFileError("Config file not found: /no/such/servers.yaml"),
    );
    expect(() => loadConfig("relative.yaml", {}, { cwd: "/no/such" })).toThrow(
      "Config file not found: relative.yaml",
    );
  });

  test("is a folder", () => {
    using folder = new Folder();
    expect(() => loadConfig(folder.path)).toThrow(
      new ConfigFileError(`Config file cannot be read: ${folder.path} (it is a directory)`),
    );
  });
});
