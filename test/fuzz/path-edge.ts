// Spellings of paths, times Hosts, routes and gateways (binds, with and without a token). The oracle knows the list of
// routes and nothing else: without credentials only a route that is declared open answers, and with them a path is
// served only as it was sent.

import { ROUTES } from "../../src/edge/routes.ts";
import { Random } from "./random.ts";
import { RawClient } from "./raw-client.ts";

/** The gateways that are played against: their token, their backend, where they listen. */
export const TOKEN = "tok-1234567890abcdef";
export const BACKEND = "secretname";
export const BINDS = [
  { host: "0.0.0.0", token: TOKEN },
  { host: "127.0.0.1", token: TOKEN },
  { host: "::1", token: TOKEN },
  { host: "127.0.0.1" },
];

export interface Fuzzed {
  readonly host: string;
  readonly port: number;
  /** Absent: the gateway has none, and only its own names get in. */
  readonly token?: string;
  /** The name of its one backend, which no stranger may hear. */
  readonly backend: string;
}

export interface PathFuzz {
  readonly gateways: readonly Fuzzed[];
  readonly seed: number;
  readonly cases: number;
  readonly lanes: number;
}

export interface PathReport {
  readonly findings: readonly string[];
  /** How often each status came. */
  readonly statuses: ReadonlyMap<number, number>;
}

interface PathCase {
  readonly method: string;
  readonly target: string;
  readonly hostHeader: string;
  readonly hasToken: boolean;
}

const OPEN = ROUTES.filter(({ access }) => access === "open").map(({ path }) => path.slice(1));
const AUTHORITIES = [
  "",
  "",
  "",
  "",
  "http://a",
  "http://localhost",
  "HTTP://a:1",
  "https://[::1]:80",
  "http://",
  "//a",
];
const LEADS = [
  "/",
  "/",
  "/",
  "/./",
  "/x/../",
  "/%2e/",
  "//",
  "///",
  "/\\",
  "/%2f",
  "/.%2e/",
  "/../",
  "/;/",
  "/%5c",
];
const JOINTS = [
  ..."/ # ? & ; \\ %2f %5c %23 %3f %00 %09 // /./ /../ /..\\ \\..\\ /%2e%2e/ %2f..%2f ?/ #/ ?# #? /.. ?/../".split(
    " ",
  ),
  "",
];
const TAILS = [
  "",
  "",
  "",
  "/",
  "//",
  "?",
  "#",
  "?x=1",
  "/.",
  "/..",
  "%20",
  ";v=1",
  "#/health",
  "?/health",
  "/..;/health",
  "%2fhealth",
];
const HOSTS = [
  "a",
  "a",
  "localhost",
  "127.0.0.1",
  "localhost",
  "127.0.0.1",
  "[::1]",
  "a",
  "a:1",
  "localhost:0",
  "LOCALHOST:1",
  "",
  "evil.example",
  "x/health?",
  "x#",
];
const METHODS = ["GET", "GET", "GET", "GET", "POST", "HEAD", "DELETE", "OPTIONS"];
const OWN_HOSTS = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;
const PATIENCE_MS = 10_000;

export async function fuzzPaths({ gateways, seed, cases, lanes }: PathFuzz): Promise<PathReport> {
  const findings: string[] = [];
  const statuses = new Map<number, number>();
  let next = 0;
  const lane = async () => {
    while (next < cases) {
      const number = next++;
      const random = new Random(seed + Math.imul(number, 0x9e3779b1)).fork();
      // Most at the first, which takes more Hosts than the others.
      const gateway = random.chance(0.5) ? (gateways[0] ?? random.pick(gateways)) : random.pick(gateways);
      const drawn = drawPath(random, gateway);
      const { status, text } = await send(gateway, drawn);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const problem = judge(drawn, gateway, status, text);
      if (problem !== undefined)
        findings.push(`case ${number}, on ${gateway.host}: ${JSON.stringify(drawn)}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { findings, statuses };
}

function drawPath(random: Random, { backend, token }: Fuzzed): PathCase {
  const words = ROUTES.map(({ path }) => path.slice(1).replace(":backend", backend).replace("*", "nothing"));
  const [method, tail] = random.chance(0.5) ? ["GET", ""] : [random.pick(METHODS), random.pick(TAILS)];
  // What one parser takes for an open route, and another for the route behind it.
  const open = random.chance(0.4) ? random.pick(OPEN) : random.pick(words);
  const rest = random.chance(0.7) ? random.pick(JOINTS) + random.pick(words) : "";
  const plain = `${random.pick(LEADS)}${open}${rest}${tail}`;
  const bent = random.chance(0.15) ? escapeOne(random, plain) : plain;
  return {
    method,
    target: random.pick(AUTHORITIES) + (random.chance(0.05) ? bent.toUpperCase() : bent),
    hostHeader: random.pick(HOSTS),
    hasToken: token !== undefined && random.chance(0.3),
  };
}

function escapeOne(random: Random, path: string): string {
  const at = random.below(path.length);
  const code = path.charCodeAt(at).toString(16).padStart(2, "0");
  return `${path.slice(0, at)}%${code}${path.slice(at + 1)}`;
}

async function send(gateway: Fuzzed, { method, target, hostHeader, hasToken }: PathCase) {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${hostHeader}`,
    "Accept: application/json, text/event-stream",
    "Content-Length: 0",
    "Connection: close",
    ...(hasToken ? [`Authorization: Bearer ${gateway.token}`] : []),
  ];
  const client = new RawClient(gateway.port, gateway.host);
  const { replies } = await client.exchange({
    pieces: [Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1")],
    pauseMs: 0,
    isHead: [method === "HEAD"],
    leavesAfter: undefined,
    patienceMs: PATIENCE_MS,
    isReusable: false,
    // The head of a stream tells enough.
    isEnough: () => true,
  });
  client.close();
  // Bun closes the connection on some lines that are no HTTP, without a word.
  return { status: replies[0]?.status ?? 0, text: replies[0]?.body.toString("utf8") ?? "" };
}

/** The path as it was sent: the target without an authority, which ends at the first slash, and without a query. */
function pathOf(target: string): string {
  const path = target.replace(/^[a-z]+:\/\/[^/?]*/i, "").replace(/\?.*$/s, "");
  return path === "" ? "/" : path;
}

function routeOf(path: string): (typeof ROUTES)[number] | undefined {
  return ROUTES.find((route) => {
    if (route.path === "/*") return false;
    const pattern = route.path.replace(/:backend/, "[^/]+");
    return new RegExp(`^${pattern}$`, "s").test(path);
  });
}

function judge(sent: PathCase, { backend, token }: Fuzzed, status: number, text: string): string | undefined {
  if (status < 100 || status >= 500) return status === 0 ? undefined : `is answered with ${status}`;
  const route = routeOf(pathOf(sent.target));
  const isIn = status < 400;
  if (sent.hasToken) {
    const isRefused = status === 400 || status === 403 || status === 404;
    return route === undefined && !isRefused
      ? `is read as another path: ${status} ${text.slice(0, 200)}`
      : undefined;
  }
  const mayRead = route?.access === "open" && ["GET", "HEAD"].includes(sent.method);
  if (token === undefined) {
    return isIn && !OWN_HOSTS.test(sent.hostHeader) ? `a foreign Host gets in: ${status}` : undefined;
  }
  if (isIn && !mayRead) return `gets in without the token: ${status} ${text.slice(0, 200)}`;
  const isTold = text.includes(`"${backend}"`) || text.includes(`known are ${backend}`);
  return isTold && !sent.target.includes(backend) ? `tells what is behind: ${text.slice(0, 200)}` : undefined;
}
