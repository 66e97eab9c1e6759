// From a file, or an object of the same shape, to finished values: all of them, or every problem at once.

import { homedir } from "node:os";
import { dirname, resolve } from "node:path";
import { Value } from "@sinclair/typebox/value";
import type { LogLevel } from "../log.ts";
import { DEFAULT_LIMIT_BYTES } from "../memory-budget.ts";
import { registerSecret } from "../shown.ts";
import { withoutBrackets } from "./addresses.ts";
import {
  durationsOf,
  MALFORMED,
  type Reading,
  readBackend,
  type Surroundings,
  unsetReason,
} from "./backend.ts";
import { check, createFindings, entriesOf, type Findings } from "./check.ts";
import { leftOutBy, safeName } from "./client-keys.ts";
import type { AuthConfig, BackendConfig, Config } from "./config.ts";
import { type Environment, expand } from "./expand.ts";
import { ConfigError, pathText } from "./problem.ts";
import { type ConfigInput, ConfigSchema, DEFAULTS, LOG_LEVELS, NAME_PATTERN } from "./schema.ts";
import { isHost } from "./shapes.ts";
import { parseSize } from "./size.ts";
import { fileSource, objectSource, type Source } from "./source.ts";

/** Whoever has a session id can try keys at home: a short one would be found. */
const MIN_KEY_LENGTH = 16;
const MIN_TOKEN_LENGTH = 16;

/** What the command line says; it beats the file. */
export interface Overrides {
  readonly host?: string | undefined;
  /** 0: any free port. */
  readonly port?: number | undefined;
  readonly logLevel?: LogLevel | undefined;
  readonly enableMetaMcp?: boolean | undefined;
}

/**
 * Reads a configuration from a path, or from an object with the keys of the file.
 * Throws a ConfigError that holds every problem, or a ConfigFileError where there is no file to read.
 */
export function loadConfig(
  source: string | ConfigInput,
  overrides: Overrides = {},
  surroundings: Partial<Surroundings> = {},
): Config {
  const around: Surroundings = {
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    platform: process.platform,
    ...surroundings,
  };
  if (typeof source === "string") return finish(fileSource(source, around.cwd), overrides, around);
  // Code may ask for any free port; in a file 0 is a slip.
  if (source?.port !== 0) return finish(objectSource(source), overrides, around);
  const { port, ...rest } = source;
  return finish(objectSource(rest), { ...overrides, port: overrides.port ?? port }, around);
}

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
}

/** The address and token of a gateway with this file, as far as a file with mistakes has them: to find a running gateway. */
export function loadAddress(path: string): Address {
  const source = fileSource(path, process.cwd());
  const ignored = createFindings({ ...source, problems: [] });
  const top: unknown = check(ConfigSchema, source.remains ?? null, [], ignored);
  const { host, port, auth } = Value.Check(ConfigSchema, top) ? top : {};
  const token = readSecret("token", auth?.token, createFindings(source), process.env) ?? tokenOf(process.env);
  return { host: withoutBrackets(host ?? DEFAULTS.host), port: port ?? DEFAULTS.port, token };
}

function finish(source: Source, overrides: Overrides, surroundings: Surroundings): Config {
  const findings = createFindings(source);
  const isUnreadable = source.root === undefined && source.problems.length > 0;
  const top: unknown = isUnreadable ? undefined : check(ConfigSchema, source.root, [], findings);
  if (!Value.Check(ConfigSchema, top)) throw new ConfigError(inFileOrder(findings));

  const settings = { ...DEFAULTS, ...top };
  const path = source.file === undefined ? undefined : resolve(surroundings.cwd, source.file);
  const backends = readBackends(top, {
    findings,
    surroundings,
    folder: path === undefined ? surroundings.cwd : dirname(path),
    defaults: durationsOf(settings, {
      idleTimeoutMs: 0,
      requestTimeoutMs: 0,
      startTimeoutMs: 0,
      questionTimeoutMs: 0,
    }),
  });
  const auth = readAuth(top.auth, findings, surroundings);
  checkOverrides(overrides, findings);
  if (findings.problems.length > 0) throw new ConfigError(inFileOrder(findings));

  const level = settings.log_level.toUpperCase();
  return {
    host: withoutBrackets(overrides.host ?? settings.host),
    port: overrides.port ?? settings.port,
    enableMetaMcp: overrides.enableMetaMcp ?? settings.enable_meta_mcp,
    logLevel: overrides.logLevel ?? LOG_LEVELS.find((known) => known === level) ?? DEFAULTS.log_level,
    prewarm: settings.prewarm,
    auth,
    allowedHosts: top.allowed_hosts ?? [],
    allowedOrigins: top.allowed_origins ?? [],
    ...(top.public_url === undefined ? {} : { publicUrl: top.public_url }),
    pinned: [...new Set(settings.pinned)],
    maxResultTokens: settings.max_result_tokens,
    memoryLimitBytes: parseSize(settings.memory_limit) ?? DEFAULT_LIMIT_BYTES,
    backends,
    ...(path === undefined ? {} : { path }),
    notes: findings.notes,
  };
}

function readBackends(top: ConfigInput, reading: Reading): BackendConfig[] {
  const { findings } = reading;
  const key =
    (["backends", "servers", "mcpServers"] as const).find((name) => top[name] !== undefined) ?? "backends";
  const sound = top[key] ?? {};
  // The order of the file: objects would put names made of digits first.
  const written = entriesOf(findings.source.root)?.find(([name]) => name === key)?.[1];
  const names = (entriesOf(written) ?? []).map(([name]) => name);
  if (names.length === 0) findings.note([key], 'there are no backends yet; add one under "backends"');
  if (top.mcp !== undefined && top.mcpServers === undefined) {
    const message =
      '"mcp" at the top level is understood only beside "mcpServers"; put servers under "backends"';
    findings.problem(["mcp"], "key", { message });
  }
  const own = ownNames(names, (written, given) => {
    const why = `the names of the gateway have 1 to 64 letters, digits, ".", "_" or "-"`;
    findings.note(
      [key, written],
      `${pathText([key, JSON.stringify(written)])} is called ${given} here: ${why}`,
    );
  });
  return names.flatMap((name) => {
    const entry = Object.hasOwn(sound, name) ? sound[name] : undefined;
    if (entry === undefined) return [];
    const path = [key, name];
    const excluded = leftOutBy(name, top);
    if (excluded !== undefined) findings.note(path, `${pathText(path)} is left out, as ${excluded} says`);
    const used = excluded === undefined ? entry : { ...entry, enabled: false };
    return readBackend(own.get(name) ?? name, used, path, reading) ?? [];
  });
}

/** Maps the names of a client's servers to valid names. Valid names stay as they are. */
function ownNames(
  written: readonly string[],
  onMapped: (written: string, given: string) => void,
): Map<string, string> {
  const isGood = (name: string) => new RegExp(NAME_PATTERN).test(name);
  const own = new Map(written.filter(isGood).map((name) => [name, name]));
  const taken = new Set(own.keys());
  for (const name of written.filter((candidate) => !own.has(candidate))) {
    const given = safeName(name, (candidate) => isGood(candidate) && !taken.has(candidate));
    taken.add(given);
    own.set(name, given);
    onMapped(name, given);
  }
  return own;
}

function readAuth(written: ConfigInput["auth"], findings: Findings, { env }: Surroundings): AuthConfig {
  const { length: before } = findings.problems;
  const token = readSecret("token", written?.token, findings, env) ?? tokenOf(env);
  const isWhole = findings.problems.length === before;
  if (token !== undefined && isWhole) checkToken(token, written?.token === undefined, findings);
  const sessionKey = readSecret("session_key", written?.session_key, findings, env);
  if (sessionKey !== undefined && sessionKey.trim() !== "" && sessionKey.length < MIN_KEY_LENGTH) {
    const message = `auth.session_key must have at least ${MIN_KEY_LENGTH} characters once its variables are filled in`;
    findings.problem(["auth", "session_key"], "value", { message });
  }
  return {
    disabled: written?.disabled ?? false,
    ...(token === undefined ? {} : { token }),
    ...(sessionKey === undefined ? {} : { sessionKey }),
  };
}

/** A token that fits into no header would refuse everybody, and a short one can be guessed. */
function checkToken(token: string, isOfEnvironment: boolean, findings: Findings): void {
  const name = isOfEnvironment ? "the environment variable MCP_GATEWAY_TOKEN" : "auth.token";
  const refuse = (expected: string) =>
    findings.problem(["auth", "token"], "value", { message: `${name} must be ${expected}`, expected });
  if (!/^[\x21-\x7e]+$/.test(token)) {
    refuse(
      "letters, digits and signs of ASCII without a blank or a line break: HTTP cannot carry others in " +
        '"Authorization: Bearer", so no client could ever match it',
    );
  } else if (token.length < MIN_TOKEN_LENGTH) {
    const advice = `use at least ${MIN_TOKEN_LENGTH} random characters, for example from "openssl rand -hex 32"`;
    findings.note(["auth", "token"], `${name} is short enough to be guessed; ${advice}`);
  }
}

/** The environment's token, for files that name none. */
function tokenOf({ MCP_GATEWAY_TOKEN: token }: Environment): string | undefined {
  if (token === undefined || token === "") return undefined;
  registerSecret(token);
  return token;
}

function readSecret(
  key: "token" | "session_key",
  written: string | undefined,
  findings: Findings,
  env: Environment,
): string | undefined {
  if (written === undefined) return undefined;
  const path = ["auth", key];
  const refuse = (why: string) => findings.problem(path, "value", { message: `auth.${key} ${why}` });
  const { text, unset, isMalformed } = expand(written, env);
  for (const variable of unset) refuse(unsetReason(variable));
  if (isMalformed) refuse(MALFORMED);
  if (text.trim() === "") refuse("is empty once its variables are filled in");
  if (unset.size === 0) registerSecret(text);
  return text;
}

function checkOverrides({ host, port }: Overrides, findings: Findings): void {
  const refuse = (path: string, expected: string, found: string) =>
    findings.override({ path, message: `${path} must be ${expected}, not ${found}`, found, expected });
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65535)) {
    refuse("port", "a whole number from 0 to 65535", String(port));
  }
  if (host !== undefined && !isHost(host)) {
    refuse("host", "a host name or an IP address, without a port", JSON.stringify(host));
  }
}

function inFileOrder({ problems }: Findings) {
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
