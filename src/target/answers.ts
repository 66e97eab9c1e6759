// What the meta-tools say in words: a line for each server, a line for each tool.

import type { Backend } from "../backend/backend.ts";
import type { Tool } from "../backend/catalog.ts";
import type { ToolDoc } from "../discovery/search.ts";
import { answerLine, firstSentence, isCut, signature } from "../discovery/signature.ts";
import { oneLine } from "../discovery/type-text.ts";
import type { Answer } from "../protocol/call.ts";
import { memberOf, writeJson } from "../protocol/exact.ts";
import { shownLine, shownText } from "../shown.ts";

/** Longer reasons contain lists of folders; the log has the whole text. */
const LONGEST_REASON = 200;

export function said(text: string): Answer {
  return { result: { content: [{ type: "text", text }] } };
}

/** Longer texts are cut before redaction, which reads every character. */
const MAX_FAILURE_CHARS = 100_000;

/** A failure that a model can read and act on. */
export function failed(text: string): Answer {
  return {
    result: { content: [{ type: "text", text: shownText(text.slice(0, MAX_FAILURE_CHARS)) }], isError: true },
  };
}

export function describeServers(backends: readonly Backend[]): string {
  const lines = backends.filter(({ config }) => config.enabled).map(describeServer);
  return lines.length === 0 ? "No server is configured." : lines.join("\n");
}

function describeServer(backend: Backend): string {
  const { state, toolCount, lastError, catalog } = backend.status();
  const about = shownLine(
    backend.config.description ||
      firstSentence(backend.catalog.handshake?.description.instructions) ||
      titleOf(backend),
  );
  const known = `${toolCount} ${catalog === "remembered" ? "remembered " : ""}tool${toolCount === 1 ? "" : "s"}`;
  const tools = toolCount === undefined ? "tools not listed yet" : known;
  const isBroken = backend.config.problem !== undefined || state === "failed";
  const [reason = ""] = shownText(backend.config.problem ?? lastError ?? "")
    .replace(`${backend.name}: `, "")
    .split("\n", 1);
  const why = isBroken ? `: ${oneLine(reason, LONGEST_REASON)}` : "";
  return `${backend.name}${about === "" ? "" : `: ${about}`} (${tools}, ${isBroken ? "failed" : state}${why})`;
}

function titleOf(backend: Backend): string {
  const info = backend.catalog.handshake?.description.serverInfo;
  return typeof info?.title === "string" ? info.title : "";
}

export function describeTools(backend: Backend): string {
  const { tools } = backend.catalog;
  if (tools.length === 0) return `${backend.name} has no tools.`;
  return withCutsExplained(
    tools.map((tool) => ({ server: backend.name, tool, line: answerLine({ server: backend.name, tool }) })),
  );
}

/** The lines, and if one of them leaves out parameters, how to see them. */
export function withCutsExplained(
  lines: readonly { readonly server: string; readonly tool: ToolDoc; readonly line: string }[],
): string {
  const cut = lines.find(({ line }) => isCut(line));
  const texts = lines.map(({ line }) => line);
  if (cut !== undefined) {
    const call = JSON.stringify({ server: cut.server, tool: oneLine(cut.tool.name) });
    texts.push(`(… n more: parameters that gateway_list_tools ${call} shows)`);
  }
  return texts.join("\n");
}

/** One tool with the exact schema of its arguments, for when the signature says too little. */
export function describeTool(backend: Backend, tool: Tool): string {
  const about = typeof tool.description === "string" ? `\n${tool.description}` : "";
  return `${signature(backend.name, tool)}${about}\ninputSchema: ${writeJson(memberOf(tool, "inputSchema") ?? {})}`;
}
