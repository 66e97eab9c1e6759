// What is wrong, said to the letter: file, line, column, what was found, what was expected, what was probably meant.

import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { complaints, problems, problemsOf } from "./written.ts";

const DURATION = '(90 is seconds; "500ms", "5m", "1h30m"; ';
const NAME = `1 to 64 letters, digits, ".", "_" or "-", and none of our routes' words (mcp, health, metrics, sse, message, messages)`;

/** One backend with this on its third line, at column five. */
const backend = (line: string) => `backends:\n  it:\n    ${line}\n`;

describe("one slip", () => {
  test.each([
    // Keys.
    ["prot: 1", 'servers.yaml:1:1: unknown key "prot" at the top level; did you mean "port"?'],
    [
      "logLevel: INFO",
      'servers.yaml:1:1: unknown key "logLevel" at the top level; did you mean "log_level"?',
    ],
    [
      "nonsense: 1",
      'servers.yaml:1:1: unknown key "nonsense" at the top level; expected one of $schema, host, port, enable_meta_mcp, ' +
        "pinned, max_result_tokens, log_level, auth, public_url, allowed_hosts, allowed_origins, request_timeout, start_timeout, question_timeout, idle_timeout, prewarm, memory_limit, backends",
    ],
    ["auth: {tokn: x}", 'servers.yaml:1:8: unknown key "tokn" in auth; did you mean "token"?'],
    [
      backend("comand: npx"),
      'servers.yaml:3:5: unknown key "comand" in backends.it; did you mean "command"?',
    ],
    [
      backend("desc: x\n    command: x"),
      'servers.yaml:3:5: unknown key "desc" in backends.it; did you mean "description"?',
    ],
    [
      backend("httpUrl: http://x"),
      'servers.yaml:3:5: unknown key "httpUrl" in backends.it; did you mean "http_url"?',
    ],
    // Types and ranges.
    ["port: 0", "servers.yaml:1:7: port must be a whole number from 1 to 65535, not 0"],
    ["port: 65536", "servers.yaml:1:7: port must be a whole number from 1 to 65535, not 65536"],
    ['port: "80"', 'servers.yaml:1:7: port must be a whole number from 1 to 65535, not "80"'],
    ["port: 1.5", "servers.yaml:1:7: port must be a whole number from 1 to 65535, not 1.5"],
    ["port: [80]", "servers.yaml:1:7: port must be a whole number from 1 to 65535, not a list"],
    [
      "host: localhost:80",
      'servers.yaml:1:7: host must be a host name or an IP address, without a port, not "localhost:80"',
    ],
    [
      "host: http://x",
      'servers.yaml:1:7: host must be a host name or an IP address, without a port, not "http://x"',
    ],
    ["enable_meta_mcp: yes", 'servers.yaml:1:18: enable_meta_mcp must be true or false, not "yes"'],
    [
      "log_level: warn",
      'servers.yaml:1:12: log_level must be one of DEBUG, INFO, WARNING, ERROR (in any case), not "warn"; did you mean "WARNING"?',
    ],
    [
      "idle_timeout: -1",
      `servers.yaml:1:15: idle_timeout must be a duration ${DURATION}at most 24 days), not -1`,
    ],
    [
      "idle_timeout: 30d",
      `servers.yaml:1:15: idle_timeout must be a duration ${DURATION}at most 24 days), not "30d"`,
    ],
    [
      "request_timeout: 0",
      `servers.yaml:1:18: request_timeout must be a duration ${DURATION}more than 0, at most 24 days), not 0`,
    ],
    [
      "start_timeout: 0s",
      `servers.yaml:1:16: start_timeout must be a duration ${DURATION}more than 0, at most 24 days), not "0s"`,
    ],
    ["auth: abc", 'servers.yaml:1:7: auth must be a map with "token" or "disabled", not text'],
    ["auth: {token: ''}", "servers.yaml:1:15: auth.token must be text, not empty text"],
    ["auth: {token: 12345678}", "servers.yaml:1:15: auth.token must be text, not a number"],
    [
      "public_url: mcp.example.com",
      'servers.yaml:1:13: public_url must be an http:// or https:// URL without a query, not "mcp.example.com"',
    ],
    [
      "public_url: https://x/a?b",
      'servers.yaml:1:13: public_url must be an http:// or https:// URL without a query, not "https://x/a?b"',
    ],
    [
      "allowed_hosts: [a.example:8080]",
      'servers.yaml:1:17: allowed_hosts.0 must be a host name or an IP address, without a port, not "a.example:8080"',
    ],
    [
      "allowed_origins: [https://a.example/]",
      'servers.yaml:1:19: allowed_origins.0 must be an origin such as "https://app.example.com", "app-scheme://*" or "null", not "https://a.example/"',
    ],
    [
      'allowed_origins: ["https://*"]',
      'servers.yaml:1:19: allowed_origins.0 must be an origin such as "https://app.example.com", "app-scheme://*" or "null", not "https://*"',
    ],
    ["backends: [a]", "servers.yaml:1:11: backends must be a map from names to backends, not a list"],
    ["- a", 'servers.yaml:1:1: the configuration must be a map with "backends", not a list'],
    ["hello", 'servers.yaml:1:1: the configuration must be a map with "backends", not text'],
    [
      "backends: {it: npx -y x}",
      'servers.yaml:1:16: backends.it must be a map with "command" or "http_url", not text',
    ],
    [
      backend("command: [npx, -y]"),
      'servers.yaml:3:14: backends.it.command must be a command line (text; a list of arguments goes into "args"), not a list',
    ],
    [
      backend("command: x\n    args: -y"),
      "servers.yaml:4:11: backends.it.args must be a list of texts, not text",
    ],
    [
      backend("command: x\n    args: [a, {b: c}]"),
      "servers.yaml:4:15: backends.it.args.1 must be text, not a map",
    ],
    [
      backend("command: x\n    env: [A=b]"),
      "servers.yaml:4:10: backends.it.env must be a map of environment variables, not a list",
    ],
    [
      backend("command: x\n    env: {A: [b]}"),
      "servers.yaml:4:14: backends.it.env.A must be text, not a list",
    ],
    [
      backend("command: x\n    env:\n      A:"),
      "servers.yaml:5:7: backends.it.env.A must be text, not nothing",
    ],
    [
      backend("command: x\n    env: {A=B: c}"),
      `servers.yaml:4:11: the name "A=B" in backends.it.env must be a variable's name without "="; did you mean "A-B"?`,
    ],
    [
      backend("url: http://x\n    headers: {a b: c}"),
      `servers.yaml:4:15: the name "a b" in backends.it.headers must be an HTTP header's name; did you mean "a-b"?`,
    ],
    [
      backend("command: x\n    enabled: maybe"),
      'servers.yaml:4:14: backends.it.enabled must be true or false, not "maybe"',
    ],
    [
      backend("command: x\n    protocol: legacy"),
      'servers.yaml:4:15: backends.it.protocol must be one of auto, 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25, 2026-07-28, not "legacy"',
    ],
    [
      backend("command: x\n    protocol: 2025-06-19"),
      'servers.yaml:4:15: backends.it.protocol must be one of auto, 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25, 2026-07-28, not "2025-06-19"; did you mean "2025-06-18"?',
    ],
    // Names.
    ["backends: {health: {command: x}}", `servers.yaml:1:12: the name "health" in backends must be ${NAME}`],
    ["backends: {..: {command: x}}", `servers.yaml:1:12: the name ".." in backends must be ${NAME}`],
    [
      "backends: {a b: {command: x}}",
      `servers.yaml:1:12: the name "a b" in backends must be ${NAME}; did you mean "a-b"?`,
    ],
    ["backends: {é: {command: x}}", `servers.yaml:1:12: the name "é" in backends must be ${NAME}`],
    // How to reach it.
    [
      backend("description: x"),
      'servers.yaml:2:3: backends.it needs "command" (a program to start) or "http_url" (a server to connect to)',
    ],
    [
      "backends:\n  it:\n",
      'servers.yaml:2:3: backends.it needs "command" (a program to start) or "http_url" (a server to connect to)',
    ],
    [
      backend("command: x\n    url: http://x"),
      'servers.yaml:4:5: backends.it has both "command" and "url"; keep the one that is meant',
    ],
    [
      backend("type: stdio\n    http_url: http://x"),
      'servers.yaml:3:5: backends.it.type is stdio, which needs "command" and not "http_url"',
    ],
    [
      backend("command: x\n    transport: sse"),
      'servers.yaml:4:5: backends.it.transport is sse, which needs "http_url" and not "command"',
    ],
    [
      backend("type: htttp\n    url: http://x"),
      'servers.yaml:3:11: backends.it.type must be one of auto, stdio, http, sse, streamable-http, streamableHttp, not "htttp"; did you mean "http"?',
    ],
    [
      backend("http_url: ftp://x"),
      "servers.yaml:3:15: backends.it.http_url must be an http:// or https:// URL, not a URL that begins with ftp:",
    ],
    [
      backend("url: localhost"),
      "servers.yaml:3:10: backends.it.url must be an http:// or https:// URL, not text that is no URL",
    ],
    [
      backend('command: npx "a b'),
      'servers.yaml:3:14: backends.it.command has a quote (") at character 5 that is never closed',
    ],
    [backend("command: ' '"), "servers.yaml:3:14: backends.it.command names no program"],
    // The same thing twice.
    [
      "servers: {a: {command: x}}\nmcpServers: {b: {command: x}}",
      'servers.yaml:2:1: "mcpServers" and "servers" at the top level mean the same; keep one of them',
    ],
    [
      backend("url: http://x\n    http_url: http://x"),
      'servers.yaml:4:5: "http_url" and "url" in backends.it mean the same; keep one of them',
    ],
    [
      backend("command: x\n    type: stdio\n    transport: stdio"),
      'servers.yaml:5:5: "transport" and "type" in backends.it mean the same; keep one of them',
    ],
    [
      backend("command: x\n    enabled: true\n    disabled: true"),
      'servers.yaml:5:5: "disabled" and "enabled" in backends.it mean the same; keep one of them',
    ],
    [
      "port: 1\nhost: x\nport: 2",
      'servers.yaml:3:1: duplicate key "port" at the top level; it stands on line 1 already',
    ],
    [
      "backends:\n  a: {command: x}\n  a: {command: y}",
      'servers.yaml:3:3: duplicate key "a" in backends; it stands on line 2 already',
    ],
    [
      backend("command: x\n    env:\n      A: b\n      A: c"),
      'servers.yaml:6:7: duplicate key "A" in backends.it.env; it stands on line 5 already',
    ],
    [
      '{"port": 1,\n "port": 2}',
      'servers.yaml:2:2: duplicate key "port" at the top level; it stands on line 1 already',
    ],
    // The token.
    [
      `auth:\n  token: \${NONE}`,
      `servers.yaml:2:10: auth.token needs the environment variable NONE, which is not set; set it, or write \${NONE:-default}`,
    ],
    ["auth: {token: $BLANK}", "servers.yaml:1:15: auth.token is empty once its variables are filled in"],
    // The session key.
    [
      "auth: {session_key: fifteen-letters}",
      "servers.yaml:1:21: auth.session_key must have at least 16 characters once its variables are filled in",
    ],
    [
      "auth: {session_key: $BLANK}",
      "servers.yaml:1:21: auth.session_key is empty once its variables are filled in",
    ],
    // Syntax.
    ["backends:\n\ta: 1", "servers.yaml:2:1: not valid YAML: a tab is used as indentation; use spaces"],
    [
      backend('command: "C:\\Users\\x"'),
      "servers.yaml:3:17: not valid YAML: a backslash in double quotes starts no known escape; write \\\\, or use single quotes",
    ],
    [
      backend("description: search: web"),
      'servers.yaml:3:18: not valid YAML: a key inside a value, or a line indented by mistake; a value that contains ": " needs quotes',
    ],
    [
      "port: 1\nhost\nlog_level: INFO",
      'servers.yaml:2:1: not valid YAML: a line that is no "key: value", or one indented by mistake',
    ],
    [
      "host: *nowhere",
      'servers.yaml:1:7: not valid YAML: an alias without its anchor; a value that begins with "*" needs quotes',
    ],
    [
      "host: !secret x",
      'servers.yaml:1:7: not valid YAML: a tag that is not known; a value that begins with "!" needs quotes',
    ],
    ["? [a]\n: b", "servers.yaml:1:3: not valid YAML: a key that is not plain text"],
    [
      "port: 1\n---\nport: 2",
      'servers.yaml:2:1: not valid YAML: a second document; only one may stand in the file, and "---" begins another',
    ],
    ["<<: 3", "servers.yaml: the file cannot be read as YAML: Merge sources must be maps or map aliases"],
  ])("%p", (content, complaint) => {
    expect(complaints(content, { env: { BLANK: " " } })).toEqual([complaint]);
  });
});

describe("many slips", () => {
  test("are reported at once, in the order of the file", () => {
    const content = `port: 99999
log_level: loud
backends:
  tavily:
    comand: npx -y tavily
    idle_timeout: 5 minutes
  mcp: {command: x}
  both:
    command: a
    url: http://x
  neither:
  quote: {command: "a 'b"}
  url: {url: nowhere, type: htttp, enabled: 1}
  url: {url: "http://x"}
auth: {token: "\${NONE}"}
`;
    expect(problems(content).map(({ line, column, path }) => [line, column, path])).toEqual([
      [1, 7, "port"],
      [2, 12, "log_level"],
      [5, 5, "backends.tavily.comand"],
      [6, 19, "backends.tavily.idle_timeout"],
      [7, 3, "backends.mcp"],
      [10, 5, "backends.both.url"],
      [11, 3, "backends.neither"],
      [12, 20, "backends.quote.command"],
      [14, 3, "backends.url"],
      [15, 15, "auth.token"],
    ]);
  });

  test("carry what was found and expected", () => {
    expect(problems("port: 99999")).toEqual([
      {
        file: "servers.yaml",
        line: 1,
        column: 7,
        path: "port",
        message: "port must be a whole number from 1 to 65535, not 99999",
        found: "99999",
        expected: "a whole number from 1 to 65535",
        suggestion: undefined,
      },
    ]);
  });

  test("of syntax are one a line", () => {
    const found = problems(`a: ${"[".repeat(20_000)}`);
    expect(found.map(({ message }) => message)).toEqual(["not valid YAML: lists or maps nested too deeply"]);
  });
});

describe("positions", () => {
  test("hold with a byte order mark and Windows line ends", () => {
    expect(complaints("\uFEFFport: 0\r\nbackends:\r\n  a:\r\n    comand: x\r\n")).toEqual([
      "servers.yaml:1:7: port must be a whole number from 1 to 65535, not 0",
      'servers.yaml:4:5: unknown key "comand" in backends.a; did you mean "command"?',
    ]);
  });

  test("are those of the anchor for what was merged in", () => {
    const content = "x-common: &common\n  env: {A: [1]}\nbackends:\n  a: {<<: *common, command: x}\n";
    expect(complaints(content)).toEqual(["servers.yaml:2:12: backends.a.env.A must be text, not a list"]);
  });
});

describe("an object", () => {
  test("has paths and no places", () => {
    const found = problemsOf(() => loadConfig({ port: -1, backends: { "a b": { command: "" } } }));
    expect(found.map(({ message, file, line }) => [message, file, line])).toEqual([
      ["port must be a whole number from 1 to 65535, not -1", undefined, undefined],
      [
        'backends.a b.command must be a command line (text; a list of arguments goes into "args"), not empty text',
        undefined,
        undefined,
      ],
      [`the name "a b" in backends must be ${NAME}`, undefined, undefined],
    ]);
  });
});

describe("the command line", () => {
  test.each([
    [{ port: 65536 }, "port must be a whole number from 0 to 65535, not 65536"],
    [{ port: 1.5 }, "port must be a whole number from 0 to 65535, not 1.5"],
    [{ port: Number.NaN }, "port must be a whole number from 0 to 65535, not NaN"],
    [{ host: "a:b" }, 'host must be a host name or an IP address, without a port, not "a:b"'],
  ])("%p", (overrides, complaint) => {
    expect(complaints("port: 1", { overrides })).toEqual([complaint]);
  });
});

describe("a secret", () => {
  const SECRET = "hunter2-s3cret";
  test.each([
    [`auth: ${SECRET}`],
    [`auth: {token: [${SECRET}]}`],
    [`auth: {token: "${SECRET}\${NONE}"}`],
    [backend(`env: ${SECRET}`)],
    [backend(`env: [KEY=${SECRET}]`)],
    [backend(`env: {KEY: {a: ${SECRET}}}`)],
    [backend(`env: {KEY: *${SECRET}}`)],
    [backend(`env: {KEY: !${SECRET}}`)],
    [backend(`env: {KEY: !${SECRET} [a]}`)],
    [backend(`env: {KEY: "\\q${SECRET}"}`)],
    [backend(`env: {KEY: "${SECRET}}`)],
    [backend(`env:\n      KEY: |x ${SECRET}\n        a`)],
    [backend(`env:\n      KEY: @${SECRET}`)],
    [backend(`env:\n      KEY: %${SECRET}`)],
    [backend(`env:\n      KEY: a\n      ${SECRET}`)],
    [backend(`env:\n      KEY: a: ${SECRET}`)],
    [backend(`headers: ${SECRET}`)],
    [backend(`url: "${SECRET}"`)],
    [backend(`url: "ftp://me:${SECRET}@x"`)],
    [backend(`command: "run '--key=${SECRET}"`)],
    [backend(`command: [run, ${SECRET}]`)],
    [backend(`command: run\n    args: ${SECRET}`)],
    [backend(`command: run\n    args: {a: ${SECRET}}`)],
    [`%${SECRET}\n---\nport: 1`],
    [`port: 1\n} ${SECRET}`],
    [`backends: ${SECRET}`],
    [SECRET],
  ])("is in no problem: %p", (content) => {
    const found = complaints(content);
    expect(found).not.toEqual([]);
    expect(found.join("\n")).not.toContain(SECRET);
  });
});
