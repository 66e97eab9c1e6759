// One entry of `backends` made into finished values: variables filled in, the command split, defaults taken.
// Knows nothing of the rest of the file.

import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Findings } from "./check.ts";
import type { BackendConfig, StdioConfig, UrlConfig, WireConfig } from "./config.ts";
import { parseDuration } from "./duration.ts";
import { type Environment, expand } from "./expand.ts";
import { type Path, pathText } from "./problem.ts";
import { type BackendInput, BackendSchema } from "./schema.ts";
import { hideArguments, hideInUrl, hideNamed } from "./secrets.ts";
import { splitCommand } from "./split-command.ts";
import { readToolRules } from "./tool-rules.ts";

export interface Surroundings {
  readonly env: Environment;
  readonly cwd: string;
  readonly home: string;
  readonly platform: NodeJS.Platform;
}

export type Durations = Pick<
  BackendConfig,
  "idleTimeoutMs" | "requestTimeoutMs" | "startTimeoutMs" | "questionTimeoutMs"
>;

export interface Reading {
  readonly findings: Findings;
  readonly surroundings: Surroundings;
  /** Where a relative `cwd` starts. */
  readonly folder: string;
  readonly defaults: Durations;
}

/** Undefined where the entry has problems that make a wire impossible; they are among the findings. */
export function readBackend(
  name: string,
  entry: BackendInput,
  path: Path,
  reading: Reading,
): BackendConfig | undefined {
  const filling = createFilling(reading);
  const wire = readWire(entry, path, filling);
  const description = filling.fill([...path, "description"], entry.description ?? "").text;
  const tools = readToolRules(
    withClientRules(entry, path, reading.findings),
    [...path, "tools"],
    reading.findings,
  );
  if (entry.sandboxEnabled === true) filling.block("sandbox", [...path, "sandboxEnabled"], NO_SANDBOX);
  if (wire === undefined) return undefined;
  const enabled = entry.enabled ?? !(entry.disabled ?? false);
  const problem =
    enabled && filling.blockers.size > 0 ? [...filling.blockers.values()].join(". ") : undefined;
  return {
    name,
    description,
    enabled,
    ...(problem === undefined ? {} : { problem }),
    wire,
    ...(tools === undefined ? {} : { tools }),
    protocol: entry.protocol ?? "auto",
    ...durationsOf(entry, reading.defaults),
    ...lifetimeOf(entry, path, reading.findings),
  };
}

const NO_SANDBOX =
  "asks for a sandbox, which the gateway does not have; set it to false to run the server without one";

/** Our own rules combined with those under clients' names: a tool that either denies is denied. */
function withClientRules(entry: BackendInput, path: Path, findings: Findings): BackendInput["tools"] {
  const { tools, includeTools, enabledTools, enabled_tools, allowedTools } = entry;
  const allow = includeTools ?? enabledTools ?? enabled_tools ?? allowedTools;
  const deny = entry.excludeTools ?? entry.disabledTools ?? entry.disabled_tools;
  if (allow !== undefined && tools?.allow !== undefined) {
    const message = `${pathText(path)} sets tools.allow a second time; keep only tools.allow`;
    findings.problem([...path, "tools"], "key", { message });
  }
  if (allow === undefined && deny === undefined) return tools;
  return {
    ...tools,
    ...(allow === undefined ? {} : { allow }),
    deny: [...(tools?.deny ?? []), ...(deny ?? [])],
  };
}

type Lifetime = Pick<BackendConfig, "warm" | "keepAlive" | "scope" | "maxInstances" | "maxConcurrency">;

function lifetimeOf(entry: BackendInput, path: Path, findings: Findings): Lifetime {
  const scope = entry.scope ?? "shared";
  const useless = scope === "shared" ? (["max_instances"] as const) : (["warm", "keep_alive"] as const);
  for (const key of useless.filter((candidate) => entry[candidate] !== undefined)) {
    findings.note([...path, key], `${pathText([...path, key])} has no effect with scope: ${scope}`);
  }
  const isShared = scope === "shared";
  return {
    scope,
    warm: isShared && (entry.warm ?? false),
    keepAlive: isShared && (entry.keep_alive ?? false),
    maxInstances: entry.max_instances ?? 10,
    maxConcurrency: entry.max_concurrency ?? 0,
  };
}

type WrittenDurations = Pick<
  BackendInput,
  "idle_timeout" | "request_timeout" | "start_timeout" | "question_timeout"
>;

export function durationsOf(written: WrittenDurations, defaults: Durations): Durations {
  const parse = (value: number | string | undefined) =>
    value === undefined ? undefined : parseDuration(value);
  return {
    idleTimeoutMs: parse(written.idle_timeout) ?? defaults.idleTimeoutMs,
    requestTimeoutMs: parse(written.request_timeout) ?? defaults.requestTimeoutMs,
    startTimeoutMs: parse(written.start_timeout) ?? defaults.startTimeoutMs,
    questionTimeoutMs: parse(written.question_timeout) ?? defaults.questionTimeoutMs,
  };
}

/** Fills in variables, and keeps what stops this one backend while the others run. */
interface Filling extends Reading {
  /** Reasons, by what they are about: a variable that is missing five times is named once. */
  readonly blockers: Map<string, string>;
  fill(
    path: Path,
    template: string,
  ): { readonly text: string; readonly isComplete: boolean; readonly isLiteral: boolean };
  block(about: string, path: Path, reason: string): void;
}

function createFilling(reading: Reading): Filling {
  const { findings, surroundings } = reading;
  const blockers = new Map<string, string>();
  const block = (about: string, path: Path, reason: string) => {
    if (!blockers.has(about)) blockers.set(about, `${findings.place(path)} ${reason}`);
  };
  return {
    ...reading,
    blockers,
    block,
    fill: (path, template) => {
      const { text, used, defaulted, unset, isMalformed } = expand(template, surroundings.env);
      for (const [variable, value] of [...used, ...defaulted]) hideNamed(variable, value);
      for (const variable of unset) block(variable, path, unsetReason(variable));
      if (isMalformed) block(pathText(path), path, MALFORMED);
      return { text, isComplete: unset.size === 0 && !isMalformed, isLiteral: used.size === 0 };
    },
  };
}

export function unsetReason(variable: string): string {
  return `needs the environment variable ${variable}, which is not set; set it, or write \${${variable}:-default}`;
}

export const MALFORMED = `has a "\${…}" that names no environment variable; write \${NAME} for a variable and $$ for a plain "$"`;

function readWire(entry: BackendInput, path: Path, filling: Filling): WireConfig | undefined {
  const { findings } = filling;
  const urlKey = entry.http_url === undefined ? "url" : "http_url";
  const url = entry[urlKey];
  const transportKey = entry.transport === undefined ? "type" : "transport";
  const transport = entry[transportKey] ?? "auto";
  const fail = (key: string[], message: string) => findings.problem([...path, ...key], "key", { message });

  if (entry.command !== undefined && url !== undefined) {
    fail([urlKey], `${pathText(path)} has both "command" and "${urlKey}"; keep the one that is meant`);
    return undefined;
  }
  if (entry.command !== undefined) {
    if (transport !== "auto" && transport !== "stdio") {
      fail(
        [transportKey],
        `${pathText(path)}.${transportKey} is ${transport}, which needs "http_url" and not "command"`,
      );
    }
    noteUseless(entry, ["headers"], path, filling);
    return readStdio(entry.command, entry, path, filling);
  }
  if (url === undefined) {
    if (!isMisspelt(path, findings)) {
      fail(
        [],
        `${pathText(path)} needs "command" (a program to start) or "http_url" (a server to connect to)`,
      );
    }
    return undefined;
  }
  if (transport === "stdio") {
    fail(
      [transportKey],
      `${pathText(path)}.${transportKey} is stdio, which needs "command" and not "${urlKey}"`,
    );
    return undefined;
  }
  noteUseless(entry, ["args", "env", "cwd", "keep_detached"], path, filling);
  const kind = transport === "auto" || transport === "sse" ? transport : "http";
  return readUrl(url, { path: [...path, urlKey], transport: kind, headers: entry.headers }, filling);
}

function noteUseless(
  entry: BackendInput,
  keys: readonly (keyof BackendInput)[],
  path: Path,
  filling: Filling,
): void {
  for (const key of keys.filter((candidate) => entry[candidate] !== undefined)) {
    const at = [...path, key];
    const kind = entry.command === undefined ? "a backend with a URL" : "a backend with a command";
    filling.findings.note(at, `${pathText(at)} has no effect on ${kind}`);
  }
}

/** Whether a problem is known already that explains why there seems to be neither command nor URL. */
function isMisspelt(path: Path, findings: Findings): boolean {
  const prefix = `${pathText(path)}.`;
  return findings.problems.some((problem) => {
    const key = problem.path.startsWith(prefix) ? problem.path.slice(prefix.length) : undefined;
    if (key === undefined || key.includes(".")) return false;
    return ["command", "http_url", "url"].includes(key) || !Object.hasOwn(BackendSchema.properties, key);
  });
}

function readStdio(
  command: string,
  entry: BackendInput,
  path: Path,
  filling: Filling,
): StdioConfig | undefined {
  const { findings, surroundings } = filling;
  const commandPath = [...path, "command"];
  const split =
    entry.args === undefined ? splitCommand(command, surroundings.platform) : { words: [command] };
  if ("openQuote" in split) {
    const message = `${pathText(commandPath)} has a quote (${split.openQuote}) at character ${split.at} that is never closed`;
    findings.problem(commandPath, "value", { message });
    return undefined;
  }
  const program = split.words.map((word) => filling.fill(commandPath, word).text);
  const args = (entry.args ?? []).map(
    (arg, index) => filling.fill([...path, "args", index], String(arg)).text,
  );
  if (split.words.length === 0) {
    findings.problem(commandPath, "value", { message: `${pathText(commandPath)} names no program` });
  } else if (program[0]?.trim() === "") {
    filling.block("program", commandPath, "names no program once its variables are filled in");
  }
  hideArguments([...program, ...args]);
  const cwd = entry.cwd === undefined ? undefined : readFolder([...path, "cwd"], entry.cwd, filling);
  return {
    kind: "stdio",
    argv: [...program, ...args],
    env: readTexts([...path, "env"], entry.env, filling),
    ...(cwd === undefined ? {} : { cwd }),
    ...(entry.keep_detached === true ? { keepsDetached: true } : {}),
  };
}

function readFolder(path: Path, written: string, filling: Filling): string {
  const { text, isComplete } = filling.fill(path, written);
  const folder = resolve(
    filling.folder,
    text.replace(/^~(?=$|[/\\])/, () => filling.surroundings.home),
  );
  if (isComplete && !isFolder(folder))
    filling.block("cwd", path, `is ${folder}, which is no existing folder`);
  return folder;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

interface UrlParts {
  readonly path: Path;
  readonly transport: UrlConfig["transport"];
  readonly headers: BackendInput["headers"];
}

function readUrl(
  written: string,
  { path, transport, headers: writtenHeaders }: UrlParts,
  filling: Filling,
): UrlConfig {
  const { text: url, isComplete, isLiteral } = filling.fill(path, written);
  const parsed = URL.parse(url);
  if (parsed !== null) hideInUrl(parsed);
  if (isComplete && parsed?.protocol !== "http:" && parsed?.protocol !== "https:") {
    const found = parsed === null ? "text that is no URL" : `a URL that begins with ${parsed.protocol}`;
    const expected = "an http:// or https:// URL";
    // What a variable brought in is a matter of this machine and not of the file.
    if (!isLiteral)
      filling.block("url", path, `must be ${expected}, but with its variables filled in is ${found}`);
    else {
      const message = `${pathText(path)} must be ${expected}, not ${found}`;
      filling.findings.problem(path, "value", { message, found, expected });
    }
  }
  const headersPath = [...path.slice(0, -1), "headers"];
  const headers = readTexts(headersPath, writtenHeaders, filling);
  for (const [name, value] of Object.entries(headers)) {
    if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) continue;
    filling.block(
      name,
      [...headersPath, name],
      "has a line break or another character that HTTP headers cannot carry",
    );
  }
  return { kind: "url", url, transport, headers };
}

function readTexts(path: Path, written: BackendInput["env"], filling: Filling): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, template] of Object.entries(written ?? {})) {
    const { text, isComplete } = filling.fill([...path, name], String(template));
    if (isComplete) hideNamed(name, text);
    Object.defineProperty(texts, name, { value: text, enumerable: true, writable: true, configurable: true });
  }
  return texts;
}
