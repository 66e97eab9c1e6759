// The keys of servers.yaml: the one source of validation, of `mcp-gateway schema` and of README's key table.
// What becomes of their values is not known here.

import { type Static, Type } from "@sinclair/typebox";
import { clientKeys, clientTopKeys, whyWithoutEffect, whyWithoutEffectAtTop } from "./client-keys.ts";
import { lifetimeKeys } from "./lifetime-keys.ts";
import {
  anyCase,
  choice,
  duration,
  flag,
  type Hints,
  isHost,
  isOrigin,
  isPublicUrl,
  listOf,
  scalar,
  size,
  text,
  texts,
} from "./shapes.ts";
import { ToolRulesSchema, toolKeys } from "./tool-keys.ts";

export const LOG_LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"] as const;
const TRANSPORTS = ["auto", "stdio", "http", "sse", "streamable-http", "streamableHttp"] as const;
const REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"] as const;

export const DEFAULTS = {
  host: "127.0.0.1",
  port: 39400,
  enable_meta_mcp: true,
  log_level: "INFO",
  request_timeout: "60s",
  start_timeout: "60s",
  question_timeout: "10m",
  idle_timeout: 300,
  max_result_tokens: 20_000,
  prewarm: true,
  memory_limit: "256MB",
} as const;

/** The first segments of our own routes, which `/{backend}/mcp` would hide. */
const ROUTE_WORDS = ["mcp", "health", "metrics", "sse", "message", "messages"];
export const NAME_PATTERN = `^(?!(?:${ROUTE_WORDS.join("|")}|\\.{1,2})$)[A-Za-z0-9._-]{1,64}$`;

const healthCheckInterval = Type.Unknown({
  description: "Accepted for files of version 1.x; has no effect.",
  deprecated: true,
  hints: { ignored: "the state of a backend is watched, not polled" },
});

const url = (hints: Hints) =>
  text({
    description: "URL of a server that runs already (Streamable HTTP, or HTTP+SSE).",
    hints: { expected: "an http:// or https:// URL", ...hints },
  });

const transport = (hints: Hints) =>
  choice(TRANSPORTS, {
    description:
      "`auto`, `stdio`, `http` or `sse`. `auto`: stdio with a command; with a URL, SSE first where it ends in `/sse`, " +
      "otherwise POST first and SSE on 400, 404 or 405.",
    default: "auto",
    hints,
  });

export const BackendSchema = Type.Object(
  {
    command: Type.Optional(
      text({
        description:
          "Program to start, with its arguments: split by shell quoting rules, without a shell. " +
          "With `args`, it is the program alone.",
        hints: { expected: 'a command line (text; a list of arguments goes into "args")' },
      }),
    ),
    args: Type.Optional(
      Type.Array(scalar(), {
        description: "Arguments of `command`, each one as it is.",
        hints: { expected: "a list of texts" },
      }),
    ),
    http_url: Type.Optional(url({})),
    url: Type.Optional(url({ aliasOf: "http_url" })),
    transport: Type.Optional(transport({})),
    type: Type.Optional(transport({ aliasOf: "transport" })),
    protocol: Type.Optional(
      choice(["auto", ...REVISIONS], {
        description: `Hold the backend to one protocol revision (${REVISIONS.join(", ")}) instead of negotiating.`,
        default: "auto",
      }),
    ),
    description: Type.Optional(
      Type.String({
        description: "What the backend is for; models read it.",
        default: "",
        hints: { expected: "text" },
      }),
    ),
    env: Type.Optional(
      texts("^[^=\\u0000]+$", {
        description: "Environment variables of the process, beside a short safe set of the gateway's own.",
        hints: { expected: "a map of environment variables", expectedName: 'a variable\'s name without "="' },
      }),
    ),
    headers: Type.Optional(
      texts("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", {
        description: "HTTP headers of every request to `http_url`.",
        hints: { expected: "a map of HTTP headers", expectedName: "an HTTP header's name" },
      }),
    ),
    cwd: Type.Optional(
      text({
        description:
          "Working directory of the process; `~` works, a relative one starts at this file's folder.",
        hints: { expected: "a folder", isFolder: true },
      }),
    ),
    idle_timeout: Type.Optional(
      duration("zero", {
        description:
          "Sleep after this long without a call; 0: never. Of a URL backend only the connection is closed. " +
          "Seconds, or `5m`. Default: the top level's.",
      }),
    ),
    request_timeout: Type.Optional(
      duration("more than zero", {
        description:
          "Longest wait for an answer, renewed by progress. Seconds, or `5m`. Default: the top level's.",
      }),
    ),
    start_timeout: Type.Optional(
      duration("more than zero", {
        description: "Longest wait for the backend to start. Seconds, or `5m`. Default: the top level's.",
      }),
    ),
    question_timeout: Type.Optional(
      duration("more than zero", {
        description:
          "How long a person may take to answer a question of this backend. Seconds, or `5m`. Default: the top level's.",
      }),
    ),
    tools: Type.Optional(ToolRulesSchema),
    ...lifetimeKeys,
    enabled: Type.Optional(
      flag({ description: "`false` (or `disabled: true`) leaves the backend out.", default: true }),
    ),
    disabled: Type.Optional(
      flag({ description: "The opposite of `enabled`, as clients write it.", hints: { aliasOf: "enabled" } }),
    ),
    health_check_interval: Type.Optional(healthCheckInterval),
    ...clientKeys,
  },
  {
    additionalProperties: false,
    hints: {
      expected: 'a map with "command" or "http_url"',
      tolerates: whyWithoutEffect,
    } satisfies Hints,
  },
);

/** For clients' own server names, which are mapped to valid names later. */
const ANY_NAME = "^[^]*$";

const backends = (hints: Hints) =>
  Type.Record(
    Type.String({ pattern: hints.aliasOf === undefined ? NAME_PATTERN : ANY_NAME }),
    BackendSchema,
    {
      additionalProperties: false,
      description: "The MCP servers behind the gateway, by name.",
      hints: {
        expected: "a map from names to backends",
        expectedName: `1 to 64 letters, digits, ".", "_" or "-", and none of our routes' words (${ROUTE_WORDS.join(", ")})`,
        ...hints,
      },
    },
  );

const AuthSchema = Type.Object(
  {
    token: Type.Optional(
      text({
        description:
          "Bearer token that every request but `GET /health` must carry; variables are filled in. " +
          "Default: the environment's `MCP_GATEWAY_TOKEN`.",
      }),
    ),
    disabled: Type.Optional(
      flag({
        description: "`true` lets the gateway listen beyond this machine without a token.",
        default: false,
      }),
    ),
    session_key: Type.Optional(
      text({
        description:
          "Secret that session ids are signed with, at least 16 characters; variables are filled in. Gateways that share " +
          "it take each other's sessions. Default: one of this machine's own, made once.",
      }),
    ),
  },
  { additionalProperties: false, hints: { expected: 'a map with "token" or "disabled"' } },
);

export const ConfigSchema = Type.Object(
  {
    $schema: Type.Optional(text({ description: "Where an editor finds this schema." })),
    host: Type.Optional(
      text({
        description: "Address to listen on. One that other machines can reach needs `auth.token`.",
        default: DEFAULTS.host,
        hints: {
          expected: "a host name or an IP address, without a port",
          isShown: true,
          verify: (value) => typeof value === "string" && isHost(value),
        },
      }),
    ),
    port: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65535,
        description: "Port to listen on.",
        default: DEFAULTS.port,
        hints: { expected: "a whole number from 1 to 65535", isShown: true },
      }),
    ),
    enable_meta_mcp: Type.Optional(
      flag({
        description:
          "`/mcp` serves the four meta-tools; `false`: the tools of all backends, under qualified names.",
        default: DEFAULTS.enable_meta_mcp,
      }),
    ),
    ...toolKeys,
    log_level: Type.Optional(
      Type.String({
        pattern: `^(?:${LOG_LEVELS.map(anyCase).join("|")})$`,
        description: "Least level to log: DEBUG, INFO, WARNING or ERROR, in any case.",
        default: DEFAULTS.log_level,
        hints: {
          expected: `one of ${LOG_LEVELS.join(", ")} (in any case)`,
          isShown: true,
          choices: LOG_LEVELS,
        } satisfies Hints,
      }),
    ),
    auth: Type.Optional(AuthSchema),
    public_url: Type.Optional(
      text({
        description:
          "The gateway's URL for clients beyond a reverse proxy, with the path before its routes. Its host and origin are " +
          "accepted.",
        hints: {
          expected: "an http:// or https:// URL without a query",
          isShown: true,
          verify: (value) => typeof value === "string" && isPublicUrl(value),
        },
      }),
    ),
    allowed_hosts: Type.Optional(
      listOf(isHost, {
        description:
          "Host names that clients may use, beside those of this machine: a reverse proxy's, `host.docker.internal`. " +
          "A client with the token may use any.",
        expected: "a host name or an IP address, without a port",
      }),
    ),
    allowed_origins: Type.Optional(
      listOf(isOrigin, {
        description:
          "Origins whose pages may use the gateway, beside those of this machine: `https://app.example.com`, " +
          "`vscode-webview://*` for all of an app's own scheme, `null` for pages without an origin.",
        expected: 'an origin such as "https://app.example.com", "app-scheme://*" or "null"',
      }),
    ),
    request_timeout: Type.Optional(
      duration("more than zero", {
        description: "Longest wait for an answer, renewed by progress. Seconds, or `5m`.",
        default: DEFAULTS.request_timeout,
      }),
    ),
    start_timeout: Type.Optional(
      duration("more than zero", {
        description: "Longest wait for a backend to start. Seconds, or `5m`.",
        default: DEFAULTS.start_timeout,
      }),
    ),
    question_timeout: Type.Optional(
      duration("more than zero", {
        description: "How long a person may take to answer a question of a backend. Seconds, or `5m`.",
        default: DEFAULTS.question_timeout,
      }),
    ),
    idle_timeout: Type.Optional(
      duration("zero", {
        description: "A backend sleeps after this long without a call; 0: never. Seconds, or `5m`.",
        default: DEFAULTS.idle_timeout,
      }),
    ),
    prewarm: Type.Optional(
      flag({
        description:
          "Start the server of the best match in the background when a model searches or lists tools.",
        default: DEFAULTS.prewarm,
      }),
    ),
    memory_limit: Type.Optional(
      size("32MB", "64GB", {
        description:
          "The limit for all memory held for clients and backends: unfinished requests, unread answers, " +
          "events that can be replayed, lists. `256MB`, `1GiB`; a number is bytes.",
        default: DEFAULTS.memory_limit,
      }),
    ),
    backends: Type.Optional(backends({})),
    servers: Type.Optional(backends({ aliasOf: "backends" })),
    mcpServers: Type.Optional(backends({ aliasOf: "backends" })),
    ...clientTopKeys,
    health_check_interval: Type.Optional(healthCheckInterval),
  },
  {
    additionalProperties: false,
    // A place for the anchors of YAML.
    patternProperties: { "^x-": {} },
    hints: {
      expected: 'a map with "backends"',
      // Whatever else a client keeps beside its servers is not ours: its own file works as it is.
      tolerates: whyWithoutEffectAtTop,
    } satisfies Hints,
  },
);

export type BackendInput = Static<typeof BackendSchema>;
/** What a program may pass in place of a file: the same keys. */
export type ConfigInput = Static<typeof ConfigSchema>;

/** The JSON Schema of servers.yaml, for editors. */
export function jsonSchema(): object {
  const text = JSON.stringify(ConfigSchema, (key, value) => (key === "hints" ? undefined : value));
  const plain: object = JSON.parse(text);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "servers.yaml of mcp-gateway",
    ...plain,
  };
}
