// Who may do what by which path: every spelling is compared as it was sent, by one parser, and no other reading lets
// anybody in. `scripts/fuzz-paths` plays many more spellings against a compiled gateway.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROUTES } from "../../src/edge/routes.ts";
import { Gateway } from "../../src/gateway.ts";
import { BACKEND, BINDS, type Fuzzed, fuzzPaths, TOKEN } from "../fuzz/path-edge.ts";
import { RawClient } from "../fuzz/raw-client.ts";
import { fixture } from "../support/fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-paths-"));
const running: Gateway[] = [];
let gateways: readonly Fuzzed[];
let guarded: number;

beforeAll(async () => {
  const [command = "", ...args] = fixture("healthy");
  gateways = await Promise.all(
    BINDS.map(async ({ host, token }) => {
      const auth = token === undefined ? {} : { auth: { token } };
      const config = { host, port: 0, ...auth, backends: { [BACKEND]: { command, args } } };
      const gateway = await Gateway.start(config, { stateFolder: folder, cacheFolder: folder });
      running.push(gateway);
      const dialled = host === "0.0.0.0" ? "127.0.0.1" : host;
      const port = Number(new URL(gateway.url).port);
      return { host: dialled, port, backend: BACKEND, ...(token === undefined ? {} : { token }) };
    }),
  );
  guarded = gateways[0]?.port ?? 0;
});

afterAll(async () => {
  await Promise.all(running.map((gateway) => gateway.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function ask(line: string, headers: readonly string[]): Promise<{ status: number; text: string }> {
  const client = new RawClient(guarded);
  const { replies } = await client.exchange({
    pieces: [
      Buffer.from([`${line} HTTP/1.1`, ...headers, "Connection: close", "", ""].join("\r\n"), "latin1"),
    ],
    pauseMs: 0,
    isHead: [false],
    leavesAfter: undefined,
    patienceMs: 10_000,
    isReusable: false,
    isEnough: () => true,
  });
  client.close();
  return { status: replies[0]?.status ?? 0, text: replies[0]?.body.toString() ?? "" };
}

test.each(["status", "metrics", "sse", `${BACKEND}/sse`, `mcp/${BACKEND}`, `${BACKEND}/mcp`])(
  "no spelling of /health opens /%s",
  async (path) => {
    for (const target of [`/./health?/${path}`, `/x/../health?/${path}`, `http://a/%2e/health?/${path}`])
      expect(await ask(`GET ${target}`, ["Host: a"]), target).toMatchObject({ status: 401 });
  },
);

test("a path is compared as it was sent", async () => {
  const authorized = ["Host: localhost", `Authorization: Bearer ${TOKEN}`];
  for (const target of [
    "/./status",
    "/x/../status",
    "/%73tatus",
    "//status",
    "/status/",
    "/status%2f",
    "/STATUS",
    "/\\status",
  ])
    expect(await ask(`GET ${target}`, authorized), target).toMatchObject({ status: 404 });
  for (const target of [
    `/mcp/%2e%2e`,
    `/mcp/..%2fstatus`,
    "/../mcp",
    `/mcp/${BACKEND}%2f`,
    `/mcp/${BACKEND}%00`,
  ])
    expect(await ask(`GET ${target}`, authorized), target).toMatchObject({ status: 404 });
  expect(await ask("GET http://elsewhere.example/status", authorized)).toMatchObject({ status: 200 });
});

test("a path that leads nowhere is told so, with what its spelling has to do with it", async () => {
  const authorized = ["Host: localhost", `Authorization: Bearer ${TOKEN}`];
  const said = async (target: string) => (await ask(`GET ${target}`, authorized)).text;
  expect(await said("/secretname")).toContain("Nothing at /secretname. Routes: /mcp, /mcp/secretname, /sse,");
  for (const target of ["/./status", "//status", "/%73tatus"])
    expect(await said(target)).toContain("Dot segments, escapes and doubled slashes are not understood.");
});

test("2,000 spellings, Hosts, routes and binds find no way in", async () => {
  const { findings, statuses } = await fuzzPaths({ gateways, seed: 16, cases: 2_000, lanes: 8 });
  expect(findings).toEqual([]);
  // What is open was read, and what is not was refused.
  expect(statuses.get(200)).toBeGreaterThan(5);
  expect(statuses.get(401)).toBeGreaterThan(50);
  expect(statuses.get(404)).toBeGreaterThan(50);
}, 60_000);

describe("credentials", () => {
  const closed = ROUTES.filter(({ access }) => access === "credentials").map((route) => ({
    line: `${"method" in route ? route.method : "GET"} ${route.path.replace(":backend", BACKEND).replace("*", "x")}`,
  }));
  const bearer = `Authorization: Bearer ${TOKEN}`;
  const WRONG: readonly (readonly [string, readonly string[]])[] = [
    ["none", []],
    ["empty", ["Authorization:"]],
    ["only a scheme", ["Authorization: Bearer"]],
    ["a wrong token", ["Authorization: Bearer tok-1234567890abcdeX"]],
    ["a prefix", [bearer.slice(0, -1)]],
    ["one letter more", [`${bearer}x`]],
    ["another case", [`Authorization: Bearer ${TOKEN.toUpperCase()}`]],
    ["a blank within", [`Authorization: Bearer ${TOKEN.slice(0, 5)} ${TOKEN.slice(5)}`]],
    ["a word behind", [`${bearer} x`]],
    ["twice in one header", [`${bearer}, Bearer ${TOKEN}`]],
    ["quotes", [`Authorization: Bearer "${TOKEN}"`]],
    ["no scheme", [`Authorization: ${TOKEN}`]],
    ["another scheme", [`Authorization: Basic ${TOKEN}`]],
    ["Basic with the token as password", [`Authorization: Basic ${btoa(`x:${TOKEN}`)}`]],
    ["no blank", [`Authorization: Bearer${TOKEN}`]],
    ["not ASCII", [`Authorization: Bearer ${TOKEN}\u00a0`]],
    ["other letters that look alike", [`Authorization: Bearer ${TOKEN.replace("t", "\u00fe")}`]],
    ["two headers, wrong first", ["Authorization: Bearer wrong", bearer]],
    ["two headers, right first", [bearer, "Authorization: Bearer wrong"]],
    ["another header", [`X-Authorization: Bearer ${TOKEN}`]],
    ["the proxy's header", [`Proxy-Authorization: Bearer ${TOKEN}`]],
    ["a cookie", [`Cookie: authorization=Bearer ${TOKEN}`]],
  ];

  test.each(closed)("$line takes none of the wrong ones", async ({ line }) => {
    for (const [what, headers] of WRONG)
      expect(await ask(line, ["Host: localhost", ...headers]), what).toMatchObject({ status: 401 });
    const inQuery = await ask(`${line}?token=${TOKEN}&access_token=${TOKEN}`, ["Host: localhost"]);
    expect(inQuery.status).toBe(401);
  });

  test.each(closed)("$line takes the right one", async ({ line }) => {
    for (const right of [bearer, `authorization: bearer ${TOKEN}`, `AUTHORIZATION: BEARER  ${TOKEN} `])
      expect((await ask(line, ["Host: localhost", "Content-Length: 0", right])).status, right).not.toBe(401);
  });
});
