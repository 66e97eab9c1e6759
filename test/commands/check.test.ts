// `check`: whether a configuration is good, and with --connect whether its backends are.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { ProgramRun, runToEnd } from "../support/run-gateway.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(30_000);

const healthy = asBackend(fixture("healthy"));
const missing = { command: "no-such-program-anywhere" };

describe("without --connect", () => {
  test("a good configuration: exit code 0, a table on stdout, nothing started", async () => {
    const config = {
      backends: {
        healthy: { ...healthy, env: { STARTS_FILE: "starts" } },
        missing,
        off: { ...missing, enabled: false },
      },
    };
    const { exitCode, stdout, stderr, folder } = await runToEnd(["check"], { config });
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n")[0]).toBe(`${join(folder, "servers.yaml")}: the configuration is good`);
    expect(stdout).toMatch(/healthy\s+ok\s+stdio/);
    expect(stdout).toMatch(/off\s+disabled\s+stdio/);
    expect(existsSync(join(folder, "starts"))).toBe(false);
  });

  test("a variable that is unset: exit code 1, and its place", async () => {
    const config =
      "backends:\n  remote:\n    url: https://example.com/mcp\n    headers:\n      X-Key: ${SURELY_UNSET_VARIABLE}\n";
    const { exitCode, stdout } = await runToEnd(["check"], { config });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/remote\s+failed/);
    expect(stdout).toMatch(/servers\.yaml:5.*SURELY_UNSET_VARIABLE/);
  });

  test("a wrong configuration: exit code 2, every problem on stderr", async () => {
    const { exitCode, stdout, stderr } = await runToEnd(["check"], {
      config: "backends:\n  a: {}\n  b: 5\nporrt: 1\n",
    });
    expect([exitCode, stdout]).toEqual([2, ""]);
    for (const place of ["servers.yaml:2:3", "servers.yaml:3:6", "servers.yaml:4:1"])
      expect(stderr).toContain(place);
  });

  test("a missing configuration: exit code 1", async () => {
    const { exitCode, stdout, stderr } = await runToEnd(["check", "-c", "nowhere.yaml"]);
    expect([exitCode, stdout, stderr]).toEqual([1, "", "Error: Config file not found: nowhere.yaml\n"]);
  });

  test("the file of a client, as it is: JSON and mcpServers", async () => {
    const config = JSON.stringify({
      mcpServers: { one: { type: "stdio", ...healthy }, two: { url: "http://127.0.0.1:9/sse" } },
    });
    const { exitCode, stdout } = await runToEnd(["check", "--json"], { config });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      backends: [{ backend: "one", transport: "stdio" }, { backend: "two" }],
    });
  });
});

describe("with --connect", () => {
  const config = {
    backends: {
      healthy,
      missing,
      quitter: asBackend(fixture("exits-at-once", "4")),
      off: { ...missing, enabled: false },
    },
  };

  test("each backend is started once and shown; one that fails: exit code 1", async () => {
    const { exitCode, stdout, stderr } = await runToEnd(["check", "--connect"], { config });
    expect([exitCode, stderr]).toEqual([1, ""]);
    expect(stdout).toMatch(/backend\s+state\s+transport\s+revision\s+tools\s+ms/);
    expect(stdout).toMatch(/healthy\s+ok\s+stdio\s+2025-11-25\s+8\s+\d+/);
    expect(stdout).toMatch(/missing\s+failed/);
    expect(stdout).toContain("no such program on the PATH");
    expect(stdout).toContain("exit code 4");
    expect(stdout).toContain("API_KEY is not set");
  });

  test("--json says the same to programs", async () => {
    const { exitCode, stdout, folder } = await runToEnd(["check", "--connect", "--json"], { config });
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      config: join(folder, "servers.yaml"),
      ok: false,
      backends: [
        {
          backend: "healthy",
          state: "ok",
          transport: "stdio",
          revision: "2025-11-25",
          tools: 8,
          ms: expect.any(Number),
          drift: null,
          error: null,
        },
        {
          backend: "missing",
          state: "failed",
          tools: null,
          error: expect.stringContaining("PATH"),
        },
        {
          backend: "quitter",
          state: "failed",
          error: expect.stringContaining("exit code 4"),
        },
        { backend: "off", state: "disabled", error: null },
      ],
    });
  });

  test("all is well: exit code 0; and the demo is, too", async () => {
    expect((await runToEnd(["check", "--connect"], { config: { backends: { healthy } } })).exitCode).toBe(0);
    const demo = await runToEnd(["check", "--connect"]);
    expect([demo.exitCode, demo.stderr]).toEqual([0, ""]);
    expect(demo.stdout).toMatch(/demo\s+ok\s+stdio/);
  });

  test("an interrupted check leaves no child", async () => {
    const backends = {
      hanging: { ...asBackend(fixture("hangs-on-start")), start_timeout: 60 },
      deaf: asBackend(fixture("ignores-eof")),
    };
    await using run = await ProgramRun.start(["check", "--connect"], { config: { backends } });
    await waitFor(() => run.children.length === 2);
    run.signal("SIGINT");
    expect([await run.exited(), run.stdout, run.stderr]).toEqual([1, "", "Error: interrupted\n"]);
    expect(run.children).toEqual([]);
  });
});
