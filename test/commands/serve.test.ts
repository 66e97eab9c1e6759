// The gateway as a command: its options, what it says at start, how it ends.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERSION } from "../../src/version.ts";
import { findBinary } from "../support/binary.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { findFreePort, GatewayRun, ProgramRun, runToEnd } from "../support/run-gateway.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(30_000);

const healthy = asBackend(fixture("healthy"));

describe("usage", () => {
  test("--help and --version go to stdout, and are a success", async () => {
    const help = await runToEnd(["--help"]);
    expect([help.exitCode, help.stderr]).toEqual([0, ""]);
    for (const word of ["serve", "stdio", "check", "schema", "health", "Usage: mcp-gateway"])
      expect(help.stdout).toContain(word);
    const options = await runToEnd(["serve", "--help"]);
    for (const option of ["--config", "--port", "--host", "--log-level", "--log-format", "--no-meta-mcp"])
      expect(options.stdout).toContain(option);
    const version = await runToEnd(["--version"]);
    expect([version.exitCode, version.stderr]).toEqual([0, ""]);
    expect(version.stdout).toMatch(new RegExp(`^mcp-gateway ${VERSION} \\(commit \\w+, \\w+-\\w+.*\\)\n$`));
  });

  test.each([
    [["--prot", "1"], /unknown option '--prot'[\s\S]*--port/],
    [["chekc"], /unknown command 'chekc'.*check/],
    [["servers.yaml"], /-c servers\.yaml/],
    [["-p", "70000"], /0 to 65535/],
    [["-p", "http"], /0 to 65535/],
    [["--log-level", "loud"], /DEBUG, INFO, WARNING, ERROR/],
    [["--log-format", "xml"], /text, json/],
    [["--host", "http://localhost"], /host/],
  ])("%p is wrong usage: exit code 2", async (args, words) => {
    const { exitCode, stderr, stdout } = await runToEnd(args, { config: { backends: { healthy } } });
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(words);
  });
});

describe("the configuration", () => {
  test("that is missing: exit code 1, and its path", async () => {
    const { exitCode, stderr, stdout } = await runToEnd(["--config", "no/such.yaml"]);
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toBe("Error: Config file not found: no/such.yaml\n");
  });

  test("that is wrong: exit code 2, every problem with its place, and nothing started", async () => {
    const config = [
      "prot: 1",
      "port: 99999",
      "backends:",
      "  healthy:",
      `    command: ${JSON.stringify(fixture("healthy").join(" "))}`,
      "    env: { STARTS_FILE: ./starts }",
      "    idle_timout: 5",
      "  bad name!:",
      "    command: x",
      "  both:",
      "    command: x",
      "    url: http://127.0.0.1/mcp",
    ].join("\n");
    const { exitCode, stderr, stdout, folder } = await runToEnd(["-c", "servers.yaml"], { config });
    expect([exitCode, stdout]).toEqual([2, ""]);
    for (const place of ["1:1", "2:7", "7:5", "8:3", "12:5"])
      expect(stderr).toContain(`servers.yaml:${place}: `);
    expect(stderr).toContain('did you mean "port"?');
    expect(stderr).toContain('did you mean "idle_timeout"?');
    expect(stderr).toMatch(/\d problems; nothing was started\.\n$/);
    expect(existsSync(join(folder, "starts"))).toBe(false);
  });

  test("is found in the working directory, then in the user's, and named at start", async () => {
    await using here = await GatewayRun.start({ config: { backends: { healthy } } });
    expect(Object.keys((await here.health()).backends)).toEqual(["healthy"]);
    expect(here.stderr).toContain(join(here.run.folder, "servers.yaml"));

    const folder = join(here.run.folder, "user");
    mkdirSync(join(folder, "mcp-gateway"), { recursive: true });
    writeFileSync(
      join(folder, "mcp-gateway/servers.yaml"),
      JSON.stringify({ backends: { theirs: healthy } }),
    );
    await using users = await GatewayRun.start({ env: { XDG_CONFIG_HOME: folder } });
    expect(Object.keys((await users.health()).backends)).toEqual(["theirs"]);
  });

  test("is beaten by the command line", async () => {
    const [filePort, port] = [findFreePort(), findFreePort()];
    const config = { port: filePort, host: "127.0.0.2", log_level: "ERROR", backends: { healthy } };
    await using run = await ProgramRun.start(
      [
        "serve",
        "-c",
        "servers.yaml",
        "-p",
        String(port),
        "--host",
        "localhost",
        "--log-level",
        "debug",
        "--no-meta-mcp",
      ],
      { config },
    );
    const url = `http://localhost:${port}`;
    await waitFor(() => run.stderr.includes(`listens on ${url}/mcp`));
    await using sdk = await SdkClient.connect(`${url}/mcp`);
    expect((await sdk.client.listTools()).tools.map(({ name }) => name)).toContain("healthy__echo");
    expect(run.stderr).toContain("DEBUG");
    expect(run.stderr).not.toContain(String(filePort));
  });

  test("is not needed: without one the demo is served, by the binary alone", async () => {
    await using gateway = await GatewayRun.start({ env: { PATH: "/nonexistent" } });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    expect(await sdk.invoke("demo", "text_statistics", { text: "two words" })).toContain('"words":2');
    expect(gateway.stderr).toContain("no configuration found, so this is the demo");
  });
});

describe("at start", () => {
  test("a person sees the URL, the backends, and how to point a client at it; stdout stays clean", async () => {
    const config = {
      backends: {
        cellar: { ...healthy, description: "wine and potatoes" },
        off: { ...healthy, enabled: false },
      },
    };
    await using gateway = await GatewayRun.start({ config });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    expect(await sdk.invoke("cellar", "echo", { text: "x" })).toBe("x");
    for (const words of [
      `listens on ${gateway.url}/mcp`,
      "cellar  wine and potatoes",
      "(disabled)",
      `claude mcp add --transport http gateway ${gateway.url}/mcp`,
      '"mcpServers"',
    ])
      expect(gateway.stderr).toContain(words);
    expect(gateway.stderr).not.toContain("\u001b[");
    gateway.run.signal("SIGTERM");
    expect(await gateway.run.exited()).toBe(0);
    expect(gateway.run.stdout).toBe("");
  });

  test("a port that is taken is said so, with what to do: exit code 1", async () => {
    await using gateway = await GatewayRun.start({ config: { backends: { healthy } } });
    const { port } = new URL(gateway.url);
    const { exitCode, stderr, stdout } = await runToEnd(["-p", port], { config: { backends: { healthy } } });
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`Error: Cannot listen on 127.0.0.1, port ${port} (EADDRINUSE).`);
    expect(stderr).toContain("Another program");
    expect(stderr).toContain("--port");
  });

  test("a port that is taken for a moment more is waited for", async () => {
    const socket = { data: () => undefined };
    const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
    await using run = await ProgramRun.start(["-p", String(taken.port)], { config: { backends: {} } });
    // Long enough to be found taken, and shorter than anybody gives up.
    await Bun.sleep(400);
    expect(run.isRunning).toBe(true);
    taken.stop(true);
    await waitFor(() => run.stderr.includes(`:${taken.port}/mcp`));
  });

  test("an address of another machine is said so: exit code 1", async () => {
    const config = { host: "192.0.2.1", auth: { token: "a-token-for-tests" }, backends: { healthy } };
    const { exitCode, stderr } = await runToEnd(["-p", "0"], { config });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("--host");
  });

  test("with --log-format json every line is one JSON object", async () => {
    const config = { backends: { healthy, missing: { command: "no-such-program-anywhere" } } };
    await using gateway = await GatewayRun.start({
      config,
      args: ["--log-format", "json", "--log-level", "debug"],
    });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    await Promise.all(["healthy", "missing"].map((server) => sdk.invoke(server, "echo", { text: "x" })));
    gateway.run.signal("SIGTERM");
    await gateway.run.exited();
    const lines = gateway.stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const line of lines) {
      expect(line).toMatchObject({ time: expect.any(String), message: expect.any(String) });
      expect(["DEBUG", "INFO", "WARNING", "ERROR"]).toContain(line.level);
    }
    expect(lines).toContainEqual(
      expect.objectContaining({ message: "listening", url: `${gateway.url}/mcp` }),
    );
    expect(lines).toContainEqual(expect.objectContaining({ level: "ERROR", backend: "missing" }));
  });
});

test("on a terminal the log is coloured, unless NO_COLOR is set", async () => {
  expect(await onTerminal({})).toContain("\u001b[");
  expect(await onTerminal({ NO_COLOR: "1" })).not.toContain("\u001b[");
});

describe("a signal", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s lets calls in flight end, takes no new ones, and leaves no child",
    async (signal) => {
      await using gateway = await GatewayRun.start({ config: { backends: { healthy } } });
      await using sdk = await SdkClient.connect(`${gateway.url}/mcp/healthy`);
      const slow = sdk.text("slow", { ms: 1_500, text: "finished" });
      await waitFor(async () => (await gateway.backendHealth("healthy")).in_flight === 1);
      gateway.run.signal(signal);
      await waitFor(() => gateway.stderr.includes("stopping"));
      await waitFor(() =>
        fetch(`${gateway.url}/health`).then(
          () => false,
          () => true,
        ),
      );
      expect(await slow).toBe("finished");
      expect(await gateway.run.exited()).toBe(0);
      expect(gateway.run.children).toEqual([]);
    },
  );

  test("cuts off a call that takes too long, says so, and answers it on every route", async () => {
    const config = { backends: { healthy, stubborn: asBackend(fixture("ignores-sigterm")) } };
    await using gateway = await GatewayRun.start({ config });
    await using direct = await SdkClient.connect(`${gateway.url}/mcp/healthy`);
    await using meta = await SdkClient.connect(`${gateway.url}/mcp`);
    const calls = [
      direct.text("slow", { ms: 60_000, text: "x" }).catch(String),
      meta.invoke("healthy", "slow", { ms: 60_000, text: "x" }),
      meta.invoke("stubborn", "slow", { ms: 60_000, text: "x" }),
    ];
    await waitFor(async () => (await gateway.backendHealth("healthy")).in_flight === 2);
    await waitFor(async () => (await gateway.backendHealth("stubborn")).in_flight === 1);
    gateway.run.signal("SIGTERM");
    await waitFor(() => /waiting for calls in flight .*healthy/.test(gateway.stderr));
    for (const answer of await Promise.all(calls)) {
      expect(answer).toContain("the gateway stopped this backend before tools/call was answered");
    }
    expect(await gateway.run.exited()).toBe(0);
    expect(gateway.run.children).toEqual([]);
  });

  test("a second one ends the gateway at once, and the most stubborn child with it", async () => {
    const config = { backends: { healthy, stubborn: asBackend(fixture("ignores-sigterm")) } };
    await using gateway = await GatewayRun.start({ config });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    await sdk.invoke("stubborn", "pid");
    const slow = sdk.invoke("healthy", "slow", { ms: 60_000 }).catch(() => "cut off");
    await waitFor(async () => (await gateway.backendHealth("healthy")).in_flight === 1);
    gateway.run.signal("SIGTERM");
    await waitFor(() => gateway.stderr.includes("a second signal stops at once"));
    const askedMs = performance.now();
    gateway.run.signal("SIGINT");
    expect(await gateway.run.exited()).toBe(130);
    expect(performance.now() - askedMs).toBeLessThan(8_000);
    await waitFor(() => gateway.run.children.length === 0);
    await sdk.client.close();
    expect(await slow).toBe("cut off");
  });

  test("a stop does not wait for streams that clients hold open", async () => {
    await using gateway = await GatewayRun.start({ config: { backends: { healthy } } });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp/healthy`);
    await sdk.text("pid");
    gateway.run.signal("SIGTERM");
    expect(await gateway.run.exited()).toBe(0);
  });
});

/** What a run with something to warn of shows on a terminal. */
async function onTerminal(env: Record<string, string>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-terminal-"));
  writeFileSync(join(folder, "servers.yaml"), "backends: {}\n");
  const decoder = new TextDecoder();
  let shown = "";
  const run = Bun.spawn([await findBinary(), "-p", "0"], {
    cwd: folder,
    env: { ...process.env, HOME: folder, XDG_STATE_HOME: folder, NO_COLOR: undefined, TERM: "xterm", ...env },
    terminal: {
      data: (_terminal, data) => {
        shown += decoder.decode(data, { stream: true });
      },
    },
  });
  try {
    await waitFor(() => shown.includes("listens on"));
    expect(shown).toContain("there are no backends yet");
    return shown;
  } finally {
    run.kill("SIGTERM");
    await run.exited;
    run.terminal?.close();
    rmSync(folder, { recursive: true });
  }
}
