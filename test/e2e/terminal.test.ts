// Whatever a backend says, and wherever it says it: nothing of it controls a terminal, hides or forges a line, in any
// command, in the log or in what a model reads of a failure.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { findBinary } from "../support/binary.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { allText, SdkClient } from "../support/sdk-client.ts";

setDefaultTimeout(60_000);

const UNSAFE = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

let stack: AsyncDisposableStack;
let gateway: GatewayRun;
const failures: string[] = [];

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const evil = "\u001b[2J\u009b31m\u202eevil\r\nFORGED LINE";
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response(evil, { status: 500, headers: { "content-type": "text/plain" } }),
  });
  stack.defer(() => server.stop(true));
  const places = ["handshake", "death", "stdout", "name", "call"];
  gateway = stack.use(
    await GatewayRun.start({
      config: {
        log_level: "DEBUG",
        backends: {
          ...Object.fromEntries(places.map((place) => [place, asBackend(fixture("evil-words", place))])),
          http: { http_url: `http://127.0.0.1:${server.port}/mcp`, transport: "http" },
          missing: { command: "no-such\u001b[31m-program\u202e" },
        },
      },
    }),
  );
  const sdk = stack.use(await SdkClient.connect(`${gateway.url}/mcp`));
  for (const name of [...places, "http", "missing"]) {
    const given = { server: name, tool: "echo", arguments: { zz: 1 } };
    const result = await sdk.client.callTool({ name: "gateway_invoke", arguments: given });
    if (result.isError === true) failures.push(allText(result));
  }
  const listed = await sdk.client.callTool({ name: "gateway_list_servers", arguments: {} });
  failures.push(allText(listed));
});

afterAll(() => stack.disposeAsync());

function expectSafe(text: string): void {
  expect(UNSAFE.exec(text)?.[0]?.charCodeAt(0)).toBeUndefined();
  expect(text.split("\n").filter((line) => line.startsWith("FORGED"))).toEqual([]);
  expect(text.length).toBeGreaterThan(0);
}

const COMMANDS: readonly (readonly string[])[] = [
  ["status"],
  ["status", "--json"],
  ["health"],
  ["health", "--json"],
  ["restart", "handshake"],
  ["check"],
  ["check", "--connect"],
  ["check", "--connect", "--json"],
  ["search", "red", "forged"],
  ["search", "--explain", "red", "forged"],
  ["search", "--json", "red", "forged"],
  ["tokens"],
  ["tokens", "--json"],
];

test.each(COMMANDS.map((args) => [args.join(" "), args] as const))("%s", async (_, args) => {
  const { folder } = gateway.run;
  const places = { HOME: folder, XDG_STATE_HOME: folder, XDG_CACHE_HOME: folder, XDG_CONFIG_HOME: folder };
  const isAsking = ["status", "health", "restart"].includes(args[0] ?? "");
  const where = isAsking ? ["--url", gateway.url] : ["-c", join(folder, "servers.yaml")];
  const child = Bun.spawn([await findBinary(), ...args, ...where], {
    cwd: folder,
    env: { ...process.env, ...places },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  expectSafe(stdout + stderr);
  if (args.includes("--json")) expect(() => JSON.parse(stdout)).not.toThrow();
});

test("what a model reads of failures", () => {
  expect(failures).toHaveLength(7);
  for (const failure of failures) expectSafe(failure);
});

test("the log", () => expectSafe(gateway.stderr));
