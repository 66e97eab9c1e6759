// `mcp-gateway health` against running gateways, and against what is none.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gateway } from "../../src/gateway.ts";
import { findFreePort } from "../support/run-gateway.ts";

const main = join(import.meta.dir, "../../src/main.ts");
const folder = mkdtempSync(join(tmpdir(), "health-"));
const TOKEN = "health-test-token-4711";
const owned = new AsyncDisposableStack();
let open: Gateway;
let closed: Gateway;

beforeAll(async () => {
  const options = { stateFolder: folder };
  open = owned.use(
    await Gateway.start({ port: 0, backends: { notes: { http_url: "http://127.0.0.1:9/mcp" } } }, options),
  );
  const broken = { command: "no-such-program-anywhere" };
  closed = owned.use(
    await Gateway.start(
      {
        port: 0,
        auth: { token: TOKEN },
        backends: { broken, unset: { command: "x", env: { KEY: "${NOT_SET_HERE}" } } },
      },
      options,
    ),
  );
});

afterAll(async () => {
  await owned.disposeAsync();
  rmSync(folder, { recursive: true });
});

async function health(args: readonly string[], env: Record<string, string> = {}) {
  const run = Bun.spawn([process.execPath, main, "health", ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, exitCode] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  return { stdout, stderr, exitCode };
}

describe("a healthy gateway", () => {
  test("is a line, and a line for each backend", async () => {
    const { stdout, stderr, exitCode } = await health(["--url", open.url, "--strict"]);
    expect(stdout).toStartWith(`${open.url} is healthy\n`);
    expect(stdout.split("\n").slice(1)).toEqual([
      expect.stringMatching(/^ {2}backend +state +transport +tools$/),
      expect.stringMatching(/^ {2}notes +\w+ +\w+ +0$/),
      "",
    ]);
    expect([stderr, exitCode]).toEqual(["", 0]);
  });

  test("is JSON where that is asked for", async () => {
    const { stdout, exitCode } = await health(["--url", open.url, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ status: "healthy", backends: { notes: { running: false } } });
    expect(exitCode).toBe(0);
  });

  test.each(["/", "/mcp", "/health", "/mcp/"])("is found by its URL with %s, too", async (path) => {
    expect((await health(["--url", `${open.url}${path}`])).exitCode).toBe(0);
  });

  test("says why it did not take up a new configuration", async () => {
    const reply = {
      status: "healthy",
      backends: {},
      config_error: "servers.yaml:1:1: one\nservers.yaml:2:1: two",
    };
    using other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.json(reply) });
    const { stdout, exitCode } = await health(["--url", other.url.origin]);
    expect(stdout).toBe(
      `${other.url.origin} is healthy\n  refused a new configuration: servers.yaml:1:1: one\n    servers.yaml:2:1: two\n  no backends\n`,
    );
    expect(exitCode).toBe(0);
  });

  test("is found by its configuration, wherever it listens, past any proxy", async () => {
    const { port } = new URL(open.url);
    const config = join(folder, "everywhere.yaml");
    writeFileSync(config, `host: 0.0.0.0\nport: ${port}\nauth: {disabled: true}\nbackends: {}\n`);
    const { stdout, exitCode } = await health(["-c", config], { HTTP_PROXY: "http://127.0.0.1:9" });
    expect(stdout).toStartWith(`http://127.0.0.1:${port} is healthy\n`);
    expect(exitCode).toBe(0);
  });
});

describe("a degraded gateway", () => {
  test("is up; only --strict takes it for ill", async () => {
    const env = { MCP_GATEWAY_TOKEN: TOKEN };
    const lenient = await health(["--url", closed.url], env);
    expect(lenient.stdout).toMatch(/ is degraded\n.*\n {2}broken +\w+ +stdio +0\n {2}unset +failed/);
    expect(lenient.exitCode).toBe(0);
    expect((await health(["--url", closed.url, "--strict"], env)).exitCode).toBe(1);
  });

  test("names nobody to those without the token, and the probe works nevertheless", async () => {
    const { stdout, exitCode } = await health(["--url", closed.url]);
    expect(stdout).toContain("is degraded\n");
    expect(stdout).not.toContain("broken");
    expect(exitCode).toBe(0);
  });

  test("is asked with the token of its configuration", async () => {
    const config = join(folder, "token.yaml");
    writeFileSync(config, `port: ${new URL(closed.url).port}\nauth: {token: "${TOKEN}"}\nbackends: {}\n`);
    const { stdout } = await health(["-c", config]);
    expect(stdout).toContain("broken");
  });
});

describe("no gateway", () => {
  let server: Bun.Server<undefined> | undefined;
  afterEach(() => server?.stop(true));

  function serve(fetch: () => Response): string {
    server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
    return server.url.origin;
  }

  test("where nobody listens", async () => {
    const url = `http://127.0.0.1:${findFreePort()}`;
    const { stdout, stderr, exitCode } = await health(["--url", url]);
    expect(stderr).toStartWith(`Error: no gateway answers at ${url}/health: `);
    expect([stdout, exitCode]).toEqual(["", 1]);
  });

  test.each([
    ["another program's page", () => new Response("<html>")],
    ["another program's JSON", () => Response.json({ status: "fine" })],
    ["an error", () => Response.json({ status: "healthy" }, { status: 500 })],
  ])("is %s", async (_, answer) => {
    const { stderr, exitCode } = await health(["--url", serve(answer)]);
    expect(stderr).toMatch(/is no mcp-gateway(?:, or one of another version)? \(HTTP \d+\)\n$/);
    expect(exitCode).toBe(1);
  });

  test.each([["localhost"], ["ftp://localhost"], ["http://"]])("is %s: wrong usage", async (url) => {
    const { stderr, exitCode } = await health(["--url", url]);
    expect(stderr).toContain("looks like http://127.0.0.1:39400");
    expect(exitCode).toBe(2);
  });

  test("answers where a configuration is missing, or wrong and nobody listens: 1, never 2", async () => {
    const config = join(folder, "wrong.yaml");
    writeFileSync(config, `prot: 1\nport: ${findFreePort()}\n`);
    const { stderr, exitCode } = await health(["-c", config]);
    expect(stderr).toContain('did you mean "port"?');
    expect(stderr).toContain("Error: no gateway answers at");
    expect(exitCode).toBe(1);
    const missing = await health(["-c", "missing.yaml"]);
    expect([missing.exitCode, missing.stderr]).toEqual([1, "Error: Config file not found: missing.yaml\n"]);
  });
});

describe("a configuration with mistakes", () => {
  test.each([
    ["an unknown key", "prot: 1\n", 'did you mean "port"?'],
    ["YAML that is none", "backends:\n  a: [1\n", "not valid YAML"],
    ["a tab", "backends:\n\ta: 1\n", "tab"],
  ])("(%s) is told, and the running gateway is asked all the same", async (_, mistake, told) => {
    const config = join(folder, "mistakes.yaml");
    writeFileSync(config, `port: ${new URL(closed.url).port}\nauth: {token: "${TOKEN}"}\n${mistake}`);
    const { stdout, stderr, exitCode } = await health(["-c", config]);
    expect(stderr).toContain("The configuration has mistakes");
    expect(stderr).toContain(told);
    expect(stdout).toStartWith(`${closed.url} is degraded\n`);
    expect(stdout).toContain("broken");
    expect(exitCode).toBe(0);
  });
});

test("a gateway of 1.x is understood", async () => {
  const reply = {
    status: "healthy",
    backends: { tavily: { running: true, restart_count: 1, tools_cached: 3 } },
  };
  using old = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.json(reply) });
  const { stdout, exitCode } = await health(["--url", old.url.origin]);
  expect(stdout).toMatch(/^ {2}tavily +running +- +3$/m);
  expect(exitCode).toBe(0);
});
