// What one backend's entry becomes: every key of it observed in the finished values.

import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { BackendConfig } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/problem.ts";
import { Folder, load, only } from "./written.ts";

/** One backend with these lines, each indented to belong to it. */
function backend(
  lines: string[],
  env: Record<string, string> = {},
  platform: NodeJS.Platform = "linux",
): BackendConfig {
  return only(
    load(["backends:", "  it:", ...lines.map((line) => `    ${line}`)].join("\n"), { env, platform }),
  );
}

function argv(lines: string[], env?: Record<string, string>, platform?: NodeJS.Platform): readonly string[] {
  const { wire } = backend(lines, env, platform);
  return wire.kind === "stdio" ? wire.argv : [];
}

describe("a backend with a command", () => {
  test("has the values of its keys", () => {
    const it = backend([
      "command: npx -y pkg",
      "description: Web search",
      "protocol: 2025-06-18",
      "transport: stdio",
      "env: {A: x, N: 8080, Z: 00123, F: 1.50, B: true, BIG: 12345678901234567890, E: ''}",
    ]);
    expect(it).toEqual({
      name: "it",
      description: "Web search",
      enabled: true,
      wire: {
        kind: "stdio",
        argv: ["npx", "-y", "pkg"],
        env: { A: "x", N: "8080", Z: "00123", F: "1.50", B: "true", BIG: "12345678901234567890", E: "" },
      },
      protocol: "2025-06-18",
      idleTimeoutMs: 300_000,
      requestTimeoutMs: 60_000,
      startTimeoutMs: 60_000,
      questionTimeoutMs: 600_000,
      warm: false,
      keepAlive: false,
      scope: "shared",
      maxInstances: 10,
      maxConcurrency: 0,
    });
  });

  test("is split by quoting rules, and before its variables are filled in", () => {
    const env = { SPACED: "a b", QUOTE: `it's "x`, PROGRAM: "/opt/my tools/run" };
    expect(argv([`command: $PROGRAM -x "$SPACED" \${QUOTE} \${NONE:-c d} $$HOME`], env)).toEqual([
      "/opt/my tools/run",
      "-x",
      "a b",
      `it's "x`,
      "c d",
      "$HOME",
    ]);
    expect(argv([String.raw`command: sh -c \$SPACED`], env)).toEqual(["sh", "-c", "$SPACED"]);
  });

  test("is the program alone where there are args", () => {
    expect(argv(["command: /opt/my tools/run", "args: [-y, 8080, true, 'a b', $X]"], { X: "c d" })).toEqual([
      "/opt/my tools/run",
      "-y",
      "8080",
      "true",
      "a b",
      "c d",
    ]);
    expect(argv(["command: /opt/my tools/run", "args: []"])).toEqual(["/opt/my tools/run"]);
    expect(argv(['command: "C:\\\\Program Files\\\\x.exe"', "args: [a]"], {}, "win32")).toEqual([
      "C:\\Program Files\\x.exe",
      "a",
    ]);
  });

  test("keeps the backslashes of Windows paths", () => {
    expect(argv(["command: C:\\tools\\x.exe C:\\data"], {}, "win32")).toEqual([
      "C:\\tools\\x.exe",
      "C:\\data",
    ]);
  });

  test("may be folded over lines", () => {
    expect(argv(["command: >", "  npx -y", "  pkg"])).toEqual(["npx", "-y", "pkg"]);
    expect(argv(["command: |", "  npx -y \\", "    pkg"])).toEqual(["npx", "-y", "pkg"]);
  });
});

describe("a backend with a URL", () => {
  test("has the values of its keys, variables filled in", () => {
    const it = backend(
      [
        `http_url: https://\${HOST}/mcp/`,
        "headers: {Authorization: Bearer $T, X-Count: 3}",
        "description: of $HOST",
      ],
      { HOST: "example.org", T: "t0ken-1" },
    );
    expect(it.wire).toEqual({
      kind: "url",
      url: "https://example.org/mcp/",
      transport: "auto",
      headers: { Authorization: "Bearer t0ken-1", "X-Count": "3" },
    });
    expect(it.description).toBe("of example.org");
  });

  test.each([
    ["transport: auto", "auto"],
    ["transport: http", "http"],
    ["transport: sse", "sse"],
    ["transport: streamable-http", "http"],
    ["type: streamableHttp", "http"],
    ["type: sse", "sse"],
    ["type: http", "http"],
  ] as const)("%s", (line, transport) => {
    for (const key of ["http_url", "url"]) {
      expect(backend([`${key}: http://localhost:39300/sse`, line]).wire).toMatchObject({
        kind: "url",
        transport,
      });
    }
  });
});

describe("a backend left out", () => {
  test.each([
    ["enabled: true", true],
    ["enabled: false", false],
    ["disabled: true", false],
    ["disabled: false", true],
    ["enabled:", true],
  ])("%s", (line, enabled) => {
    expect(backend(["command: x", line]).enabled).toBe(enabled);
  });

  test("has no problem with a variable that is not set", () => {
    expect(backend(["command: $NONE", "enabled: false"])).not.toHaveProperty("problem");
  });
});

describe("the working directory", () => {
  test("is absolute: from the home folder, from the file's, or as it is", () => {
    using folder = new Folder();
    mkdirSync(join(folder.path, "home/deep"), { recursive: true });
    mkdirSync(join(folder.path, "etc/work"), { recursive: true });
    folder.write(
      "etc/servers.yaml",
      [
        "backends:",
        "  a: {command: x, cwd: ~}",
        "  b: {command: x, cwd: ~/deep}",
        "  c: {command: x, cwd: work}",
      ]
        .concat(["  d: {command: x, cwd: $HERE}", "  e: {command: x, cwd: .}", "  f: {command: x, cwd: }"])
        .join("\n"),
    );
    const surroundings = { env: { HERE: folder.path }, cwd: folder.path, home: join(folder.path, "home") };
    const { backends, path } = loadConfig("etc/servers.yaml", {}, surroundings);
    expect(path).toBe(join(folder.path, "etc/servers.yaml"));
    expect(backends.map(({ wire }) => (wire.kind === "stdio" ? wire.cwd : undefined))).toEqual([
      join(folder.path, "home"),
      join(folder.path, "home/deep"),
      join(folder.path, "etc/work"),
      folder.path,
      join(folder.path, "etc"),
      undefined,
    ]);
    expect(backends.filter(({ problem }) => problem !== undefined)).toEqual([]);
  });

  test("that does not exist stops that backend alone", () => {
    const { backends } = load(
      "backends:\n  a: {command: x}\n  b:\n    command: x\n    cwd: /nowhere/at/all\n",
    );
    expect(backends.map(({ problem }) => problem)).toEqual([
      undefined,
      "backends.b.cwd (servers.yaml:5) is /nowhere/at/all, which is no existing folder",
    ]);
  });
});

describe("a variable that is not set", () => {
  test("stops that backend alone, and says variable, key and line", () => {
    const { backends } = load(`
backends:
  other: {command: x}
  tavily:
    command: npx -y tavily
    env:
      TAVILY_API_KEY: "\${TAVILY_API_KEY}"
`);
    expect(backends.map(({ name, enabled, problem }) => [name, enabled, problem])).toEqual([
      ["other", true, undefined],
      [
        "tavily",
        true,
        "backends.tavily.env.TAVILY_API_KEY (servers.yaml:7) needs the environment variable TAVILY_API_KEY, " +
          `which is not set; set it, or write \${TAVILY_API_KEY:-default}`,
      ],
    ]);
  });

  test.each([
    ["command: run $V", "command"],
    ["command: run\n    args: [a, $V]", "args.1"],
    ["command: run\n    env: {A: $V}", "env.A"],
    ["command: run\n    cwd: $V", "cwd"],
    ["command: run\n    description: $V", "description"],
    ["http_url: http://x/$V", "http_url"],
    ["url: $V", "url"],
    ["url: http://x\n    headers: {X-A: $V}", "headers.X-A"],
  ])("is found in %p", (lines, key) => {
    const { problem } = only(load(`servers:\n  it:\n    ${lines}\n`));
    expect(problem).toStartWith(`servers.it.${key} (servers.yaml:`);
    expect(problem).toEndWith(
      `needs the environment variable V, which is not set; set it, or write \${V:-default}`,
    );
  });

  test("is named once, and each one is named", () => {
    const { problem } = backend(["command: run $A $B", "env: {A: $A}"]);
    expect(problem?.match(/variable [AB],/g)).toEqual(["variable A,", "variable B,"]);
  });

  test("is none when it is set but empty", () => {
    const it = backend(["command: run", "env: {A: $V}"], { V: "" });
    expect(it).not.toHaveProperty("problem");
    expect(it.wire).toMatchObject({ env: { A: "" } });
  });

  test.each([
    [[`command: run \${input:key}`], "backends.it.command (servers.yaml:3) has a "],
    [
      ["command: $V x"],
      "backends.it.command (servers.yaml:3) names no program once its variables are filled in",
    ],
    [["url: $V"], "backends.it.url (servers.yaml:3) must be an http:// or https:// URL, but"],
    [
      ["url: http://x", "headers: {X-A: $LINES}"],
      "backends.it.headers.X-A (servers.yaml:4) has a line break",
    ],
  ])("or a value that cannot serve: %p", (lines, problem) => {
    expect(backend(lines, { V: "", LINES: "a\r\nb" }).problem).toStartWith(problem);
  });
});

describe("how long a backend lives", () => {
  test("is said by keys of its own", () => {
    const shared = backend(["command: x", "warm: true", "keep_alive: true", "max_concurrency: 3"]);
    expect(shared).toMatchObject({ warm: true, keepAlive: true, scope: "shared", maxConcurrency: 3 });
    const own = backend(["command: x", "scope: session", "max_instances: 4"]);
    expect(own).toMatchObject({ scope: "session", maxInstances: 4, warm: false, keepAlive: false });
  });

  test.each([
    ["scope: session, keep_alive: true", "keep_alive"],
    ["scope: session, warm: true", "warm"],
    ["max_instances: 3", "max_instances"],
  ])("has a note for %s", (keys, key) => {
    const { notes } = load(`backends: {it: {command: x, ${keys}}}`);
    expect(notes).toEqual([expect.stringContaining(`it.${key} has no effect with scope: `)]);
  });

  test.each(["scope: each", "max_instances: 0", "max_concurrency: -1", "warm: maybe"])(
    "is never %s",
    (key) => {
      expect(() => backend(["command: x", key])).toThrow(ConfigError);
    },
  );
});
