// The exit codes that README documents, each by the compiled program; results on stdout, all else on stderr.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { findFreePort, GatewayRun, runToEnd } from "../support/run-gateway.ts";

setDefaultTimeout(60_000);

const TOKEN = "exit-code-test-token-4711";
const healthy = asBackend(fixture("healthy"));
const missing = { command: "no-such-program-anywhere" };
let gateway: GatewayRun;
let closed: GatewayRun;

beforeAll(async () => {
  gateway = await GatewayRun.start({ config: { backends: { healthy, missing } } });
  closed = await GatewayRun.start({ config: { backends: { healthy } }, env: { MCP_GATEWAY_TOKEN: TOKEN } });
  // So that the gateway is degraded.
  await fetch(`${gateway.url}/backends/missing/restart`, { method: "POST" });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await closed[Symbol.asyncDispose]();
});

interface Case {
  readonly args: readonly string[];
  readonly config?: string | object;
  readonly env?: Record<string, string>;
  /** Of stderr; without it there is nothing on stderr. */
  readonly says?: RegExp;
}

async function expectExit(code: number, { args, config, env = {}, says }: Case): Promise<void> {
  const written = config === undefined || typeof config === "string" ? config : { ...config };
  const { exitCode, stdout, stderr } = await runToEnd(args, {
    env,
    ...(written === undefined ? {} : { config: written }),
  });
  if (says === undefined) expect(stderr).toBe("");
  else expect(stderr).toMatch(says);
  expect(exitCode).toBe(code);
  if (code === 0) expect(stdout).not.toBe("");
  if (code === 0 && args.includes("--json")) expect(() => JSON.parse(stdout)).not.toThrow();
}

const good = { backends: { healthy } };
const half = { backends: { healthy, missing } };
const broken = { backends: { missing } };
const atGateway = () => ["--url", gateway.url];
const atClosed = () => ["--url", closed.url];

describe("0: done, the answer is there", () => {
  test.each<[string, () => Case]>([
    ["check", () => ({ args: ["check"], config: good })],
    ["check --connect", () => ({ args: ["check", "--connect", "--json"], config: good })],
    ["search", () => ({ args: ["search", "echo"], config: good })],
    ["search beside a broken server", () => ({ args: ["search", "echo", "--json"], config: half })],
    ["tokens", () => ({ args: ["tokens"], config: good })],
    [
      "tokens beside a broken server",
      () => ({ args: ["tokens", "--json"], config: half, says: /^not counted: missing/ }),
    ],
    ["health of a degraded gateway", () => ({ args: ["health", "--json", ...atGateway()] })],
    ["status", () => ({ args: ["status", ...atGateway()] })],
    ["restart", () => ({ args: ["restart", "healthy", ...atGateway()] })],
    ["health without the token", () => ({ args: ["health", ...atClosed()] })],
    ["schema", () => ({ args: ["schema"] })],
    ["the version", () => ({ args: ["--version"] })],
    ["help", () => ({ args: ["--help"] })],
    [
      "status where the configuration has mistakes and the gateway runs",
      () => ({
        args: ["status"],
        config: `port: ${new URL(gateway.url).port}\nprot: 1\n`,
        says: /^The configuration has mistakes.*\n.*did you mean "port"/,
      }),
    ],
  ])("%s", (_, make) => expectExit(0, make()));
});

describe("1: failed", () => {
  const nowhere = ["-c", "nowhere.yaml"];
  const notFound = /^Error: Config file not found: nowhere\.yaml\n$/;
  const nobody = () => `http://127.0.0.1:${findFreePort()}`;

  test.each<[string, () => Case]>([
    ...[
      ["serve"],
      ["stdio"],
      ["check"],
      ["search", "x"],
      ["tokens"],
      ["health"],
      ["status"],
      ["restart", "x"],
    ].map((args): [string, () => Case] => [
      `${args[0]} with a configuration that is not there`,
      () => ({ args: [...args, ...nowhere], says: notFound }),
    ]),
    [
      "check with a backend that cannot start",
      () => ({ args: ["check", "--connect", "--json"], config: half }),
    ],
    [
      "search where nothing fits",
      () => ({ args: ["search", "xyzzyplugh"], config: good, says: /^No tool fits/ }),
    ],
    [
      "tokens where nothing could be counted",
      () => ({ args: ["tokens"], config: broken, says: /^not counted/ }),
    ],
    [
      "health where nobody listens",
      () => ({ args: ["health", "--url", nobody()], says: /nothing listens there/ }),
    ],
    [
      "status where nobody listens",
      () => ({ args: ["status", "--json", "--url", nobody()], says: /nothing listens/ }),
    ],
    [
      "restart where nobody listens",
      () => ({ args: ["restart", "x", "--url", nobody()], says: /nothing listens/ }),
    ],
    ["health --strict of a degraded gateway", () => ({ args: ["health", "--strict", ...atGateway()] })],
    [
      "restart of a backend that fails",
      () => ({ args: ["restart", "missing", ...atGateway()], says: /no-such-program/ }),
    ],
    [
      "restart of nobody",
      () => ({ args: ["restart", "nobody", ...atGateway()], says: /Unknown backend "nobody"/ }),
    ],
    ["status without the token", () => ({ args: ["status", ...atClosed()], says: /MCP_GATEWAY_TOKEN/ })],
    [
      "restart without the token",
      () => ({ args: ["restart", "healthy", ...atClosed()], says: /MCP_GATEWAY_TOKEN/ }),
    ],
    [
      "status with another token",
      () => ({
        args: ["status", ...atClosed()],
        env: { MCP_GATEWAY_TOKEN: "another" },
        says: /MCP_GATEWAY_TOKEN/,
      }),
    ],
    [
      "a probe with a configuration that has mistakes, where nobody listens",
      () => ({
        args: ["health"],
        config: `port: ${findFreePort()}\nprot: 1\n`,
        says: /Error: no gateway answers/,
      }),
    ],
    [
      "serve where another program listens",
      () => ({ args: ["serve", "-p", new URL(gateway.url).port], config: good, says: /listens there/ }),
    ],
  ])("%s", (_, make) => expectExit(1, make()));
});

describe("2: wrong usage, or a configuration with mistakes", () => {
  test.each<[string, () => Case]>([
    ...[["serve"], ["stdio"], ["check"], ["check", "--json"], ["search", "x"], ["tokens"]].map(
      (args): [string, () => Case] => [
        `${args.join(" ")} with a mistake in the file`,
        () => ({
          args,
          config: "prot: 1\n",
          says: /did you mean "port"\?\n1 problem; nothing was started\.\n$/,
        }),
      ],
    ),
    ["an unknown command", () => ({ args: ["serv"], says: /unknown command/ })],
    ["an unknown option", () => ({ args: ["check", "--conect"], says: /unknown option/ })],
    ["a port that is none", () => ({ args: ["-p", "x"], says: /A port is a number/ })],
    ["a URL that is none", () => ({ args: ["health", "--url", "localhost"], says: /looks like http/ })],
    ["no words to search", () => ({ args: ["search"], says: /missing required argument/ })],
  ])("%s", (_, make) => expectExit(2, make()));
});

test("a gateway of another version is named as such", async () => {
  const reply = { version: "2.0.0-old", pid: 1 };
  using old = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.json(reply) });
  await expectExit(1, { args: ["status", "--url", old.url.origin], says: /is of version 2\.0\.0-old/ });
});
