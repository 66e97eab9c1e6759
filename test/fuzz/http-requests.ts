// One HTTP request to the gateway as bytes: a message in it, and games with path, method, headers and framing.

import { encodeHeaderValue } from "../../src/protocol/param-headers.ts";
import { BACKEND, type Drawn, drawMessage, forge } from "./client-messages.ts";
import { anyString, corruptBytes, split } from "./hostile-values.ts";
import type { Loot } from "./loot.ts";
import type { Random } from "./random.ts";
import type { Sending } from "./raw-client.ts";

export interface HttpCase extends Sending {
  readonly requests: readonly SentRequest[];
}

export interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array;
  /** The bytes are one request and no more: it is clear what the gateway gets to read. */
  readonly isClean: boolean;
}

const PATHS = ["/mcp", "/mcp", `/mcp/${BACKEND}`, `/mcp/${BACKEND}`, `/mcp/${BACKEND}`, `/${BACKEND}/mcp`];
const OTHER_PATHS = [
  "/sse",
  `/${BACKEND}/sse`,
  "/message",
  "/message?sessionId=forged",
  "/health",
  "/metrics",
  "/status",
  "/",
  "/mcp/",
  "/mcp/nobody",
  "/mcp/__proto__",
  "/mcp/constructor",
  "/mcp/%ff",
  "/mcp/%",
  "/mcp/%00",
  "/mcp/..%2f..%2fstatus",
  "//mcp",
  "/mcp?x=1&x=2#y",
  "/mcp/ref/extra",
  `/mcp/${"a".repeat(100)}`,
  "/MCP",
  "/backends/nobody/restart",
  "/backends/%e0%a4/restart",
  "http://127.0.0.1/mcp",
  "http://[::1/mcp",
  "*",
  "/\u00e9\u0080",
];
const METHODS = ["GET", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "post", "FOO", "CONNECT"];
/** Nor too long, nor about the connection itself. */
const PLAIN_LINE = /^(?!Connection|Content-Encoding)[\w-]+: [ -~]{0,8000}\r\n$/;
/** Those of HTTP; at others the server below hangs up. */
const PLAIN_METHODS = new Set(["GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"]);
const HOSTS = [
  "localhost",
  "127.0.0.1",
  "[::1]:80",
  "evil.example",
  "localhost:99999999",
  "",
  "a b",
  "127.0.0.1:x",
  "é",
];
const ORIGINS = [
  "http://localhost",
  "null",
  "http://evil.example",
  "file://",
  "http://",
  "http://127.0.0.1:1",
  "\u00ff",
];
const ACCEPTS = [
  "application/json",
  "text/event-stream",
  "*/*",
  "",
  "text/html",
  ",;=q",
  "text/event-stream;q=0",
];
const TYPES = [
  "application/json; charset=utf-8",
  "APPLICATION/JSON",
  "application/vnd.x+json",
  "text/plain",
  "",
  ";",
  "application/json\u00ff",
];
/** For requests that are not whole: the gateway waits for the rest, and we do not. */
const SHORT_PATIENCE_MS = 60;
const TOO_LARGE_SHARE = 1 / 15_000;
const TOO_MANY_BYTES = 65 * 1024 * 1024;
const PATIENCE_MS = 40_000;

type Headers = [name: string, value: string][];

export function drawCase(random: Random, loot: Loot, port: number): HttpCase {
  const count = random.chance(0.03) ? 2 + random.below(3) : 1;
  const requests = Array.from({ length: count }, () => drawRequest(random, loot, port));
  const [first] = requests;
  if (first === undefined || count > 1)
    return pipelined(requests.filter(({ isClean, isEndless }) => isClean && !isEndless));
  const { bytes, isClean, isEndless } = first;
  const hasReply = isClean || bytes.length > TOO_MANY_BYTES;
  const leaves = random.chance(0.06);
  const sent = leaves && random.chance(0.6) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
  const isSplit = random.chance(0.15);
  return {
    pieces: isSplit ? split(random, sent, 5) : [sent],
    pauseMs: isSplit && random.chance(0.3) ? 1 : 0,
    isHead: [first.method === "HEAD"],
    leavesAfter: leaves ? drawLeaving(random) : undefined,
    patienceMs: hasReply && sent.length === bytes.length ? PATIENCE_MS : SHORT_PATIENCE_MS,
    isReusable: isClean && !leaves,
    isEnough: (reply) => isEndless && reply.body.length > 0,
    requests: [first],
  };
}

function drawLeaving(random: Random): "sending" | number {
  return random.chance(0.3) ? "sending" : random.pick([1, 200]);
}

interface DrawnRequest extends SentRequest {
  readonly bytes: Uint8Array;
  /** Answered by a stream that goes on. */
  readonly isEndless: boolean;
}

/** Several requests at once, each answered in its turn. */
function pipelined(requests: readonly DrawnRequest[]): HttpCase {
  return {
    pieces: [Buffer.concat(requests.map(({ bytes }) => bytes))],
    pauseMs: 0,
    isHead: requests.map(({ method }) => method === "HEAD"),
    leavesAfter: requests.length === 0 ? "sending" : undefined,
    patienceMs: PATIENCE_MS,
    isReusable: false,
    isEnough: () => false,
    requests,
  };
}

function drawRequest(random: Random, loot: Loot, port: number): DrawnRequest {
  const drawn = drawMessage(random, loot);
  const method = random.chance(0.88) ? "POST" : random.pick(METHODS);
  const path = drawPath(random, loot, method);
  const text = Buffer.from(drawn.text, "utf8");
  if (random.chance(TOO_LARGE_SHARE)) return tooLarge(path, port);
  const bytes = random.chance(0.07) ? corruptBytes(random, text) : text;
  const body = Buffer.from(method === "POST" || random.chance(0.1) ? bytes : []);
  const headers = drawHeaders(random, loot, { drawn, method, port });
  const { framed, framing, isClean } = frame(random, body);
  const lines = [...headers, ...framing].map(([name, value]) => `${name}: ${value}\r\n`);
  const version = random.chance(0.99)
    ? "HTTP/1.1"
    : random.pick(["HTTP/1.0", "HTTP/2.0", "HTTP/9", "", "http/1.1"]);
  const head = Buffer.from(`${method} ${path} ${version}\r\n${lines.join("")}\r\n`, "latin1");
  const isStrange = version !== "HTTP/1.1" || !PLAIN_METHODS.has(method) || !/^\/[!-~]*$/.test(path);
  const isEndless = method === "GET" || /sse/.test(path) || body.toString().includes("subscriptions/");
  return {
    bytes: Buffer.concat([head, framed]),
    body,
    isClean: isClean && !isStrange && lines.every((line) => PLAIN_LINE.test(line)),
    isEndless,
    path,
    method,
  };
}

/** More than the gateway takes, and it cannot know before it has read that much. */
function tooLarge(path: string, port: number): DrawnRequest {
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const body = Buffer.alloc(TOO_MANY_BYTES, "[");
  const framed = [Buffer.from(`${head}${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")];
  return { bytes: Buffer.concat(framed), body, isClean: false, isEndless: false, path, method: "POST" };
}

function drawPath(random: Random, loot: Loot, method: string): string {
  if (random.chance(0.03)) return loot.endpoints.any(random) ?? "/message?sessionId=x";
  if (random.chance(method === "POST" ? 0.05 : 0.4)) return random.pick(OTHER_PATHS);
  if (random.chance(0.01)) return `/mcp?${"x".repeat(random.below(20_000))}`;
  return random.pick(PATHS);
}

function drawHeaders(
  random: Random,
  loot: Loot,
  { drawn, method, port }: { drawn: Drawn; method: string; port: number },
): Headers {
  const headers: Headers = [["Host", random.chance(0.97) ? `127.0.0.1:${port}` : random.pick(HOSTS)]];
  if (random.chance(0.03)) headers.push(["Origin", random.pick(ORIGINS)]);
  if (method === "POST")
    headers.push(["Content-Type", random.chance(0.96) ? "application/json" : random.pick(TYPES)]);
  const both = method === "GET" ? "text/event-stream" : "application/json, text/event-stream";
  if (random.chance(0.98)) headers.push(["Accept", random.chance(0.9) ? both : random.pick(ACCEPTS)]);
  if (drawn.isModern) headers.push(...modernHeaders(random, drawn));
  if (!drawn.isModern || random.chance(0.05)) headers.push(...sessionHeaders(random, loot));
  if (random.chance(0.03))
    headers.push(["Mcp-Param-Region", random.pick(["x", "=?base64?%%%?=", "=?base64?/w==?=", ""])]);
  if (random.chance(0.02)) headers.push(["X-Junk", anyHeader(random)], ["X-Junk", "twice"]);
  if (random.chance(0.01)) headers.push(["Content-Encoding", random.pick(["gzip", "br", "identity", "x"])]);
  if (random.chance(0.01)) headers.push(["Connection", random.pick(["close", "upgrade", "keep-alive, x"])]);
  if (random.chance(0.005)) headers.push(["X-Big", "x".repeat(random.below(30_000))]);
  if (random.chance(0.03)) headers.push(random.pick(headers));
  return headers;
}

function modernHeaders(random: Random, { method, params }: Drawn): Headers {
  const name = params.name ?? params.uri;
  const headers: Headers = [
    ["MCP-Protocol-Version", "2026-07-28"],
    ["Mcp-Method", method.replace(/[^!-~]/g, "?")],
  ];
  if (typeof name === "string") headers.push(["Mcp-Name", encodeHeaderValue(name)]);
  if (params.name === "header_params")
    headers.push(["Mcp-Param-Count", random.pick(["7", "7.0", "8", "seven"])]);
  if (random.chance(0.9)) return headers;
  const at = random.below(headers.length);
  const [bentName = ""] = headers[at] ?? [];
  const bent = random.pick([
    "",
    "2025-11-25",
    "ping",
    "=?base64?AAAA",
    "=?base64?gA==?=",
    "a, b",
    anyHeader(random),
  ]);
  const kept: Headers = random.chance(0.3) ? [] : [[bentName, bent]];
  return [...headers.slice(0, at), ...kept, ...headers.slice(at + 1)];
}

function sessionHeaders(random: Random, loot: Loot): Headers {
  const headers: Headers = [];
  const session = loot.sessions.any(random);
  if (session !== undefined && random.chance(0.9)) {
    headers.push([
      "Mcp-Session-Id",
      random.chance(0.9) ? session : forge(random, session).replace(/[^!-~]/g, "?"),
    ]);
  }
  if (random.chance(0.5)) {
    headers.push([
      "MCP-Protocol-Version",
      random.chance(0.8) ? "2025-11-25" : random.pick(["2024-11-05", "junk", "", "2026-07-28"]),
    ]);
  }
  if (random.chance(0.1)) {
    const event = loot.events.any(random) ?? "log.1.0";
    headers.push([
      "Last-Event-ID",
      random.pick([
        event,
        forge(random, event).replace(/[^!-~]/g, "?"),
        "x.99999999999999999.0",
        "a.1.1.bnVsbA",
      ]),
    ]);
  }
  return headers;
}

/** Nothing that would end the line, but for one that does so on purpose. */
function anyHeader(random: Random): string {
  const text = anyString(random).slice(0, 500);
  return random.chance(0.1) ? text : text.replace(/[^\t -~]/g, "?");
}

/** Content-Length or chunks, sometimes wrong. */
function frame(random: Random, body: Uint8Array): { framed: Uint8Array; framing: Headers; isClean: boolean } {
  const length = String(body.length);
  if (body.length > 0 && random.chance(0.12)) return chunked(random, body);
  if (body.length === 0 || random.chance(0.97))
    return { framed: body, framing: [["Content-Length", length]], isClean: true };
  const wrong = random.pick<Headers>([
    [["Content-Length", String(random.below(body.length))]],
    [["Content-Length", String(body.length + 1 + random.below(100))]],
    [["Content-Length", "-1"]],
    [["Content-Length", "0x10"]],
    [["Content-Length", "99999999999999999999"]],
    [["Content-Length", String(65 * 1024 * 1024)]],
    [
      ["Content-Length", length],
      ["Content-Length", "3"],
    ],
    [
      ["Content-Length", length],
      ["Transfer-Encoding", "chunked"],
    ],
    [["Transfer-Encoding", "gzip, chunked"]],
    [["Transfer-Encoding", "x"]],
    [
      ["Expect", "100-continue"],
      ["Content-Length", length],
    ],
    [],
  ]);
  return { framed: body, framing: wrong, isClean: false };
}

function chunked(random: Random, body: Uint8Array) {
  const isBroken = random.chance(0.15);
  const chunks = split(random, body, 6).filter(({ length }) => length > 0);
  const size = ({ length }: Uint8Array) => {
    const hex = random.chance(0.5) ? length.toString(16) : length.toString(16).toUpperCase();
    return isBroken ? random.pick([`${hex};x=1`, "-1", "zz", "ffffffffffffffff", hex, `0${hex}`]) : hex;
  };
  const parts = chunks.flatMap((chunk) => [Buffer.from(`${size(chunk)}\r\n`), chunk, Buffer.from("\r\n")]);
  const end = isBroken ? random.pick(["0\r\nX-Trailer: 1\r\n\r\n", "0\r\n", "", "0\r\n\r\n"]) : "0\r\n\r\n";
  const framing: Headers = [["Transfer-Encoding", "chunked"]];
  return { framed: Buffer.concat([...parts, Buffer.from(end)]), framing, isClean: !isBroken };
}
