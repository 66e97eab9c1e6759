// No secret of the configuration is in any text for people, whatever a backend does with it; data passes as it is.
// One run of the compiled binary, backends that tell all that they were given, and every place where a text comes out.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { findBinary } from "../support/binary.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { findFreePort, GatewayRun } from "../support/run-gateway.ts";
import { allText, SdkClient } from "../support/sdk-client.ts";

setDefaultTimeout(60_000);

const WAYS = ["stderr", "cut-stderr", "stdout", "handshake", "call", "death"] as const;
const NAMES = [
  "API_KEY",
  "TOKEN",
  "PASSWORD",
  "PASS",
  "PAT",
  "PWD",
  "JWT",
  "CREDS",
  "SESSION",
  "CODE",
  "PLAIN",
];

const secrets = new Map<string, string>();

/** Every secret looks random, as those of real services do, and is the same in each run. */
function secret(what: string): string {
  const value = `Zq${secrets.size}x${Bun.SHA256.hash(what, "hex").slice(0, 16)}Wk`;
  secrets.set(what, value);
  return value;
}

function leaking(how: string) {
  const given: Record<string, string> = {
    S_DATABASE_URL: `postgres://user:${secret(`${how}: password of a database`)}@db:5432/x`,
    S_CONNECTION: `Server=db;Password=${secret(`${how}: password of a connection string`)};`,
    S_HOOK_URL: `https://hooks.example.com/services/${secret(`${how}: path of a URL`)}`,
    S_SHOP_PASSWORD: "customer",
  };
  for (const name of NAMES) given[`S_${name}`] = secret(`${how}: env S_${name}`);
  const args = [
    "--api-key",
    secret(`${how}: --api-key V`),
    `--token=${secret(`${how}: --token=V`)}`,
    "${FREE}",
  ];
  return { ...asBackend(fixture("leaks", how, ...args)), env: given };
}

let stack: AsyncDisposableStack;
let gateway: GatewayRun;
const sinks = new Map<string, string>();
const token = secret("the gateway's token");
const free = secret("a variable of any name among the arguments");

const env = { MCP_GATEWAY_TOKEN: token, FREE: free };

async function command(args: readonly string[]): Promise<void> {
  const { folder } = gateway.run;
  const places = { HOME: folder, XDG_STATE_HOME: folder, XDG_CACHE_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = Bun.spawn([await findBinary(), ...args], {
    cwd: folder,
    env: { ...process.env, ...places, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  sinks.set(args.join(" "), (await Promise.all([child.stdout.text(), child.stderr.text()])).join(""));
  await child.exited;
}

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const mirror = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const seen = `${request.method} ${request.url} ${JSON.stringify([...request.headers])}`;
      const status = request.url.includes("gone") ? 404 : 500;
      return new Response(`you sent ${seen}`, { status, headers: { "content-type": "text/plain" } });
    },
  });
  stack.defer(() => mirror.stop(true));
  const userinfo = `us3r:${secret("URL userinfo")}`;
  const query = `api_key=${secret("URL query api_key")}&x=${secret("URL query x")}`;
  const url = `http://${userinfo}@127.0.0.1:${mirror.port}/p/${secret("URL path")}/mcp?${query}`;
  const headers = {
    Authorization: `Bearer ${secret("header Authorization")}`,
    "X-A": secret("header X-A"),
    Cookie: `sid=${secret("header Cookie")}`,
  };
  const backends = {
    ...Object.fromEntries(WAYS.map((how) => [how, leaking(how)])),
    missing: {
      command: "/nonexistent/program",
      args: ["--api-key", secret("argument of a missing program")],
    },
    broken: { http_url: url, transport: "http", headers },
    gone: {
      http_url: `http://127.0.0.1:${mirror.port}/gone/${secret("URL path of a 404")}`,
      transport: "http",
    },
    dead: {
      http_url: `http://127.0.0.1:${findFreePort()}/${secret("URL path, refused")}/mcp`,
      transport: "http",
    },
  };
  gateway = stack.use(
    await GatewayRun.start({
      config: { backends, log_level: "DEBUG" },
      env,
    }),
  );
  const authorization = { authorization: `Bearer ${token}` };
  const sdk = stack.use(await SdkClient.connect(`${gateway.url}/mcp`, authorization));
  const errors = await Promise.all(
    Object.keys(backends).map(async (server) => {
      const arguments_ = { server, tool: "echo", arguments: { text: "x" } };
      return allText(await sdk.client.callTool({ name: "gateway_invoke", arguments: arguments_ }));
    }),
  );
  sinks.set("errors to models", errors.join("\n"));
  const direct = stack.use(await SdkClient.connect(`${gateway.url}/mcp/call`, authorization));
  const refused = await direct.client.callTool({ name: "echo", arguments: {} }).catch(String);
  sinks.set("data", String(refused));
  const listed = await sdk.client.callTool({ name: "gateway_list_servers", arguments: {} });
  sinks.set("gateway_list_servers", allText(listed));
  for (const route of ["health", "status", "metrics"]) {
    sinks.set(`/${route}`, await (await fetch(`${gateway.url}/${route}`, { headers: authorization })).text());
  }
  const config = ["-c", join(gateway.run.folder, "servers.yaml")];
  const at = ["--url", gateway.url];
  for (const args of [
    ["check", "--connect", ...config],
    ["search", "echo", ...config],
    ["tokens", ...config],
  ]) {
    await command(args);
  }
  for (const args of [
    ["status", ...at],
    ["health", ...at],
    ["restart", "stderr", ...at],
  ])
    await command(args);
  sinks.set("the log", gateway.stderr);
});

afterAll(() => stack.disposeAsync());

describe("no secret, whole or cut, is in", () => {
  test.each([
    "errors to models",
    "gateway_list_servers",
    "/health",
    "/status",
    "/metrics",
    "check",
    "search",
    "tokens",
    "status",
    "health",
    "restart",
    "the log",
  ])("%s", (name) => {
    const text = [...sinks].find(([sink]) => sink === name || sink.startsWith(`${name} `))?.[1] ?? "";
    expect(text.length).toBeGreaterThan(0);
    const leaked = [...secrets].filter(([, value]) => text.includes(value.slice(0, 12)));
    expect(leaked.map(([what]) => what)).toEqual([]);
  });
});

test("an ordinary word is redacted behind its name alone", () => {
  expect(sinks.get("errors to models")).toContain('"S_SHOP_PASSWORD":"***"');
});

test("what a backend answers is data, and passes as it is", () => {
  const value = secrets.get("call: env S_API_KEY") ?? "none";
  expect(sinks.get("data")).toContain(value);
  expect(sinks.get("data")).toContain('"S_SHOP_PASSWORD":"customer"');
});
