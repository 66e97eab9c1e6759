// Where the gateway that runs here is, and one question to it. Never starts anything.

import { isLoopback } from "../config/addresses.ts";
import type { Config } from "../config/config.ts";
import { ConfigError, ConfigFileError } from "../config/problem.ts";
import { readConfig } from "./config-option.ts";

export interface FindOptions {
  readonly url?: string;
  readonly config?: string;
}

export interface Place {
  /** Routes are relative to it. */
  readonly base: URL;
  readonly token: string | undefined;
}

/** The URL that was asked for, or where a gateway with this configuration listens. */
export function findGateway({ url, config }: FindOptions): Place {
  if (url !== undefined) return { base: baseOf(url), token: process.env.MCP_GATEWAY_TOKEN };
  const { host, port, auth } = readConfig({ ...(config === undefined ? {} : { config }), logFormat: "text" });
  return { base: baseOf(`http://${reachable(host)}:${port}`), token: auth.token };
}

/** A gateway that listens everywhere is reached at home. */
function reachable(host: Config["host"]): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

/** People paste what they have: the URL of a client, or of the last thing that they looked at. */
function baseOf(written: string): URL {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new Error(`"${written}" is not the URL of a gateway; it looks like http://127.0.0.1:39400`);
  }
  url.pathname = `${url.pathname.replace(/\/+$/, "").replace(/\/(?:mcp|health|status)$/, "")}/`;
  return url;
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
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Error(`no gateway answers at ${url.href}: ${reason}`, { cause: thrown });
  });
  const body: unknown = await response.json().catch(() => undefined);
  return { url, status: response.status, isOk: response.ok, body };
}

/** In words for the person at the terminal. */
export function explain(thrown: unknown): string {
  if (thrown instanceof ConfigError) return `where the gateway listens cannot be read:\n${thrown.format()}`;
  if (thrown instanceof ConfigFileError) return thrown.message;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Rows in columns, two spaces between. */
export function layOut(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map(({ length }) => length));
  const widths = Array.from({ length: columns }, (_, at) =>
    Math.max(0, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  return rows.map(
    (row) =>
      `  ${row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd()}\n`,
  );
}
