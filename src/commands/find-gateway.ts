// Where the gateway that runs here is, and one question to it. Never starts anything.

import { isLoopback } from "../config/addresses.ts";
import type { Config } from "../config/config.ts";
import { loadAddress } from "../config/load.ts";
import { locateConfig } from "../config/locate.ts";
import { ConfigError } from "../config/problem.ts";
import { below } from "../shown.ts";
import { VERSION } from "../version.ts";
import { readConfig } from "./config-option.ts";
import { printNote } from "./print.ts";

export interface FindOptions {
  readonly url?: URL;
  readonly config?: string;
}

export interface Place {
  /** Routes are relative to it. */
  readonly base: URL;
  readonly token: string | undefined;
}

/**
 * The given URL, or the address from the configuration. If the configuration has mistakes, they are printed and the running
 * gateway is asked all the same. Throws ConfigFileError.
 */
export function findGateway({ url, config }: FindOptions): Place {
  if (url !== undefined) return { base: baseOf(url), token: process.env.MCP_GATEWAY_TOKEN };
  const { host, port, token } = readAddress(config);
  return { base: new URL(`http://${reachable(host)}:${port}/`), token };
}

function readAddress(config: string | undefined) {
  try {
    const { host, port, auth } = readConfig({
      ...(config === undefined ? {} : { config }),
      logFormat: "text",
    });
    return { host, port, token: auth.token };
  } catch (thrown) {
    const path = locateConfig(config);
    if (!(thrown instanceof ConfigError) || path === undefined) throw thrown;
    printNote(
      `The configuration has mistakes; a running gateway keeps its previous one:\n  ${below(thrown.format(), "  ")}`,
    );
    return loadAddress(path);
  }
}

/** A gateway that listens everywhere is reached at home. */
function reachable(host: Config["host"]): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

/** People paste what they have: the URL of a client, or of the last thing that they looked at. */
function baseOf(url: URL): URL {
  const base = new URL(url);
  base.pathname = `${url.pathname.replace(/\/+$/, "").replace(/\/(?:mcp|health|status)$/, "")}/`;
  return base;
}

export interface Question {
  readonly method?: "GET" | "POST";
  /** Without a leading slash. */
  readonly route: string;
  readonly timeoutMs: number;
}

export interface Reply {
  readonly url: URL;
  readonly status: number;
  readonly isOk: boolean;
  /** Undefined where it is no JSON. */
  readonly body: unknown;
}

/** Rejects where nobody answers. */
export async function ask(
  { base, token }: Place,
  { method = "GET", route, timeoutMs }: Question,
): Promise<Reply> {
  const url = new URL(route, base);
  const response = await fetch(url, {
    method,
    headers: token === undefined || token === "" ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(timeoutMs),
    redirect: "error",
    // A proxy from the environment cannot reach this machine's own loopback.
    proxy: isLoopback(url.hostname) ? false : undefined,
  }).catch((thrown: unknown) => {
    throw new Error(`no gateway answers at ${url.href}: ${reasonOf(thrown, timeoutMs)}`, { cause: thrown });
  });
  const body: unknown = await response.json().catch(() => undefined);
  return { url, status: response.status, isOk: response.ok, body };
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ConnectionRefused", "nothing listens there. Start the gateway, or say with --url where it listens."],
  ["ECONNREFUSED", "nothing listens there. Start the gateway, or say with --url where it listens."],
  ["FailedToOpenSocket", "the host cannot be reached."],
  ["ENOTFOUND", "the host name cannot be resolved."],
  ["UnexpectedRedirect", "the server there answers with a redirect."],
  ["ConnectionClosed", "the connection was closed before an answer came."],
  ["ECONNRESET", "the connection was closed before an answer came."],
]);

/** Our own texts, because the runtime's messages ask the reader questions. */
function reasonOf(thrown: unknown, timeoutMs: number): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown.name === "TimeoutError") return `there was no answer within ${timeoutMs / 1000} s.`;
  const code = "code" in thrown && typeof thrown.code === "string" ? thrown.code : thrown.name;
  return REASONS.get(code) ?? `the request failed (${code}).`;
}

/** The gateway's own error message, if there is one. */
export function refusalOf({ url, status, body }: Reply): string {
  const error = typeof body === "object" && body !== null && "error" in body ? body.error : undefined;
  const words = typeof error === "object" && error !== null && "message" in error ? error.message : undefined;
  if (typeof words === "string") {
    return status === 401 ? `${words} It is read from MCP_GATEWAY_TOKEN or the configuration.` : words;
  }
  const version = typeof body === "object" && body !== null && "version" in body ? body.version : undefined;
  if (typeof version === "string" && version !== VERSION) {
    return `the gateway at ${url.origin} is of version ${version}, this command of ${VERSION}; start the gateway anew`;
  }
  return status === 200 || status === 404
    ? `the server at ${url.href} is no mcp-gateway, or one of another version (HTTP ${status})`
    : `the server at ${url.href} is no mcp-gateway (HTTP ${status})`;
}
