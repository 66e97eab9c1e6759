// gateway_invoke: one tool of one server, its result as it came. What fails comes back in words for the model.

import type { Backend } from "../backend/backend.ts";
import type { Tool } from "../backend/catalog.ts";
import type { Fleet } from "../backend/fleet.ts";
import { urlQuestions } from "../backend/rounds.ts";
import { argumentProblems, signature } from "../discovery/signature.ts";
import { CLIENT_LIMITS, parseBounded } from "../protocol/bounded-json.ts";
import { type Answer, type Call, reworded } from "../protocol/call.ts";
import type { Abortable } from "../protocol/cancellation.ts";
import { changed, itemsOf, keepText, memberOf, writeJson } from "../protocol/exact.ts";
import { onOneLine } from "../protocol/json-text.ts";
import { isEmptyList, isObject, type Json, RpcError } from "../protocol/jsonrpc.ts";
import { Method } from "../protocol/mcp.ts";
import { canAnswer } from "../protocol/questions.ts";
import { below, escapeControls } from "../shown.ts";
import { failed } from "./answers.ts";
import { isPartCursor, type LargeResults } from "./large-results.ts";
import { withQualifiedLinks } from "./merged.ts";
import { InvokeArguments, ReadOnArguments, readArguments } from "./meta-tools.ts";
import { splitLoosely } from "./qualified.ts";
import { readSelect, type Select } from "./select.ts";
import type { ToolSearch } from "./tool-search.ts";

export interface Invoking {
  readonly fleet: Fleet;
  readonly search: ToolSearch;
  readonly results: LargeResults;
  /** What one answer may hold unless the call says otherwise; 0: everything. */
  readonly maxResultTokens: number;
}

export async function invoke(invoking: Invoking, call: Call, given: unknown): Promise<Answer> {
  const { fleet, search, results, maxResultTokens } = invoking;
  const { caller } = call;
  if (isObject(given) && isPartCursor(given.cursor)) {
    const { max_tokens: maxTokens = maxResultTokens } = readArguments(
      "gateway_invoke",
      ReadOnArguments,
      given,
    );
    return results.read(given.cursor, { caller, maxTokens });
  }
  const args = readArguments("gateway_invoke", InvokeArguments, normalise(given, fleet));
  const { server, tool: name, arguments: own = {}, max_tokens: maxTokens = maxResultTokens } = args;
  const select = args.select === undefined ? undefined : await readSelect(args.select);
  const backend = search.requireBackend(server);
  const tool = knownTool(backend, name) ?? (await findTool(backend, name, call.signal));
  if (tool === undefined) throw new RpcError(-32602, search.unknownToolText(server, name));
  const answer = await callTool(backend, tool, own, call);
  const chosen = select === undefined ? answer : await selected(answer, select);
  return results.shorten(chosen, { caller, maxTokens }, { server, tool: tool.name });
}

async function selected(answer: Answer, select: Select): Promise<Answer> {
  return answer.result.isError === true ? answer : { result: await select(answer.result) };
}

/** A refusal of the backend comes back as a result, with what was expected. */
async function callTool(backend: Backend, tool: Tool, args: Json, call: Call): Promise<Answer> {
  const params: Json = { name: tool.name, arguments: args };
  const meta = call.params === undefined ? undefined : memberOf(call.params, "_meta");
  if (meta !== undefined) params._meta = meta;
  try {
    const inner = reworded(call, { method: Method.callTool, params, passesRounds: false });
    const answer = await callWithPagesOpened(backend, inner);
    return explained(withQualifiedLinks(backend, answer), backend, tool, args);
  } catch (thrown) {
    if (!(thrown instanceof RpcError) || isForCaller(thrown)) throw thrown;
    const { message, code } = thrown;
    const said = `${backend.name}.${tool.name}: ${below(message)} (${code})${hint(tool, args, { server: backend.name, code })}`;
    return withTexts(failed(said), [...pagesOf(thrown), ...dataOf(thrown)]);
  }
}

/**
 * A legacy server may want the user to open a page first (-32042). A client that supports this is asked to, and the call is
 * made once more. For other clients the result contains the link.
 */
async function callWithPagesOpened(backend: Backend, call: Call): Promise<Answer> {
  try {
    return await backend.call(call);
  } catch (thrown) {
    const questions = call.caller.era === "legacy" ? urlQuestions(thrown) : [];
    if (questions.length === 0 || !questions.every((question) => canAnswer(call.caller, question)))
      throw thrown;
    for (const question of questions) {
      const { action } = await call.ask(question, call.signal);
      if (action !== "accept") throw thrown;
    }
    return await backend.call(call);
  }
}

/** Blocks with data of the server, which is not redacted. */
function withTexts({ result }: Answer, texts: readonly string[]): Answer {
  const blocks = texts.map((text) => ({ type: "text", text: escapeControls(text, "many lines") }));
  return {
    result: { ...result, content: [...(Array.isArray(result.content) ? result.content : []), ...blocks] },
  };
}

/** The pages to be opened before a call, as links. They are not redacted, because the links need their tokens. */
function pagesOf(error: RpcError): string[] {
  return urlQuestions(error).flatMap(({ params }) => {
    if (typeof params?.url !== "string") return [];
    const why = typeof params.message === "string" ? ` (${params.message})` : "";
    return [`The user has to open this page first, then call again: ${params.url}${why}`];
  });
}

/** The `data` of the server's error; limited like every result. */
function dataOf({ data }: RpcError): string[] {
  return data === undefined || data === null ? [] : [`data: ${writeJson(data)}`];
}

/** What the client itself has to hear as an error: that it lacks a capability. */
function isForCaller(error: RpcError): boolean {
  return error.code === -32021;
}

/** Models send arguments as JSON text, or beside `server` and `tool`, or the tool as `server.tool`: all is understood. */
function normalise(given: unknown, fleet: Fleet): unknown {
  if (!isObject(given)) return given;
  const { server, tool, select, max_tokens } = given;
  const args = memberOf(given, "arguments");
  const rest = changed(
    given,
    isAbsent(given.cursor) ? { ...BESIDE_ARGUMENTS, cursor: undefined } : BESIDE_ARGUMENTS,
  );
  const normal: Json = { server: server ?? undefined, tool };
  if (!isAbsent(select)) normal.select = select;
  if (!isAbsent(max_tokens)) normal.max_tokens = max_tokens;
  if (isAbsent(server) && typeof tool === "string") {
    const split = splitLoosely(tool, fleet.names);
    if (split !== undefined) Object.assign(normal, { server: split.backend, tool: split.name });
  }
  const read = typeof args === "string" ? parseObject(args) : args;
  if (isEmptyList(read)) normal.arguments = {};
  else if (!isAbsent(read)) normal.arguments = read;
  else if (Object.keys(rest).length > 0) normal.arguments = rest;
  if (normal.arguments !== rest && !isAbsent(rest.cursor)) {
    throw new RpcError(
      -32602,
      'gateway_invoke: this "cursor" was not given by gateway_invoke; leave it out.',
    );
  }
  return normal;
}

/** Many serializers write null for an absent argument. */
function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

const BESIDE_ARGUMENTS: Json = {
  server: undefined,
  tool: undefined,
  arguments: undefined,
  select: undefined,
  max_tokens: undefined,
};

function parseObject(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    const value: unknown = parseBounded(text, CLIENT_LIMITS);
    return typeof value === "object" && value !== null ? keepText(value, onOneLine(text)) : value;
  } catch (cause) {
    const error = new RpcError(
      -32602,
      'gateway_invoke: "arguments" is text that is no JSON; pass an object.',
    );
    error.cause = cause;
    throw error;
  }
}

/** A tool that the catalogue does not know may be new: the list is asked for once more. */
async function findTool(backend: Backend, name: string, signal: Abortable): Promise<Tool | undefined> {
  await backend.tools(signal);
  const listed = knownTool(backend, name);
  if (listed !== undefined) return listed;
  await backend.relist(signal);
  return backend.catalog.tool(name);
}

function knownTool({ catalog, name: server }: Backend, name: string): Tool | undefined {
  return catalog.tool(name) ?? catalog.tool(name.replace(`${server}.`, ""));
}

/** A failed result stays as it is; where the arguments cannot have been right, the signature is put after it. */
function explained(answer: Answer, backend: Backend, tool: Tool, args: Json): Answer {
  const { result } = answer;
  const said = memberOf(result, "content");
  if (result.isError !== true || !Array.isArray(said)) return answer;
  const problems = argumentProblems(tool, args);
  if (problems.length === 0) return answer;
  const text = `${problems.join("; ")}. Expected: ${signature(backend.name, tool)}`;
  const content = [...itemsOf(said), { type: "text", text }];
  return { result: changed(result, { content }) };
}

function hint(tool: Tool, args: Json, { server, code }: { server: string; code: number }): string {
  if (code !== -32602) return "";
  return [
    ...argumentProblems(tool, args).map((problem) => `. ${problem}`),
    `. Expected: ${signature(server, tool)}`,
  ].join("");
}
